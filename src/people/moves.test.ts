import { test } from 'node:test'
import { insistOnTable } from '../../test/moves.ts'
import { MOVES } from './patient.ts'
import { SIGN_IN_MOVES } from './sign-in.ts'
import { moveSignIn } from './sign-in-store.ts'
import { STEP_UP_MOVES } from './step-up.ts'
import { moveStepUp } from './step-up-store.ts'
import { updatePatientStatus } from './store.ts'

test('the table is what allows a move of an account', async () => {
  const recorded = { event: { patient: 'asha@sbx' } } as never
  await insistOnTable(MOVES, (tx, from, to) => updatePatientStatus(tx, recorded, from, to))
})

const ID = '3f1c2f6e-1d8e-4c39-9a51-0d6f5d0a7c00' as never

test('the table is what allows a move of a code to sign in', async () => {
  await insistOnTable(SIGN_IN_MOVES, (tx, status, to) =>
    moveSignIn(tx, { id: ID, status, codeHash: new Uint8Array(), source: new Uint8Array() } as never, {
      status: to,
      wrongTries: 0,
    }),
  )
})

test('the table is what allows a move of a proof anew', async () => {
  await insistOnTable(STEP_UP_MOVES, (tx, status, to) =>
    moveStepUp(tx, { id: ID, status } as never, { status: to, wrongTries: 0 }),
  )
})

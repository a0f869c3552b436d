import { test } from 'node:test'
import { insistOnTable } from '../../test/moves.ts'
import { MOVES } from './patient.ts'
import { updatePatientStatus } from './store.ts'

test('the table is what allows a move of an account', async () => {
  const recorded = { event: { patient: 'asha@sbx' } } as never
  await insistOnTable(MOVES, (tx, from, to) => updatePatientStatus(tx, recorded, from, to))
})

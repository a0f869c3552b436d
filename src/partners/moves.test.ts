import { test } from 'node:test'
import { insistOnTable } from '../../test/moves.ts'
import { MOVES } from './bridge.ts'
import { updateBridge } from './store.ts'

test('the table is what allows a move of a bridge; only an active one changes', async () => {
  const recorded = { event: { subject: 'bridge' } } as never
  await insistOnTable(MOVES, (tx, _from, status) => updateBridge(tx, recorded, { status }), { from: ['active'] })
})

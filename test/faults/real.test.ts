import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runReal } from './real-run.ts'

/** One run while somebody waits; more with `npm run simulate -- --real --seeds 20`. */
const SEED = Number(process.env['AMANAT_TEST_SEED'] ?? 1)

test(`real processes over bad wires keep the laws (seed ${SEED})`, { timeout: 300_000 }, async (t) => {
  const { kills, troubles, tookMs } = await runReal(SEED)
  t.diagnostic(`${kills} kills, ${troubles} faults of the wire, ${Math.round(tookMs)} ms`)
  assert.ok(kills > 0, 'nobody was killed')
  assert.ok(troubles > 0, 'the wires were good')
})

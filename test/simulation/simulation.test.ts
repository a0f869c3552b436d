import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LANES, sayFailure, sayTotal, simulateMany } from './many.ts'
import { simulate } from './simulation.ts'
import { openStage } from './stage.ts'

/** So many seeds: few while somebody waits, many in CI, any number with `npm run simulate`. */
const SEEDS = process.env['CI'] === 'true' ? 500 : 9
const FIRST = 1

test('a seed gives the same run again', { timeout: 120_000 }, async () => {
  const stage = await openStage()
  try {
    const [first, other, again] = [await simulate(stage, 7), await simulate(stage, 8), await simulate(stage, 7)]
    assert.equal(again.traceHash, first.traceHash)
    assert.deepEqual(again.trace, first.trace)
    assert.notEqual(other.traceHash, first.traceHash)
  } finally {
    await stage.world.close()
  }
})

test(`no law is broken in ${SEEDS} seeded runs with every kind of fault`, { timeout: 3_600_000 }, async (t) => {
  const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST + i)
  const total = await simulateMany(seeds, LANES)
  t.diagnostic(sayTotal(total))
  assert.equal(total.failed.length, 0, total.failed.map((one) => sayFailure(one)).join('\n'))
  for (const kind of ['command', 'deliver', 'twice', 'lost', 'too late', 'job', 'chore', 'fault', 'restart', 'again'])
    assert.ok((total.kinds.get(kind) ?? 0) > 0, `no ${kind} in ${SEEDS} seeds`)
})

/**
 * `npm run simulate -- [--seeds N] [--from N] [--seed N] [--trace] [--lanes N]`: the seeded simulation by hand, on a throwaway PostgreSQL.
 * `--seed 42 --trace` replays one run and shows every step. With `--real`: processes of their own, killed at moments of the seed, over
 * wires that break; the seed chooses the faults, the machine when they are met.
 */
import { parseArgs } from 'node:util'
import { startTestServer } from '../test/database.ts'
import { runReal } from '../test/faults/real-run.ts'
import { LANES, sayFailure, sayTotal, simulateMany } from '../test/simulation/many.ts'

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      lanes: { type: 'string', default: String(LANES) },
      trace: { type: 'boolean', default: false },
      real: { type: 'boolean', default: false },
    },
  })
  const count = values.seed === undefined ? Number(values.seeds) : 1
  const from = Number(values.seed ?? values.from)
  const lanes = Math.min(Number(values.lanes), count)
  if (![count, from, lanes].every((one) => Number.isSafeInteger(one) && one > 0)) {
    console.error('--seeds, --from, --seed and --lanes are whole numbers from 1.')
    return 2
  }
  const server = await startTestServer()
  process.env['AMANAT_TEST_POSTGRES'] = server.url
  try {
    const seeds = Array.from({ length: count }, (_, i) => from + i)
    if (values.real) return await runReally(seeds)
    const total = await simulateMany(seeds, lanes, (outcome) => {
      const { seed, steps, tookMs, traceHash, violation, trace } = outcome
      console.log(
        `seed ${seed}: ${violation === undefined ? 'good' : 'FAILS'}, ${steps} steps, ${Math.round(tookMs)} ms, trace ${traceHash}`,
      )
      if (values.trace) console.log(trace.map((line) => `  ${line}`).join('\n'))
    })
    for (const outcome of total.failed) console.log(`\n${sayFailure(outcome)}`)
    console.log(sayTotal(total))
    return total.failed.length === 0 ? 0 : 1
  } finally {
    await server.stop()
  }
}

async function runReally(seeds: readonly number[]): Promise<number> {
  for (const seed of seeds) {
    try {
      const { kills, troubles, tookMs } = await runReal(seed)
      console.log(`seed ${seed}: good, ${kills} kills, ${troubles} faults of the wire, ${Math.round(tookMs)} ms`)
    } catch (error) {
      console.log(`seed ${seed}: FAILS\n${String(error)}\nagain: npm run simulate -- --real --seed ${seed}`)
      return 1
    }
  }
  return 0
}

process.exitCode = await main(process.argv.slice(2))

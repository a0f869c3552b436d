// How fast the seeded simulation runs: one scheduled thing (a command, a message, a job, a chore, a fault) is a step.
// Run: node bench/simulation.ts [seeds]
import { LANES, sayFailure, sayTotal, simulateMany } from '../test/simulation/many.ts'
import { say } from './measure.ts'
import { startBenchServer } from './server.ts'

const SEEDS = Number(process.argv[2] ?? 20)
const WANTED_PER_SECOND = 200

const stopServer = await startBenchServer()
const total = await simulateMany(
  Array.from({ length: SEEDS }, (_, i) => 1_001 + i),
  LANES,
)
say('simulation', (total.steps / total.tookMs) * (1_000 / WANTED_PER_SECOND), 'of 200 steps/s', sayTotal(total))
console.log(`   ${[...total.kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')}`)
for (const outcome of total.failed) console.log(sayFailure(outcome))
await stopServer()
process.exitCode = total.failed.length === 0 ? 0 : 1

// What it costs that a database says nothing about a patient: the whole flow from asking for a consent to the stored document, with
// records, columns and addresses sealed, against the same program without, each in a process of its own, in turns.
// Run: node bench/at-rest.ts
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Flow, Told } from './at-rest-network.ts'
import { ms, quantile, say } from './measure.ts'
import { startBenchServer } from './server.ts'

const FLOWS = 30
const WARM_UPS = 6

const stopServer = await startBenchServer()
const start = (execArgv: readonly string[]): ChildProcess =>
  fork(join(import.meta.dirname, 'at-rest-network.ts'), { execArgv: [...execArgv] })
const hooks = join(import.meta.dirname, 'unsealed', 'hooks.ts')
const [plain, sealed] = [start(['--import', hooks]), start([])]

async function told(child: ChildProcess): Promise<Told> {
  const over = new AbortController()
  const ended = once(child, 'exit', over).then(() => Promise.reject(new Error('a network has ended')))
  try {
    const [message] = (await Promise.race([once(child, 'message', over), ended])) as [Told]
    return message
  } finally {
    ended.catch(() => undefined)
    over.abort()
  }
}

async function flow(child: ChildProcess): Promise<Flow> {
  const answer = told(child)
  child.send('flow')
  const got = await answer
  return 'flow' in got ? got.flow : Promise.reject(new Error('the network has ended'))
}

async function end(child: ChildProcess): Promise<readonly string[]> {
  const [answer, exit] = [told(child), once(child, 'exit')]
  child.send('end')
  const got = await answer
  await exit
  return 'readable' in got ? got.readable : []
}

await Promise.all([told(plain), told(sealed)])
const [withoutSeals, withSeals]: [Flow[], Flow[]] = [[], []]
for (let turn = -WARM_UPS; turn < FLOWS; turn++) {
  // Who begins changes, so that neither always follows the other.
  const first = turn % 2 === 0
  const pair = first ? [await flow(plain), await flow(sealed)] : [await flow(sealed), await flow(plain)]
  const [without, within] = first ? pair : pair.toReversed()
  if (turn < 0 || without === undefined || within === undefined) continue
  withoutSeals.push(without)
  withSeals.push(within)
}
const [readable, readableSealed] = [await end(plain), await end(sealed)]
if (readable.length === 0 || readableSealed.length > 0)
  throw new Error(`wrong networks compared: ${readable.join(', ')} against ${readableSealed.join(', ')}`)

const median = (flows: readonly Flow[], of: keyof Flow): number =>
  quantile(
    flows.map((one) => one[of]),
    0.5,
  )
for (const [of, what] of [
  ['ms', 'the whole flow, sealed'],
  ['cpuMs', 'processor of the same'],
] as const) {
  const [without, within] = [median(withoutSeals, of), median(withSeals, of)]
  say(
    what,
    within / without,
    'without seals (goal 1.15)',
    `p50 ${ms(within)}; without ${ms(without)}; ${FLOWS} pairs in turns`,
  )
}
await stopServer()

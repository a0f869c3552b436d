// Whether a server grows that works for long: an exchange in a process of its own takes 20,000 calls of many kinds, good and bad, with its
// worker, its log and its callbacks, and what it holds once rubbish is collected is taken every 4,000. Run: node bench/soak.ts
import { fork } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { openTestDatabase } from '../test/database.ts'
import { freePort } from '../test/network.ts'
import { HIU } from './exchange.ts'
import { load, perSecond, say } from './measure.ts'
import { startBenchServer } from './server.ts'
import type { SoakMemory, SoakReady } from './soak-server.ts'

const CALLS = 20_000
const MARK_EVERY = 4_000
const CALLERS = 16
const CALLS_OF_A_PATIENT = 10
/** Beyond this the soak ends at the next mark. */
const SOAK_MS_MAX = 100_000
const SETTLE_MS = 1_500
const DAY_MS = 86_400_000
const MB = 1_000_000

const stopServer = await startBenchServer()
const database = await openTestDatabase()
let [heard, turnedAway] = [0, 0]
const callbacks = createServer((incoming, answer) => {
  heard++
  incoming.resume().on('end', () => answer.writeHead(202).end())
})
await new Promise<void>((resolve) => callbacks.listen(0, '127.0.0.1', resolve))
const port = await freePort()
const at = `http://127.0.0.1:${(callbacks.address() as AddressInfo).port}`
const server = fork(join(import.meta.dirname, 'soak-server.ts'), [database.connectionString, String(port), at], {
  execArgv: ['--expose-gc'],
})
const [{ accessToken, patients }] = (await once(server, 'message')) as [SoakReady]
const agent = new Agent({ connections: CALLERS })

/** One call, and what it is answered. */
async function call(
  method: 'GET' | 'POST',
  path: string,
  wanted: number,
  sent: { readonly token?: string; readonly from?: string; readonly body?: string } = {},
): Promise<void> {
  const { statusCode, body } = await request(`http://127.0.0.1:${port}${path}`, {
    method,
    dispatcher: agent,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${sent.token ?? accessToken}`,
      'request-id': randomUUID(),
      timestamp: new Date().toISOString(),
      'x-cm-id': 'sbx',
      ...(sent.from === undefined ? {} : { 'x-forwarded-for': sent.from }),
    },
    body: sent.body ?? null,
  })
  const text = await body.text()
  if (statusCode === 503) turnedAway++
  else if (statusCode !== wanted) throw new Error(`${method} ${path}: ${statusCode} ${text}`)
}

/** Three requests about each patient, and then about the next: who works for long meets ever more of them. */
const consent = (turn: number): string =>
  JSON.stringify({
    consent: {
      purpose: {
        code: 'CAREMGT',
        text: 'Care management',
        refUri: 'http://terminology.hl7.org/ValueSet/v3-PurposeOfUse',
      },
      patient: { id: patients[Math.floor(turn / CALLS_OF_A_PATIENT) % patients.length] },
      hiu: { id: HIU },
      requester: {
        name: 'Dr. Meera Nambiar',
        identifier: { type: 'REGNO', value: 'KMC-84213', system: 'https://www.nmc.org.in' },
      },
      hiTypes: ['OPConsultation'],
      permission: {
        accessMode: 'VIEW',
        dateRange: {
          from: new Date(Date.now() - 400 * DAY_MS).toISOString(),
          to: new Date(Date.now() - DAY_MS).toISOString(),
        },
        dataEraseAt: new Date(Date.now() + 30 * DAY_MS).toISOString(),
        frequency: { unit: 'DAY', value: 1, repeats: 1 },
      },
    },
  })

const INIT = '/api/hiecm/consent/v3/request/init'
const SERVICES = '/api/hiecm/gateway/v3/bridge-services'

/** Half of what comes is good; the rest is guessed, malformed, or asks for what is not there, under a name that never came before. */
function turn(number: number): Promise<void> {
  const strange = randomBytes(12).toString('hex')
  switch (number % 10) {
    case 0:
    case 1:
    case 2:
      return call('POST', INIT, 202, { body: consent(number) })
    case 3:
    case 4:
      return call('GET', SERVICES, 200)
    case 5:
      return call('GET', SERVICES, 401, { token: strange, from: `198.51.${number % 250}.${(number >> 8) % 250}` })
    case 6:
      return call('POST', INIT, 400, { body: `{"consent":{"${strange}":1}}` })
    case 7:
      return call('GET', `/v1/${strange}`, 404)
    case 8:
      return call('GET', '/log/vkey', 200)
    default:
      return number % 100 === 9
        ? call('GET', '/metrics', 200, { token: 'x'.repeat(32) })
        : call('GET', '/health/live', 200)
  }
}

async function measure(): Promise<SoakMemory> {
  await pause(SETTLE_MS)
  server.send('measure')
  const [memory] = (await once(server, 'message')) as [SoakMemory]
  return memory
}

const mb = (bytes: number): string => (bytes / MB).toFixed(1)
const startedMs = performance.now()
const marks: (SoakMemory & { readonly calls: number })[] = []
for (let calls = 0; calls < CALLS && performance.now() - startedMs < SOAK_MS_MAX; ) {
  const rate = await load(MARK_EVERY, CALLERS, (number) => turn(calls + number))
  calls += MARK_EVERY
  const memory = await measure()
  marks.push({ calls, ...memory })
  const { heap, external, resident } = memory
  console.log(
    `   after ${calls} calls: heap ${mb(heap)} MB, buffers ${mb(external)} MB, resident ${mb(resident)} MB; ${perSecond(rate)}`,
  )
}
const [first, last] = [marks[0], marks.at(-1)]
if (first !== undefined && last !== undefined && last !== first) {
  const [before, after] = [first.heap + first.external, last.heap + last.external]
  const each = (after - before) / (last.calls - first.calls)
  say(
    'Heap and buffers after the soak',
    after / before,
    `those after ${first.calls} calls`,
    `${mb(before)} → ${mb(after)} MB, ${each.toFixed(0)} bytes a call; resident ${mb(first.resident)} → ${mb(last.resident)} MB`,
  )
  console.log(`   ${heard} callbacks were made, ${turnedAway} calls turned away`)
}

server.disconnect()
await once(server, 'exit')
await agent.close()
await new Promise((resolve) => callbacks.close(resolve))
await database.close()
await stopServer()

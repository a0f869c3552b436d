// What the exchange still takes when twice as many calls come as it can answer, whether it answers or not: the rate of what is taken,
// against the rate that it takes of few callers who wait for it. Run: node bench/overload.ts
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'undici'
import { LIMITS } from '../src/kernel/limits.ts'
import { openTestDatabase } from '../test/database.ts'
import { startBenchExchange } from './exchange.ts'
import { latency, load, ms, perSecond, quantile, say } from './measure.ts'
import { openConnection, startBenchServer } from './server.ts'

const CALLERS = 16
const CALLS = 2_000
const OVERLOAD = 2
const OVERLOAD_MS = 6_000
const TICK_MS = 10

const stopServer = await startBenchServer()
const database = await openTestDatabase()
const connection = await openConnection(database.connectionString)
const exchange = await startBenchExchange(connection, 1)
const agent = new Agent({ connections: LIMITS.callsInFlightMax * 4 })

async function call(): Promise<number> {
  const { statusCode, body } = await request(`${exchange.url}/api/hiecm/gateway/v3/bridge-services`, {
    method: 'GET',
    dispatcher: agent,
    headers: {
      authorization: `Bearer ${exchange.accessToken}`,
      'request-id': randomUUID(),
      timestamp: new Date().toISOString(),
    },
  })
  await body.dump()
  if (statusCode !== 200 && statusCode !== 503) throw new Error(`answered ${statusCode}`)
  return statusCode
}

await load(200, CALLERS, call)
const calm = await load(CALLS, CALLERS, call)

/** Calls come at a rate of their own, as they do from a network. */
async function flood(
  perSecond: number,
): Promise<{ readonly taken: readonly number[]; readonly refused: readonly number[]; readonly seconds: number }> {
  const taken: number[] = []
  const refused: number[] = []
  const open: Promise<void>[] = []
  const startedMs = performance.now()
  const one = async (): Promise<void> => {
    const began = performance.now()
    const list = (await call()) === 200 ? taken : refused
    list.push(performance.now() - began)
  }
  while (performance.now() - startedMs < OVERLOAD_MS) {
    const due = ((performance.now() - startedMs) / 1_000) * perSecond
    while (open.length < due) open.push(one())
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  await Promise.all(open)
  return { taken, refused, seconds: (performance.now() - startedMs) / 1_000 }
}

const { taken, refused, seconds } = await flood(calm.perSecond * OVERLOAD)
const takenPerSecond = taken.length / seconds
say(
  `Calls taken of ${OVERLOAD} times as many`,
  takenPerSecond / calm.perSecond,
  'as many as can be answered',
  `${takenPerSecond.toFixed(0)}/s (p50 ${ms(quantile(taken, 0.5))}), ${refused.length} turned away (p50 ${ms(quantile(refused, 0.5))}); calm ${perSecond(calm)}, ${latency(calm)}`,
)
const after = await load(500, CALLERS, call)
say('Afterwards, p50', after.p50Ms / calm.p50Ms, 'p50 before', `${latency(after)}; before ${latency(calm)}`)

await agent.close()
await exchange.stop()
await connection.close()
await database.close()
await stopServer()

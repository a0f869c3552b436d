import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Pool } from 'undici'
import { LIMITS } from '../../src/kernel/limits.ts'
import { callJson } from '../network.ts'
import { waitFor } from '../wait.ts'
import { faultOfAnswer } from './answer.ts'
import { abdmHeaders, startWorld, type World } from './world.ts'

/** More at once than there are places, for a while; bounded, and to this machine only. */
const AT_ONCE = LIMITS.callsInFlightMax * 2
const FLOOD_MS = 3_000
const PROBES = 40

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

describe('more than a party can answer', () => {
  let world: World
  let pool: Pool

  before(async () => {
    world = await startWorld({
      callsPerSecond: { caller: 100_000, address: 10 },
      trustedProxies: ['127.0.0.1'],
    })
    pool = new Pool(world.exchange.url, { connections: AT_ONCE })
  })
  after(async () => {
    await pool.close()
    await world.network.stop()
  })

  const session = () => ({ authorization: `Bearer ${world.bridge.session}` })
  async function ask(
    path: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ status: number; tookMs: number; fault?: string }> {
    const startedMs = performance.now()
    const { statusCode, headers: answered, body } = await pool.request({ method: 'GET', path, headers })
    const text = await body.text()
    const route = { path, auth: 'bridge', dialect: path.startsWith('/api/') ? 'abdm' : 'native' } as const
    const retries = statusCode === 429 || statusCode === 503
    const fault =
      faultOfAnswer({ status: statusCode, headers: answered, text }, route) ??
      (retries && !/^[1-9]\d*$/.test(String(answered['retry-after'])) ? 'says not when to try again' : undefined)
    return { status: statusCode, tookMs: performance.now() - startedMs, ...(fault === undefined ? {} : { fault }) }
  }
  const services = () => ask('/api/hiecm/gateway/v3/bridge-services', { ...abdmHeaders(), ...session() })
  async function probe(): Promise<number> {
    const took: number[] = []
    for (let n = 0; n < PROBES; n++) took.push((await services()).tookMs)
    return median(took)
  }

  test('is turned away with 503 and Retry-After, what is taken is answered, and afterwards all is as before', async (t) => {
    const calmMs = await probe()
    // Lines are opened first: all are to ask at the same moment.
    const opened = await Promise.all(Array.from({ length: AT_ONCE }, () => ask('/health/live', {})))
    assert.ok(opened.every(({ status }) => status === 200))
    const endMs = performance.now() + FLOOD_MS
    const seen: { status: number; tookMs: number; fault?: string }[] = []
    const alive: number[] = []
    const worker = async (): Promise<void> => {
      while (performance.now() < endMs) seen.push(await services())
    }
    const workers = Promise.all(Array.from({ length: AT_ONCE }, worker))
    while (performance.now() < endMs) {
      const [live, log, operator] = await Promise.all([
        callJson(`${world.exchange.url}/health/live`, {}),
        callJson(`${world.exchange.url}/log/checkpoint`, {}),
        callJson(`${world.exchange.url}/v1/jobs`, { ...world.exchange.proofs.operator }),
      ])
      alive.push(live.status, log.status === 404 ? 200 : log.status, operator.status)
    }
    await workers
    const count = (status: number): number => seen.filter((one) => one.status === status).length
    t.diagnostic(
      `${count(200)} answered, ${count(503)} turned away; half of the answered within ${Math.round(median(seen.filter(({ status }) => status === 200).map(({ tookMs }) => tookMs)))} ms`,
    )
    assert.deepEqual(
      seen.flatMap(({ fault }) => fault ?? []),
      [],
    )
    assert.deepEqual(
      [...new Set(seen.map(({ status }) => status))].filter((status) => status !== 200 && status !== 503),
      [],
    )
    assert.ok(count(200) > 20 && count(503) > 100, `${count(200)} and ${count(503)}`)
    assert.deepEqual([...new Set(alive)], [200], 'health, the log and operators are answered meanwhile')
    const enoughMs = Math.max(calmMs * 3, 50)
    await waitFor(`half of the answers within ${enoughMs.toFixed(1)} ms again`, async () => (await probe()) < enoughMs)
  })

  test('jobs go on meanwhile: what was taken is sent', async () => {
    const { db } = world.network.exchange.running.machine
    const running = Array.from({ length: 300 }, () => services())
    const { status } = await callJson(`${world.exchange.url}/v1/jobs`, { ...world.exchange.proofs.operator })
    await Promise.all(running)
    assert.equal(status, 200)
    const due = new Date()
    const stuck = db
      .selectFrom('job')
      .select('id')
      .where('status', '=', 'waiting')
      .where('attempts', '=', 0)
      .where('run_at', '<', due)
    await waitFor('every job that was due to be tried', async () => (await stuck.execute()).length === 0)
  })

  test('an address that guesses tokens is slowed down with 429, in ABDM’s form too; the honest go on from there', async () => {
    const guess = (path: string, n: number) =>
      ask(path, {
        ...abdmHeaders(),
        authorization: `Bearer guess-${path.length}-${n}`,
        'x-forwarded-for': `198.51.100.${path.length}`,
      })
    for (const path of ['/api/hiecm/gateway/v3/bridge-services', '/v1/me']) {
      const guesses: Awaited<ReturnType<typeof ask>>[] = []
      for (let n = 0; n < 400; n += 50)
        guesses.push(...(await Promise.all(Array.from({ length: 50 }, (_, i) => guess(path, n + i)))))
      assert.deepEqual(
        [...new Set(guesses.map(({ status }) => status))].sort((a, b) => a - b),
        [401, 429],
        path,
      )
      assert.deepEqual(
        guesses.flatMap(({ fault }) => fault ?? []),
        [],
      )
    }
    assert.equal((await services()).status, 200)
  })
})

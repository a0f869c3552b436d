import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { Registry } from 'prom-client'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { waitFor } from '../../test/wait.ts'
import { abdmRules } from '../abdm/rules.ts'
import { record } from '../audit/record.ts'
import { type Machine, transact } from '../db/tx.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { refuse } from '../kernel/refusal.ts'
import { liveRoute } from './live.ts'
import { makeServer, nativeRules } from './server.ts'

const ASHA = 'asha.rao@sbx' as AbhaAddress
const RAVI = 'ravi.kumar@sbx' as AbhaAddress
let database: TestDatabase
let machine: Machine
let app: FastifyInstance
let url: string
const sessions = new Set<string>([ASHA, RAVI])

async function startServer(): Promise<FastifyInstance> {
  const nobody = async () => ({ kind: 'anonymous' }) as const
  const server = makeServer({
    machine,
    log: pino({ level: 'silent' }),
    metrics: new Registry(),
    routes: [
      liveRoute({
        path: '/v1/me/live',
        summary: 'test',
        auth: 'patient',
        topicOf: (caller) => (caller.kind === 'patient' ? `patient:${caller.patient}` : refuse('auth/forbidden')),
      }),
    ],
    dialects: { native: nativeRules, abdm: abdmRules({ cmId: 'sbx' }) },
    authenticate: {
      none: nobody,
      bridge: nobody,
      patient: async (_tx, headers) => {
        const patient = headers['x-auth-token'] ?? ''
        return sessions.has(patient)
          ? ({ kind: 'patient', patient: patient as AbhaAddress } as const)
          : refuse('auth/invalid-patient-token')
      },
      exchange: nobody,
      operator: nobody,
      staff: nobody,
      console: nobody,
      partner: nobody,
    },
    mayDo: () => false,
    ready: async () => [],
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  return server
}

describe('http/live', () => {
  before(async () => {
    database = await openTestDatabase()
    machine = makeTestMachine(database)
    app = await startServer()
    url = addressOf(app)
  })
  after(async () => {
    await app.close()
    await database.close()
  })

  function addressOf(server: FastifyInstance): string {
    const address = server.server.address()
    assert.ok(typeof address === 'object' && address !== null)
    return `http://127.0.0.1:${address.port}/v1/me/live`
  }

  /** Reads a stream as it comes; `ended` when the server closed it. */
  async function listen(patient: string, at = url) {
    const abort = new AbortController()
    const answer = await fetch(at, { headers: { 'X-AUTH-TOKEN': patient }, signal: abort.signal })
    const seen = { text: '', ended: false }
    const body = answer.body
    const reading = (async () => {
      try {
        for await (const chunk of body ?? []) seen.text += new TextDecoder().decode(chunk as Uint8Array)
      } catch (error) {
        if (!abort.signal.aborted) seen.text += `FAULT ${String(error)}`
      }
      seen.ended = true
    })()
    return { answer, seen, leave: async () => (abort.abort(), reading) }
  }

  const happen = (type: string, patient: AbhaAddress, fail = false) =>
    transact(machine, async (tx) => {
      await record(tx, { type, actor: { kind: 'patient', id: patient }, patient })
      if (fail) throw new Error('rolled back')
    })

  test('a recorded event is told after the commit to the patient whom it is about, without content', async () => {
    const asha = await listen(ASHA)
    const ravi = await listen(RAVI)
    assert.equal(asha.answer.headers.get('content-type'), 'text/event-stream')
    assert.equal(asha.answer.headers.get('cache-control'), 'no-store')
    await assert.rejects(happen('consent.revoked', ASHA, true))
    await happen('consent.granted', ASHA)
    await waitFor('the stream', () => /event: changed\n.*\n\n/.test(asha.seen.text))
    assert.match(asha.seen.text, /event: changed\ndata: \{"types":\["consent.granted"\]\}\n\n/)
    assert.doesNotMatch(asha.seen.text, /asha|revoked/)
    await happen('consent.denied', RAVI)
    await waitFor('the stream', () => ravi.seen.text.includes('consent.denied'))
    assert.doesNotMatch(ravi.seen.text, /granted/)
    assert.doesNotMatch(asha.seen.text, /denied/)
    await Promise.all([asha.leave(), ravi.leave()])
  })

  test('many changes at once are one message', async () => {
    const asha = await listen(ASHA)
    for (let i = 0; i < 20; i++) machine.changes.publish({ type: `t${i % 2}`, patient: ASHA })
    await waitFor('the stream', () => /event: changed\n.*\n\n/.test(asha.seen.text))
    assert.equal(asha.seen.text.match(/event: changed/g)?.length, 1)
    assert.match(asha.seen.text, /\["t0","t1"\]/)
    await asha.leave()
  })

  test('who may not read is told so in words, and has no stream', async () => {
    const stranger = await fetch(url, { headers: { 'X-AUTH-TOKEN': 'nobody@sbx' } })
    assert.equal(stranger.status, 401)
    assert.match(stranger.headers.get('content-type') ?? '', /problem\+json/)
  })

  test('one person has so many connections and no more; leaving makes room', async () => {
    const open = []
    for (let i = 0; i < LIMITS.liveStreamsPerCallerMax; i++) open.push(await listen(RAVI))
    assert.equal((await fetch(url, { headers: { 'X-AUTH-TOKEN': RAVI } })).status, 429)
    const other = await listen(ASHA)
    assert.equal(other.answer.status, 200)
    await open[0]?.leave()
    await waitFor('room for one more', async () => {
      const again = await listen(RAVI)
      open.push(again)
      return again.answer.status === 200
    })
    await Promise.all([other, ...open].map(({ leave }) => leave()))
  })

  test('a session that has ended hears nothing more: the stream ends', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const asha = await listen(ASHA)
    t.mock.timers.tick(LIMITS.liveBeatMs)
    await waitFor('the stream', () => asha.seen.text.includes(': still here'))
    sessions.delete(ASHA)
    t.mock.timers.tick(LIMITS.liveBeatMs)
    await waitFor('the stream', () => asha.seen.ended)
    sessions.add(ASHA)
    assert.doesNotMatch(asha.seen.text, /FAULT/)
  })

  test('closing the server ends the streams at once, as an end and not as a fault', async () => {
    const server = await startServer()
    const readers = await Promise.all([ASHA, RAVI].map((patient) => listen(patient, addressOf(server))))
    await server.close()
    await waitFor('the stream', () => readers.every(({ seen }) => seen.ended))
    for (const { seen } of readers) assert.doesNotMatch(seen.text, /FAULT/)
  })
})

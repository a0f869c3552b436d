import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { Registry } from 'prom-client'
import { z } from 'zod'
import { openTestDatabase, type TestDatabase } from '../../test/database.ts'
import { makeTestMachine } from '../../test/machine.ts'
import { abdmRules } from '../abdm/rules.ts'
import { KeysAway } from '../crypto/envelope.ts'
import { refuse } from '../kernel/refusal.ts'
import { mayDo } from '../people/rules.ts'
import { readMessages, redact } from './message-log.ts'
import { type Route, route } from './route.ts'
import { makeServer, nativeRules } from './server.ts'

let database: TestDatabase
let app: FastifyInstance
let effects = 0

const echo = z.object({ name: z.string().max(10), note: z.string().optional() })
const native = { dialect: 'native', auth: 'none', answers: {}, summary: 'test' } as const
const routes: readonly Route[] = [
  route({
    ...native,
    method: 'POST',
    path: '/v1/echo',
    once: true,
    body: echo,
    handle: async ({ body }) => ({ status: 201, body: { ...body, effect: ++effects } }),
  }),
  route({
    ...native,
    method: 'GET',
    path: '/v1/broken',
    once: false,
    handle: async () => Promise.reject(new Error('secret inside: 42')),
  }),
  route({
    ...native,
    method: 'GET',
    path: '/v1/crossed',
    once: false,
    handle: async () => Promise.reject(Object.assign(new Error('deadlock detected'), { code: '40P01' })),
  }),
  ...(['native', 'abdm'] as const).map((dialect) =>
    route({
      ...native,
      dialect,
      method: 'GET',
      path: dialect === 'abdm' ? '/api/hiecm/gateway/v3/sealed' : '/v1/sealed',
      once: false,
      handle: async () => Promise.reject(new KeysAway('the Vault answered 503: Vault is sealed')),
    }),
  ),
  route({
    ...native,
    method: 'GET',
    path: '/v1/items/:id',
    once: false,
    query: z.object({ of: z.unknown() }),
    handle: async () => ({ status: 200 }),
  }),
  route({ ...native, method: 'GET', path: '/v1/hidden', once: false, handle: async () => refuse('request/not-found') }),
  route({
    ...native,
    dialect: 'abdm',
    auth: 'bridge',
    method: 'POST',
    path: '/api/hiecm/consent/v3/request/hiu/on-notify',
    once: true,
    body: echo,
    handle: async () => ({ status: 202, body: undefined, effect: ++effects }),
  }),
  route({
    ...native,
    dialect: 'abdm',
    method: 'POST',
    path: '/api/v3/hiu/data/:token',
    once: false,
    secretPath: true,
    body: z.object({ dataPushUrl: z.string() }),
    handle: async () => ({ status: 202 }),
  }),
]

describe('http/server', () => {
  before(async () => {
    database = await openTestDatabase()
    const machine = makeTestMachine(database)
    const bridge = async (_tx: unknown, headers: Readonly<Record<string, string | undefined>>) =>
      headers['authorization'] === 'Bearer good'
        ? ({ kind: 'bridge', clientId: 'c1', facilities: [] } as const)
        : refuse('auth/invalid-token')
    const nobody = async () => ({ kind: 'anonymous' }) as const
    app = makeServer({
      machine,
      log: pino({ level: 'silent' }),
      metrics: new Registry(),
      routes,
      dialects: { native: nativeRules, abdm: abdmRules({ cmId: 'sbx' }) },
      authenticate: {
        none: nobody,
        bridge,
        patient: nobody,
        exchange: nobody,
        operator: nobody,
        staff: nobody,
        console: nobody,
        partner: nobody,
      },
      mayDo,
      ready: async () => [],
      isOperator: ({ authorization }) => authorization === 'Bearer operator',
    })
  })
  after(async () => {
    await app.close()
    await database.close()
  })

  const post = (payload: string | Buffer, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/v1/echo',
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    })

  test('bad bodies are refused at the door, each with its code, field and rule, without repeating the value', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    const cases: readonly [string | Buffer, number, string][] = [
      ['{"name": "as', 400, 'request/invalid-json'],
      [Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 400, 'request/invalid-utf8'],
      [deep, 400, 'request/too-deep'],
      [JSON.stringify({ name: 'x'.repeat(2_000_000) }), 413, 'request/too-large'],
      ['{"name": 7}', 400, 'request/invalid-field'],
      ['[]', 400, 'request/invalid-field'],
      ['', 400, 'request/invalid-field'],
    ]
    for (const [payload, status, code] of cases) {
      const answer = await post(payload)
      assert.equal(answer.statusCode, status, `${code}: ${answer.body}`)
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.equal(answer.json().type, `urn:amanat:problem:${code}`)
      assert.ok(answer.json().trace)
    }
    const long = await post(JSON.stringify({ name: 'Asha Rao of Pune' }))
    assert.equal(long.json().field, 'name')
    assert.ok(!long.body.includes('Asha'))
    const json = await post('{"name": "Asha", nonsense}')
    assert.ok(!json.body.includes('Asha') && !json.body.includes('nonsense'))
  })

  test('another content type is refused by name', async () => {
    const answer = await post('name=x', { 'content-type': 'application/x-www-form-urlencoded' })
    assert.equal(answer.statusCode, 415)
  })

  test('a repeated Idempotency-Key has its effect once; with another body it is refused', async () => {
    const key = { 'idempotency-key': 'k1' }
    const before = effects
    const [first, second] = await Promise.all([post('{"name":"a"}', key), post('{"name":"a"}', key)])
    assert.equal(first.statusCode, 201)
    assert.equal(second.statusCode, 201)
    assert.deepEqual(first.json(), second.json())
    assert.equal(effects, before + 1)
    const other = await post('{"name":"b"}', key)
    assert.equal(other.statusCode, 409)
    assert.equal(other.json().type, 'urn:amanat:problem:request/reused-id')
  })

  test('without the key service a call is answered 503, to be tried again, without the words of the service', async () => {
    const answer = await app.inject({ method: 'GET', url: '/v1/sealed' })
    assert.equal(answer.statusCode, 503)
    assert.equal(answer.json().type, 'urn:amanat:problem:machine/keys-unavailable')
    assert.equal(answer.headers['retry-after'], '5')
    assert.doesNotMatch(answer.body, /Vault/)
    const headers = {
      'request-id': '11111111-1111-4111-8111-111111111111',
      timestamp: '2026-11-22T06:30:00.000Z',
      'x-cm-id': 'sbx',
    }
    const abdm = await app.inject({ method: 'GET', url: '/api/hiecm/gateway/v3/sealed', headers })
    assert.deepEqual([abdm.statusCode, abdm.json().error.code], [503, 'ABDM-1024'])
    assert.doesNotMatch(abdm.body, /Vault/)
  })

  test('a database that has no room is a 503 after which the same is asked again', async () => {
    const answer = await app.inject({ method: 'GET', url: '/v1/crossed' })
    assert.deepEqual(
      [answer.statusCode, answer.json().type, answer.headers['retry-after']],
      [503, 'urn:amanat:problem:machine/overloaded', '2'],
    )
    assert.doesNotMatch(answer.body, /deadlock/)
  })

  test('a fault of ours is an opaque 500 with a trace', async () => {
    const answer = await app.inject({ method: 'GET', url: '/v1/broken' })
    assert.equal(answer.statusCode, 500)
    // Not the number alone: by chance the trace has it, too.
    assert.doesNotMatch(answer.body, /secret|: 42/)
    assert.ok(answer.json().trace)
  })

  test('what may not be known and what does not exist look the same', async () => {
    const hidden = await app.inject({ method: 'GET', url: '/v1/hidden' })
    const absent = await app.inject({ method: 'GET', url: '/v1/absent' })
    assert.equal(hidden.statusCode, 404)
    const { trace: _one, ...first } = hidden.json()
    const { trace: _two, ...second } = absent.json()
    assert.deepEqual(first, second)
  })

  const abdm = (headers: Record<string, string>, payload = '{"name":"x","clientSecret":"s3cret"}') =>
    app.inject({
      method: 'POST',
      url: '/api/hiecm/consent/v3/request/hiu/on-notify',
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    })
  const standard = {
    authorization: 'Bearer good',
    'request-id': 'a3b8f3d1-0000-4000-8000-000000000001',
    timestamp: '2026-11-22T06:30:00.000Z',
    'x-cm-id': 'SBX',
  }

  test('ABDM headers are checked, and errors have ABDM codes in ABDM shapes', async () => {
    assert.equal((await abdm(standard)).statusCode, 202)
    assert.equal((await abdm(standard)).body, '')
    const bad: readonly [Record<string, string>, number, string][] = [
      [{ authorization: 'Bearer bad' }, 401, '900901'],
      [{ 'request-id': 'not-a-uuid' }, 400, 'ABDM-2404'],
      [{ timestamp: 'yesterday' }, 400, 'ABDM-2402'],
      [{ timestamp: '2026-11-21T06:30:00.000Z' }, 400, 'ABDM-2402'],
      [{ 'x-cm-id': 'other' }, 400, 'ABDM-2403'],
    ]
    for (const [change, status, code] of bad) {
      const answer = await abdm({ ...standard, ...change })
      assert.equal(answer.statusCode, status)
      assert.ok(answer.body.includes(code), answer.body)
    }
    const form = await abdm({ ...standard, 'request-id': 'a3b8f3d1-0000-4000-8000-000000000002' }, '{"name":5}')
    assert.ok(Array.isArray(form.json()), 'a 400 of on-notify is a top-level array')
    assert.equal(form.json()[0].error.code, 'ABDM-1006')
  })

  test('ABDM messages stand in the delivery log, without secrets and without unknown fields', async () => {
    await abdm({ ...standard, 'request-id': 'a3b8f3d1-0000-4000-8000-000000000003' })
    const messages = await readMessages(database.db, undefined, 100)
    const mine = messages.find((message) => message.requestId === 'a3b8f3d1-0000-4000-8000-000000000003')
    assert.equal(mine?.peer, 'c1')
    assert.deepEqual(mine?.body, { name: 'x' })
    assert.ok(!JSON.stringify(messages).includes('s3cret'))
  })

  test('an address that lets in who knows it stands in the delivery log without its secret', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/v3/hiu/data/a7SECRETPART?again=SECRETPART',
      payload: { dataPushUrl: 'https://clinic.example.org/in/b8SECRETPART?x=SECRETPART' },
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(answer.statusCode, 202)
    const messages = await readMessages(database.db, undefined, 100)
    const mine = messages.find(({ path }) => path.startsWith('/api/v3/hiu/data/'))
    assert.equal(mine?.path, '/api/v3/hiu/data/(12 characters, not kept)')
    assert.deepEqual(mine?.body, { dataPushUrl: 'https://clinic.example.org/in/(12 characters, not kept)' })
    assert.ok(!JSON.stringify(messages).includes('SECRETPART'))
  })

  test('health answers everybody, with one word; metrics answer operators only', async () => {
    assert.equal((await app.inject('/health/live')).json().status, 'live')
    assert.equal((await app.inject('/health/ready')).json().status, 'ready')
    const open = await app.inject('/metrics')
    assert.deepEqual([open.statusCode, open.json().type], [401, 'urn:amanat:problem:auth/missing-token'])
    const seen = await app.inject({ url: '/metrics', headers: { authorization: 'Bearer operator' } })
    assert.match(seen.body, /amanat_http_seconds_bucket/)
    assert.match(String(seen.headers['content-type']), /^text\/plain/)
  })

  test('text that PostgreSQL cannot hold is refused at the door, in body, path and query', async () => {
    for (const name of ['a\u0000b', '\ud800', 'x\udc00'])
      for (const body of [{ name }, { name: 'a', extra: [{ [name]: 1 }] }]) {
        const answer = await post(JSON.stringify(body))
        assert.equal(answer.statusCode, 400, answer.body)
        assert.equal(answer.json().type, 'urn:amanat:problem:request/invalid-field')
      }
    const pair = await post('{"name": "\\ud83d\\ude00 \\\\u0000"}')
    assert.equal(pair.statusCode, 201, pair.body)
    for (const url of ['/v1/items/a%00b', '/v1/items/a?of=%00', '/v1/items/a?of=b&of=%00']) {
      const answer = await app.inject({ method: 'GET', url })
      assert.equal(answer.statusCode, 400, answer.body)
    }
  })

  test('an Idempotency-Key longer than an index can hold is refused', async () => {
    const answer = await post('{"name":"a"}', { 'idempotency-key': randomBytes(3_000).toString('base64url') })
    assert.equal(answer.statusCode, 400)
    assert.equal(answer.json().field, 'Idempotency-Key')
  })

  test('a long text cut inside a surrogate pair still goes into the delivery log', async () => {
    const answer = await app.inject({
      method: 'POST',
      url: '/api/hiecm/consent/v3/request/hiu/on-notify',
      headers: {
        authorization: 'Bearer good',
        'request-id': randomUUID(),
        timestamp: '2026-11-22T06:30:00.000Z',
        'content-type': 'application/json',
      },
      payload: JSON.stringify({ name: 'a\\u0000', note: `${'x'.repeat(199)}😀${'y'.repeat(50)}` }),
    })
    assert.equal(answer.statusCode, 202, answer.body)
  })

  test('the delivery log does not say who a person is, but of which facility a message is', () => {
    const person = { id: 'asha.rao@sbx', name: 'Asha Rao', gender: 'F', yearOfBirth: 1981, mobile: '9000000001' }
    const ids = [{ type: 'ABHA_NUMBER', value: '91000000000001' }]
    const kept = JSON.stringify(
      redact({ patient: { ...person, verifiedIdentifiers: ids }, hip: { id: 'X1', name: 'City' } }),
    )
    assert.doesNotMatch(kept, /Asha Rao|1981|9000000001|91000000000001/)
    assert.match(kept, /asha\.rao@sbx/)
    assert.match(kept, /City/)
  })
})

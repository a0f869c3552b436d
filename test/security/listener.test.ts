import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { Registry } from 'prom-client'
import { abdmRules } from '../../src/abdm/rules.ts'
import { makeServer, nativeRules } from '../../src/http/server.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { mayDo } from '../../src/people/rules.ts'
import { openTestDatabase, type TestDatabase } from '../database.ts'
import { makeTestMachine } from '../machine.ts'
import { echoRoute, nobody } from './echo.ts'
import { sendRaw, statusesOf } from './raw.ts'

describe('what arrives at the listener itself', () => {
  let database: TestDatabase
  let app: FastifyInstance
  let url: string
  const effects: string[] = []

  before(async () => {
    database = await openTestDatabase()
    app = makeServer({
      machine: makeTestMachine(database),
      log: pino({ level: 'silent' }),
      metrics: new Registry(),
      routes: [echoRoute(effects)],
      dialects: { native: nativeRules, abdm: abdmRules({}) },
      authenticate: nobody,
      stepUp: { find: async () => undefined, spend: async () => undefined },
      mayDo,
      isSecure: true,
      web: [{ path: '/me', name: 'patient' }],
      ready: async () => [],
    })
    assert.deepEqual(
      [app.server.headersTimeout, app.server.requestTimeout],
      [LIMITS.headersMsMax, LIMITS.requestMsMax],
      'slow callers have their end',
    )
    await app.listen({ port: 0, host: '127.0.0.1' })
    url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  })
  after(async () => {
    await app.close()
    await database.close()
  })

  const post = (headers: string, body: string): string =>
    `POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`
  const BODY = '{"name":"ok"}'
  const HIDDEN = `POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{"name":"hidden"}`

  test('no request is smuggled behind another one', async () => {
    const ways: Readonly<Record<string, string>> = {
      'length and chunks': post(`Content-Length: 6\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${HIDDEN}`),
      'two lengths': post(`Content-Length: ${BODY.length}\r\nContent-Length: 3`, BODY + HIDDEN),
      'a list of lengths': post(`Content-Length: ${BODY.length}, ${BODY.length}`, BODY + HIDDEN),
      'a signed length': post(`Content-Length: +${BODY.length}`, BODY + HIDDEN),
      'an unknown encoding': post('Transfer-Encoding: cow', `0\r\n\r\n${HIDDEN}`),
      'chunked twice': post('Transfer-Encoding: chunked, chunked', `0\r\n\r\n${HIDDEN}`),
      'an encoding after a tab': post('Transfer-Encoding:\tchunked\r\nContent-Length: 5', `0\r\n\r\n${HIDDEN}`),
      'a blank before the colon': post('Transfer-Encoding : chunked', `0\r\n\r\n${HIDDEN}`),
      'a folded line': post('X-A: b\r\n Transfer-Encoding: chunked', BODY + HIDDEN),
      'a bare line feed': `POST /v1/echo HTTP/1.1\nHost: x\nContent-Length: 5\n\n${HIDDEN}`,
      'junk for a chunk size': post('Transfer-Encoding: chunked', `zz\r\n${BODY}\r\n0\r\n\r\n${HIDDEN}`),
      'a huge chunk size': post('Transfer-Encoding: chunked', `fffffffffffffffff\r\n${BODY}\r\n0\r\n\r\n${HIDDEN}`),
      'a chunk longer than it says': post('Transfer-Encoding: chunked', `3\r\n${BODY}\r\n0\r\n\r\n${HIDDEN}`),
    }
    for (const [name, bytes] of Object.entries(ways)) {
      effects.length = 0
      const text = await sendRaw(url, [bytes])
      assert.ok(!effects.includes('hidden'), `${name}: ${text.slice(0, 300)}`)
      for (const status of statusesOf(text)) assert.ok(status >= 400, `${name}: ${status}`)
    }
    effects.length = 0
    assert.deepEqual(
      statusesOf(await sendRaw(url, [post(`Content-Length: ${BODY.length}`, BODY) + HIDDEN])),
      [201, 201],
    )
    assert.deepEqual(effects, ['ok', 'hidden'], 'two honest requests on one line are two')
  })

  test('what is not HTTP, or too much of it, is answered as a problem and the line is closed', async () => {
    const ways: Readonly<Record<string, readonly [string, number]>> = {
      rubbish: ['\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n', 400],
      'too many headers': [`GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
      'a method nobody knows': ['HACK / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
      'NUL in a header': ['GET /health/live HTTP/1.1\r\nHost: x\r\nX-A: a\u0000b\r\n\r\n', 400],
      'no host': ['GET /health/live HTTP/1.1\r\n\r\n', 400],
    }
    for (const [name, [bytes, wanted]] of Object.entries(ways)) {
      const text = await sendRaw(url, [bytes])
      assert.deepEqual(statusesOf(text), [wanted], `${name}: ${text.slice(0, 200)}`)
      if (name !== 'no host') assert.match(text, /content-type: application\/problem\+json/, name)
    }
  })

  test('methods and addresses that no route has: a problem, and nothing of them comes back', async () => {
    for (const [line, wanted] of [
      ['TRACE /v1/echo', 404],
      ['HEAD /health/live', 404],
      ['OPTIONS /v1/echo', 404],
      ['GET /v1/%zz<script>', 400],
      ['GET /v1/items/%c3%28', 400],
      ['GET http://evil.example/health/live', 200],
      ['GET //evil.example/', 404],
    ] as const) {
      const text = await sendRaw(url, [`${line} HTTP/1.1\r\nHost: x\r\nX-Secret: s3cret\r\nConnection: close\r\n\r\n`])
      assert.equal(statusesOf(text)[0], wanted, `${line}: ${text.slice(0, 300)}`)
      assert.doesNotMatch(text, /s3cret|<script>|evil\.example/, line)
      if (wanted !== 200 && !line.startsWith('HEAD')) assert.match(text, /urn:amanat:problem:/, line)
    }
  })

  test('no file outside the built apps is served', async () => {
    for (const path of [
      '/web/../package.json',
      '/web/..%2f..%2fpackage.json',
      '/web/%2e%2e/%2e%2e/package.json',
      '/web/assets/..%2f..%2f..%2fpackage.json',
      '/web//etc/passwd',
      '/web/%2fetc%2fpasswd',
      '/web/..%5c..%5cpackage.json',
      '/web/patient/index.html%00.js',
      '/web/%252e%252e/package.json',
      '/me/..%2f..%2fpackage.json',
      '/web/',
      '/web/assets',
      '/web/.git/config',
    ]) {
      const text = await sendRaw(url, [`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`])
      assert.doesNotMatch(text, /"amanat"|root:|\[core\]|Index of/, path)
      const isApp = path.startsWith('/me/')
      assert.equal(statusesOf(text)[0], isApp ? 200 : 404, `${path}: ${text.slice(0, 120)}`)
    }
  })

  test('every answer tells browsers what to keep to', async () => {
    for (const path of ['/health/live', '/v1/nothing', '/me', '/web/nothing']) {
      const { headers } = await app.inject(path)
      assert.match(String(headers['strict-transport-security']), /max-age=63072000; includeSubDomains/, path)
      assert.equal(headers['x-content-type-options'], 'nosniff', path)
      assert.match(
        String(headers['content-security-policy']),
        /object-src 'none'.*base-uri 'none'.*frame-ancestors 'none'/,
      )
      assert.equal(headers['referrer-policy'], 'no-referrer', path)
      assert.equal(headers['server'], undefined)
      assert.equal(headers['x-powered-by'], undefined)
      assert.equal(headers['access-control-allow-origin'], undefined)
    }
  })

  test('a compressed body is refused before it is read, whatever is inside', async () => {
    for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip']) {
      const answer = await app.inject({
        method: 'POST',
        url: '/v1/echo',
        headers: { 'content-type': 'application/json', 'content-encoding': encoding },
        payload: BODY,
      })
      assert.deepEqual([answer.statusCode, answer.json().field], [415, 'Content-Encoding'], encoding)
    }
  })

  test('callers that send slowly are cut off, others are served meanwhile', async () => {
    app.server.headersTimeout = 400
    app.server.requestTimeout = 800
    const drip = Array.from({ length: 40 }, (_, i) => `X-${i}: a\r\n`)
    const slow = [
      sendRaw(url, ['GET /health/live HTTP/1.1\r\nHost: x\r\n', ...drip], { betweenMs: 100, quietMs: 4_000 }),
      sendRaw(url, [post('Content-Length: 1000', '{"name":"'), ...drip], { betweenMs: 100, quietMs: 4_000 }),
    ]
    assert.equal((await app.inject('/health/live')).statusCode, 200)
    for (const text of await Promise.all(slow)) {
      assert.deepEqual(statusesOf(text), [408], text.slice(0, 200))
      assert.match(text, /connection: close/)
    }
    app.server.headersTimeout = LIMITS.headersMsMax
    app.server.requestTimeout = LIMITS.requestMsMax
  })
})

import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { call, Problem } from '../web/ui/api.ts'

const busy = (): Response =>
  new Response(JSON.stringify({ type: 'urn:amanat:problem:machine/overloaded', detail: 'Too much to do.' }), {
    status: 503,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '0.01' },
  })
const done = (): Response => new Response('{"done":true}', { status: 201 })

/** The server answers with these one after the other; tells the keys of the acts that it was sent. */
function serve(t: TestContext, answers: readonly (() => Response)[]): readonly (string | null)[] {
  const keys: (string | null)[] = []
  const answer = (_path: unknown, init: RequestInit) => {
    keys.push(new Headers(init.headers).get('idempotency-key'))
    const next = answers[keys.length - 1]
    assert.ok(next, 'asked once more than there are answers')
    return Promise.resolve(next())
  }
  t.mock.method(globalThis, 'fetch', answer)
  return keys
}

describe('calls of the web apps', () => {
  test('an act that a busy server turned away is sent again, under the same key', async (t) => {
    const keys = serve(t, [busy, busy, done])
    assert.deepEqual(await call('/v1/consents', { body: {} }), { done: true })
    assert.equal(keys.length, 3)
    assert.equal(new Set(keys).size, 1)
    assert.notEqual(keys[0], null)
  })

  test('a server that stays busy is told, as is every other refusal at once', async (t) => {
    const keys = serve(t, [busy, busy, busy, busy])
    await assert.rejects(call('/v1/consents', { method: 'DELETE' }), { code: 'machine/overloaded', status: 503 })
    assert.equal(keys.length, 4)
    const refused = (): Response => new Response('{"type":"urn:amanat:problem:machine/no-room"}', { status: 503 })
    t.mock.restoreAll()
    assert.equal(serve(t, [refused]).length, 0)
    await assert.rejects(
      call('/v1/consents', { body: {} }),
      (error) => error instanceof Problem && error.status === 503,
    )
  })

  test('what only reads is asked again by who shows it', async (t) => {
    const keys = serve(t, [busy])
    await assert.rejects(call('/v1/me'), { code: 'machine/overloaded' })
    assert.deepEqual(keys, [null])
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefusal, must, refuse } from './refusal.ts'

test('a refusal carries its registered words unless better ones are given', () => {
  assert.equal(refuse('request/not-found').detail, 'There is nothing here.')
  const named = refuse('request/invalid-field', 'must be a date', 'from')
  assert.deepEqual({ ...named }, { code: 'request/invalid-field', detail: 'must be a date', field: 'from' })
})

test('what a peer sends is not taken for a refusal of ours, however it is spelt', () => {
  assert.ok(isRefusal(refuse('auth/forbidden')))
  for (const code of ['constructor', 'toString', '__proto__', 'ABDM-1006', 1006, null, ['auth/forbidden'], {}])
    assert.ok(!isRefusal({ code, detail: 'x' }), JSON.stringify(code))
  for (const value of [undefined, null, 'auth/forbidden', {}, { code: 'auth/forbidden' }]) assert.ok(!isRefusal(value))
})

test('a refusal where none can be is a fault that says which', () => {
  assert.equal(must(7), 7)
  assert.throws(() => must(refuse('auth/forbidden')), /auth\/forbidden/)
})

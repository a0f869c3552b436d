import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { covers, isScope, parseScopes } from './scope.ts'

test('scopes have one form; rights stand in their order', () => {
  for (const good of ['system/Consent.rs', 'system/*.rs', 'system/AuditEvent.c', 'system/Consent.cruds'])
    assert.equal(isScope(good), true, good)
  const bad = [
    '',
    'system/Consent.',
    'system/Consent.sr',
    'user/Consent.rs',
    'system/consent.r',
    'system/*.*',
    'system/*.read',
  ]
  for (const one of bad) assert.equal(isScope(one), false, one)
  assert.deepEqual(parseScopes('system/Consent.rs  system/Consent.rs'), ['system/Consent.rs'])
  assert.equal(parseScopes('system/Consent.rs openid'), undefined)
  assert.equal(parseScopes(''), undefined)
})

test('what is held covers its own rights and no others', () => {
  assert.equal(covers(['system/*.rs'], 'system/Consent.r'), true)
  assert.equal(covers(['system/Consent.r', 'system/*.s'], 'system/Consent.rs'), true)
  assert.equal(covers(['system/Consent.rs'], 'system/AuditEvent.rs'), false)
  assert.equal(covers(['system/Consent.rs'], 'system/*.rs'), false)
  assert.equal(covers(['system/*.rs'], 'nonsense'), false)
})

test('law: fewer scopes never open more', () => {
  const scope = fc
    .tuple(fc.constantFrom('*', 'Consent', 'AuditEvent'), fc.subarray(['c', 'r', 'u', 'd', 's'], { minLength: 1 }))
    .map(([type, rights]) => `system/${type}.${rights.join('')}`)
  fc.assert(
    fc.property(fc.array(scope, { maxLength: 5 }), scope, scope, (held, more, wanted) => {
      if (covers(held, wanted)) assert.equal(covers([...held, more], wanted), true)
    }),
  )
})

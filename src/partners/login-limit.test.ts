import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '../kernel/limits.ts'
import { makeLoginLimit } from './login-limit.ts'

const NOW = new Date('2026-11-22T06:30:00.000Z')
const LATER = new Date('2026-11-22T06:31:00.000Z')
const guess = (n: number, clientId = 'SBX_1') => ({ clientId, secret: `guess ${n}` })

test('so many wrong secrets a minute for one client, then 429; other clients go on', () => {
  const limit = makeLoginLimit()
  for (let n = 0; n < LIMITS.loginsFailedPerClientMinuteMax; n++) assert.equal(limit.begin(guess(n), NOW), undefined)
  assert.equal(limit.begin(guess(99), NOW)?.code, 'request/too-many')
  assert.equal(limit.begin(guess(1, 'SBX_2'), NOW), undefined)
  assert.equal(limit.begin(guess(99), LATER), undefined)
})

test('a client that logged in before cannot be locked out by guesses of others', () => {
  const limit = makeLoginLimit()
  const right = { clientId: 'SBX_1', secret: 'right' }
  assert.equal(limit.begin(right, NOW), undefined)
  limit.succeed(right)
  for (let n = 0; n <= LIMITS.loginsFailedPerClientMinuteMax; n++) limit.begin(guess(n), NOW)
  assert.equal(limit.begin(guess(99), NOW)?.code, 'request/too-many')
  for (let n = 0; n < 50; n++) {
    assert.equal(limit.begin(right, NOW), undefined)
    limit.succeed(right)
  }
  assert.equal(limit.begin(guess(99), NOW)?.code, 'request/too-many')
})

test('right logins do not count; guesses over ever new client ids do', () => {
  const limit = makeLoginLimit()
  for (let n = 0; n < LIMITS.loginsFailedPerMinuteMax; n++) {
    const login = { clientId: `right ${n}`, secret: 's' }
    assert.equal(limit.begin(login, NOW), undefined)
    limit.succeed(login)
  }
  for (let n = 0; n < LIMITS.loginsFailedPerMinuteMax; n++)
    assert.equal(limit.begin(guess(n, `unknown ${n}`), NOW), undefined)
  assert.equal(limit.begin(guess(1, 'another'), NOW)?.code, 'request/too-many')
})

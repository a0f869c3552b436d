import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeTestClock } from '../../test/machine.ts'
import { makeTestKey, type TestKey } from '../../test/partner-client.ts'
import type { CallOutcome, OutboundCall } from '../http/outbound.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { makePublishedKeys } from './published-keys.ts'

const AT = 'https://lab.example/jwks.json'

function world() {
  const clock = makeTestClock()
  const calls: OutboundCall[] = []
  let answer: () => CallOutcome = () => ({ kind: 'failed', reason: 'down', tookMs: 1 })
  const outbound = {
    call: async (call: OutboundCall) => {
      calls.push(call)
      return answer()
    },
    close: async () => undefined,
  }
  const published = makePublishedKeys(outbound, clock.now)
  return {
    clock,
    calls,
    refresh: (kid: string) => published.refresh(AT, kid),
    kids: () => {
      const keys = published.keysAt(AT, clock.now())
      return isRefusal(keys) ? keys.code : keys.map(({ kid }) => kid)
    },
    answers: (status: number, body: string) => {
      answer = () => ({ kind: 'answered', status, headers: {}, body: Buffer.from(body), tookMs: 1 })
    },
    shows: (...keys: readonly TestKey[]) => {
      const body = JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })
      answer = () => ({ kind: 'answered', status: 200, headers: {}, body: Buffer.from(body), tookMs: 1 })
    },
    isDown: () => {
      answer = () => ({ kind: 'failed', reason: 'down', tookMs: 1 })
    },
  }
}

test('keys are fetched once for many calls, with little time and room; an unknown name asks again once a minute', async () => {
  const w = world()
  const [old, fresh] = [await makeTestKey('ES384', 'old'), await makeTestKey('ES384', 'fresh')]
  w.shows(old)
  await Promise.all([w.refresh('old'), w.refresh('old'), w.refresh('old')])
  assert.equal(w.calls.length, 1)
  assert.deepEqual([w.calls[0]?.timeoutMs, w.calls[0]?.answerBytesMax], [LIMITS.jwksTimeoutMs, LIMITS.jwksBytesMax])
  await w.refresh('old')
  assert.equal(w.calls.length, 1)
  w.shows(fresh, old)
  await w.refresh('fresh')
  assert.equal(w.calls.length, 1, 'asked a moment ago')
  w.clock.advance(LIMITS.jwksUnknownKeyMs)
  await w.refresh('fresh')
  assert.deepEqual(w.kids(), ['fresh', 'old'])
  for (let n = 0; n < 20; n++) await w.refresh(`made up ${n}`)
  assert.equal(w.calls.length, 2)
})

test('a key that is published no more works no more within the time that keys are kept', async () => {
  const w = world()
  const [stays, goes] = [await makeTestKey('ES384', 'stays'), await makeTestKey('ES384', 'goes')]
  w.shows(stays, goes)
  await w.refresh('goes')
  w.shows(stays)
  w.clock.advance(LIMITS.jwksFreshMs)
  await w.refresh('goes')
  assert.deepEqual(w.kids(), ['stays'])
})

test('while the host is down, slow, huge, garbled or redirects, known keys are good for half an hour, then none', async () => {
  const w = world()
  w.shows(await makeTestKey('ES384', 'a'))
  await w.refresh('a')
  const faults: readonly (() => void)[] = [
    w.isDown,
    () => w.answers(200, '<html>'),
    () => w.answers(200, '{"keys":[]}'),
    () => w.answers(302, ''),
    () => w.answers(500, ''),
  ]
  for (const fault of faults) {
    fault()
    w.clock.advance(LIMITS.jwksFreshMs)
    await w.refresh('a')
    assert.deepEqual(w.kids(), ['a'])
  }
  const before = w.calls.length
  await w.refresh('a')
  assert.equal(w.calls.length, before, 'it rests after a failure')
  w.clock.advance(LIMITS.jwksStaleMs - faults.length * LIMITS.jwksFreshMs + 1)
  await w.refresh('a')
  assert.equal(w.kids(), 'machine/unavailable')
})

test('keys that were never fetched are no keys', () => {
  assert.equal(world().kids(), 'machine/unavailable')
})

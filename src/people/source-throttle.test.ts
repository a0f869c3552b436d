import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { makeSourceThrottle } from './source-throttle.ts'

const START = new Date('2026-11-22T06:30:00.000Z').getTime()
const at = (ms: number): Date => new Date(START + ms)

test('the first tries cost nothing, each further one doubles the wait, up to the most', () => {
  const throttle = makeSourceThrottle({ free: 3, waitMsMax: 10_000 })
  const waits: number[] = []
  let now = 0
  for (let i = 0; i < 10; i++) {
    throttle.count(at(now), '198.51.100.7')
    const slowed = throttle.mayTry(at(now), '198.51.100.7')
    waits.push(slowed?.retryAfterS ?? 0)
    now += (slowed?.retryAfterS ?? 0) * 1_000
  }
  assert.deepEqual(waits, [0, 0, 0, 1, 2, 4, 8, 10, 10, 10])
  assert.equal(throttle.mayTry(at(now), '198.51.100.8'), undefined)
  assert.equal(throttle.mayTry(at(now + LIMITS.sourceKeptMs), '198.51.100.7'), undefined)
})

test('an IPv6 network is one source, however its addresses are written; a mapped IPv4 address is that address', () => {
  const throttle = makeSourceThrottle({ free: 1, waitMsMax: 60_000 })
  for (const source of ['2001:db8:1:2::1', '2001:0db8:0001:0002:ffff::9']) throttle.count(at(0), source)
  assert.ok(isRefusal(throttle.mayTry(at(0), '2001:db8:1:2:a:b:c:d')))
  assert.equal(throttle.mayTry(at(0), '2001:db8:1:3::1'), undefined)
  for (const source of ['::ffff:198.51.100.7', '198.51.100.7']) throttle.count(at(0), source)
  assert.ok(isRefusal(throttle.mayTry(at(0), '198.51.100.7')))
})

test('this machine is a proxy that nobody named: it is not slowed down, and memory is bounded', () => {
  const throttle = makeSourceThrottle({ free: 0, waitMsMax: 60_000 })
  for (const source of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
    throttle.count(at(0), source)
    assert.equal(throttle.mayTry(at(0), source), undefined)
  }
  throttle.count(at(0), '203.0.113.1')
  for (let i = 0; i < LIMITS.sourcesKeptMax; i++) throttle.count(at(0), `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
  assert.equal(throttle.mayTry(at(0), '203.0.113.1'), undefined)
})

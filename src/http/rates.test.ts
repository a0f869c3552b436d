import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countedAddress, makeKnownCallers, makeRate } from './rates.ts'

test('so many at once, then so many a second, and after a rest so many at once again', () => {
  let now = 0
  const rate = makeRate({ perSecond: 10, burst: 5, keysMax: 10 }, () => now)
  const taken = () => Array.from({ length: 20 }, () => rate.take('a')).filter((wait) => wait === 0).length
  assert.equal(taken(), 5)
  assert.equal(rate.take('a'), 100)
  assert.equal(rate.waitMs('b'), 0, 'another key has its own')
  now += 100
  assert.equal(taken(), 1)
  now += 10_000
  assert.equal(taken(), 5)
})

test('law: within any time never more than the burst and the rate, and who waits as long as told is let in', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), (waits, perSecond, burst) => {
      let now = 0
      let taken = 0
      const rate = makeRate({ perSecond, burst, keysMax: 10 }, () => now)
      for (const ms of waits) {
        now += ms
        const wait = rate.take('a')
        if (wait === 0) taken++
        else {
          now += wait
          assert.equal(rate.take('a'), 0)
          taken++
        }
        assert.ok(taken <= burst + (now * perSecond) / 1_000 + 1e-6, `${taken} in ${now} ms`)
      }
    }),
  )
})

test('what happened all at once is paid for, up to twice the burst', () => {
  let now = 0
  const rate = makeRate({ perSecond: 10, burst: 5, keysMax: 10 }, () => now)
  for (let n = 0; n < 100; n++) rate.charge('a')
  assert.equal(rate.waitMs('a'), 600, 'ten are owed, five may be: the next is free when four are left')
  now = 600
  assert.equal(rate.take('a'), 0)
})

test('of ever new keys the ones that rested longest are forgotten', () => {
  const rate = makeRate({ perSecond: 1, burst: 1, keysMax: 3 }, () => 0)
  for (const key of ['a', 'b', 'c', 'd']) assert.equal(rate.take(key), 0)
  assert.ok(rate.waitMs('d') > 0)
  assert.equal(rate.waitMs('a'), 0)
})

test('a proof is known for a while', () => {
  let now = 0
  const known = makeKnownCallers({ keptMs: 100, namesMax: 2 }, () => now)
  known.remember('p', 'bridge:a')
  assert.equal(known.nameOf('p'), 'bridge:a')
  now = 101
  assert.equal(known.nameOf('p'), undefined)
})

test('an IPv6 network counts as one address', () => {
  assert.equal(countedAddress('2001:db8:1:2:3::9'), countedAddress('2001:0db8:1:2:ffff:1:2:3'))
  assert.notEqual(countedAddress('2001:db8:1:2::9'), countedAddress('2001:db8:1:3::9'))
  assert.equal(countedAddress('::1'), '0:0:0:0')
  assert.equal(countedAddress('fe80::1%eth0'), 'fe80:0:0:0')
  assert.equal(countedAddress('::ffff:192.0.2.7'), countedAddress('192.0.2.7'))
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { bucketOf } from './bucket.ts'
import {
  bucketOfId,
  makeId,
  parseAbhaAddress,
  parseAbhaNumber,
  parseFacilityId,
  parseId,
  showAbhaNumber,
  toBucket,
} from './id.ts'

const random = (n: number): Uint8Array => randomBytes(n)

test('an id is a UUIDv7 of its time and carries its bucket', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 4_102_444_800_000 }), (bucket, ms) => {
      const id = makeId(new Date(ms), random, toBucket(bucket))
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.equal(bucketOfId(id), bucket)
      assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), ms)
      assert.equal(parseId(id.toUpperCase()), id)
    }),
  )
})

test('ids of later times sort later', () => {
  const first = makeId(new Date(1000), random, toBucket(9))
  const second = makeId(new Date(1001), random, toBucket(1))
  assert.ok(first < second)
})

test('only what is an ABHA address, number, facility id is read as one', () => {
  assert.equal(parseAbhaAddress(' Asha.Rao@SBX '), 'asha.rao@sbx')
  for (const bad of [
    '',
    'asha',
    '@sbx',
    'a@',
    'asha rao@sbx',
    '.a@sbx',
    `${'a'.repeat(120)}@sbx`,
    'a@b@c',
    "a';--@sbx",
  ])
    assert.equal(parseAbhaAddress(bad), undefined, bad)
  assert.equal(parseAbhaNumber('91-0000-0000-0001'), '91000000000001')
  assert.equal(parseAbhaNumber(91000000000001), '91000000000001')
  for (const bad of ['', '9100000000000', '910000000000011', '9100000000000x'])
    assert.equal(parseAbhaNumber(bad), undefined, bad)
  const number = parseAbhaNumber('91000000000001')
  assert.ok(number)
  assert.equal(showAbhaNumber(number), '91-0000-0000-0001')
  assert.equal(parseFacilityId('IN2710000011'), 'IN2710000011')
  for (const bad of ['', 'a', 'a/b', 'a b', `x${'y'.repeat(70)}`, '../etc'])
    assert.equal(parseFacilityId(bad), undefined, bad)
})

test('a bucket is the first byte of SHA-256', () => {
  // printf 'asha.rao@sbx' | sha256sum
  assert.equal(bucketOf(''), 0xe3)
  assert.equal(bucketOf('abc'), 0xba)
})

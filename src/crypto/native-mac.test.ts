import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { hmacSha256 } from './native-mac.ts'
import { makeRandom } from './native-random.ts'

test('says the same as the one for browsers', () => {
  for (const length of [0, 1, 63, 64, 65, 1_000]) {
    const [key, bytes] = [randomBytes(32), randomBytes(length)]
    assert.deepEqual(new Uint8Array(hmacSha256(key, bytes)), hmac(sha256, key, bytes))
  }
})

test('random bytes are as many as asked for, each its own, and never given out twice', () => {
  const random = makeRandom()
  const all = Array.from({ length: 2_000 }, (_, n) => random(8 + (n % 30)))
  all.forEach((bytes, n) => assert.equal(bytes.length, 8 + (n % 30)))
  assert.equal(new Set(all.map((bytes) => Buffer.from(bytes).toString('hex'))).size, all.length)
  const [first] = all
  assert.ok(first !== undefined && first.buffer.byteLength === first.length)
})

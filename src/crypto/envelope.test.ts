import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRefusal } from '../kernel/refusal.ts'
import {
  fileKeyId,
  generateDataKey,
  nameWrapped,
  openByShare,
  openWith,
  type Place,
  readWrapped,
  sealByShare,
  sealWith,
  unwrapByKey,
  wrapByKey,
} from './envelope.ts'

const key = generateDataKey(randomBytes)
const place: Place = { table: 'document', column: 'sealed', row: 'r-1', patient: 'asha@sbx' }

test('a value opens with its key in its place, and nowhere else', () => {
  const parts = fc.record({ table: fc.string(), column: fc.string(), row: fc.string(), patient: fc.string() })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), parts, parts, (plaintext, here, there) => {
      fc.pre(Object.values(here).every((s) => s.isWellFormed()) && Object.values(there).every((s) => s.isWellFormed()))
      const blob = sealWith(key, plaintext, here, randomBytes)
      const opened = openWith(key, blob, here)
      assert.ok(opened instanceof Uint8Array)
      assert.deepEqual(Buffer.from(opened), Buffer.from(plaintext))
      const same = JSON.stringify(Object.values(here)) === JSON.stringify(Object.values(there))
      assert.equal(isRefusal(openWith(key, blob, there)), !same)
      assert.ok(isRefusal(openWith(generateDataKey(randomBytes), blob, here)))
    }),
  )
})

test('parts of a place cannot be shifted into each other', () => {
  const blob = sealWith(key, 'x', { ...place, table: 'a|b', column: 'c' }, randomBytes)
  assert.ok(isRefusal(openWith(key, blob, { ...place, table: 'a', column: 'b|c' })))
})

test('every changed byte and every cut is noticed', () => {
  const blob = sealWith(key, 'लब रिपोर्ट', place, randomBytes)
  for (let at = 0; at < blob.length; at++) {
    const changed = Uint8Array.from(blob)
    changed[at] = (changed[at] ?? 0) ^ 1
    assert.ok(isRefusal(openWith(key, changed, place)), `byte ${at}`)
    assert.ok(isRefusal(openWith(key, blob.subarray(0, at), place)), `cut at ${at}`)
  }
})

test('the nonce is fresh each time', () => {
  const a = sealWith(key, 'same', place, randomBytes)
  const b = sealWith(key, 'same', place, randomBytes)
  assert.notDeepEqual(a, b)
  assert.equal(a.length, 4 + 29)
})

test('data keys are wrapped and unwrapped; with another key or changed they do not come out', () => {
  const kek = randomBytes(32)
  const wrapped = wrapByKey(kek, key, randomBytes)
  assert.deepEqual(Buffer.from(unwrapByKey(kek, wrapped) ?? []), Buffer.from(key))
  assert.notEqual(fileKeyId(kek), fileKeyId(randomBytes(32)))
  assert.ok(!Buffer.from(wrapped).includes(Buffer.from(key)))
  assert.equal(unwrapByKey(randomBytes(32), wrapped), undefined)
  wrapped[20] = (wrapped[20] ?? 0) ^ 1
  assert.equal(unwrapByKey(kek, wrapped), undefined)
  assert.throws(() => wrapByKey(randomBytes(16), key, randomBytes), RangeError)
  assert.throws(() => sealWith(randomBytes(16), 'x', place, randomBytes), RangeError)
})

test('a data key opens with its own share and number only', () => {
  const share = randomBytes(32)
  const sealed = sealByShare(share, 7, key, randomBytes)
  assert.deepEqual(Buffer.from(openByShare(share, 7, sealed)), Buffer.from(key))
  assert.throws(() => openByShare(share, 8, sealed), /share 8/)
  assert.throws(() => openByShare(randomBytes(32), 7, sealed), /share 7/)
  assert.throws(() => sealByShare(share, 7, randomBytes(16), randomBytes), RangeError)
})

test('a wrapped key begins with the name of its key; those of the first version have none', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60, unit: 'grapheme-ascii' }), fc.uint8Array(), (wrapId, ciphertext) => {
      const { blob } = nameWrapped(wrapId, ciphertext)
      assert.deepEqual(readWrapped(blob), { wrapId, ciphertext })
    }),
  )
  const first = wrapByKey(randomBytes(32), key, randomBytes)
  assert.deepEqual(readWrapped(first), { wrapId: undefined, ciphertext: first })
  assert.throws(() => nameWrapped('x'.repeat(256), key), RangeError)
})

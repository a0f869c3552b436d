import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRefusal } from '../kernel/refusal.ts'
import { fileKeyWrap, generateDataKey, openWith, type Place, sealWith } from './envelope.ts'

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

test('data keys are wrapped and unwrapped; a wrong or changed one is a fault, not a key', async () => {
  const kek = randomBytes(32)
  const wrap = fileKeyWrap(kek, randomBytes)
  const other = fileKeyWrap(randomBytes(32), randomBytes)
  const blob = await wrap.wrap(key)
  assert.deepEqual(Buffer.from(await fileKeyWrap(kek, randomBytes).unwrap(blob)), Buffer.from(key))
  assert.equal(fileKeyWrap(kek, randomBytes).id, wrap.id)
  assert.notEqual(other.id, wrap.id)
  assert.ok(!Buffer.from(blob).includes(Buffer.from(key)))
  await assert.rejects(other.unwrap(blob), new RegExp(other.id))
  blob[20] = (blob[20] ?? 0) ^ 1
  await assert.rejects(wrap.unwrap(blob))
  assert.throws(() => fileKeyWrap(randomBytes(16), randomBytes), RangeError)
  await assert.rejects(wrap.wrap(randomBytes(16)), RangeError)
  assert.throws(() => sealWith(randomBytes(16), 'x', place, randomBytes), RangeError)
})

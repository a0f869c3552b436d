import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invert } from '@noble/curves/abstract/modular.js'
import { weierstrass } from '@noble/curves/abstract/weierstrass.js'
import fc from 'fast-check'
import * as curve from './curve25519.ts'
import { publicKeyNative, sharedSecretNative } from './native-exchange.ts'

const { ORDER, FIELD } = curve
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Keys made by the rules, keys of foreign tools (any scalar), and scalars at the edges. */
const anyKey = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map(curve.clampedKey),
  fc.bigInt({ min: 1n, max: ORDER - 1n }).map(curve.encodeCoordinate),
  fc.bigInt({ min: 1n, max: 40n }).map(curve.encodeCoordinate),
  fc.bigInt({ min: ORDER - 40n, max: ORDER - 1n }).map(curve.encodeCoordinate),
)

test('the constants belong together', () => {
  assert.ok(curve.isOnCurve(curve.BASE) && curve.isReduced(curve.BASE) && !curve.hasSmallOrder(curve.BASE))
  assert.equal(curve.modulo(3n * curve.SHIFT, FIELD), curve.MONTGOMERY_A)
  assert.equal(curve.toMontgomery(curve.BASE.x), 9n)
  assert.equal(curve.fromMontgomery(9n), curve.BASE.x)
})

test('native and pure agree on public keys and on shared secrets, whichever sign y has', () => {
  fc.assert(
    fc.property(anyKey, anyKey, (own, foreign) => {
      const mine = curve.publicKeyPure(own)
      const theirs = curve.publicKeyPure(foreign)
      assert.deepEqual(publicKeyNative(own), mine)
      assert.ok(curve.isOnCurve(theirs) && !curve.hasSmallOrder(theirs))
      const secrets = [
        sharedSecretPure(own, theirs),
        sharedSecretNative(own, theirs),
        sharedSecretNative(own, { x: theirs.x, y: FIELD - theirs.y }),
        sharedSecretNative(foreign, mine),
      ]
      assert.equal(new Set(secrets.map(hex)).size, 1)
      assert.equal(secrets[0]?.length, 32)
    }),
    { numRuns: 60 },
  )
})

/** The oracle's oracle: scalar times point in the plainest words, as a peer without clamping computes it. */
function sharedSecretPure(privateKey: Uint8Array, peer: curve.Point): Uint8Array {
  const { p, n, h, a, b } = { p: FIELD, n: ORDER, h: 8n, a: curve.CURVE_A, b: curve.CURVE_B }
  const Plain = weierstrass({ p, n, h, a, b, Gx: curve.BASE.x, Gy: curve.BASE.y })
  const plain = curve.encodeCoordinate(Plain.fromAffine(peer).multiply(curve.scalarOf(privateKey)).toAffine().x)
  assert.equal(hex(curve.sharedSecretPure(privateKey, peer)), hex(plain))
  return plain
}

test('every clamped twin has the form that X25519 wants and the value that was asked, up to sign', () => {
  fc.assert(
    fc.property(anyKey, (key) => {
      const scalar = curve.scalarOf(key)
      const twin = curve.clampedTwin(scalar)
      if (twin === undefined) return
      assert.equal(twin % 8n, 0n)
      assert.equal(twin >> 254n, 1n)
      assert.ok(twin % ORDER === scalar || ORDER - (twin % ORDER) === scalar)
    }),
  )
})

test('scalars without a clamped twin still work, by the pure way', () => {
  const peer = curve.publicKeyPure(curve.encodeCoordinate(12345n))
  for (const scalar of [8n, 16n, ORDER - 8n, 2n ** 255n - 8n * ORDER + ORDER + 8n]) {
    const key = curve.encodeCoordinate(curve.modulo(scalar, ORDER))
    assert.deepEqual(publicKeyNative(key), curve.publicKeyPure(key))
    assert.equal(hex(sharedSecretNative(key, peer)), hex(sharedSecretPure(key, peer)))
  }
  assert.equal(curve.clampedTwin(8n), undefined)
})

test('a part of small order in the peer key changes no secret', () => {
  const honest = curve.publicKeyPure(curve.encodeCoordinate(987654321n))
  const twoTorsion = { x: curve.fromMontgomery(0n), y: 0n }
  const slope = honest.y * invert(honest.x - twoTorsion.x, FIELD)
  const x = curve.modulo(slope ** 2n - honest.x - twoTorsion.x, FIELD)
  const crafted = { x, y: curve.modulo(slope * (honest.x - x) - honest.y, FIELD) }
  assert.ok(curve.isOnCurve(crafted) && !curve.hasSmallOrder(crafted) && crafted.x !== honest.x)
  const key = curve.encodeCoordinate(3n ** 100n)
  assert.equal(hex(sharedSecretNative(key, crafted)), hex(sharedSecretNative(key, honest)))
  assert.equal(hex(curve.sharedSecretPure(key, crafted)), hex(sharedSecretNative(key, honest)))
})

test('points of order 2, 4 and 8 are of small order; their neighbours are not', () => {
  const orderEight = 325606250916557431795983626356110631294008115727848805560023387167927233504n
  const otherOrderEight = 39382357235489614581723060781553021112529911719440698176882885853963445705823n
  for (const u of [0n, 1n, orderEight, otherOrderEight]) {
    assert.ok(curve.hasSmallOrder({ x: curve.fromMontgomery(u), y: 0n }), String(u))
    assert.ok(!curve.hasSmallOrder({ x: curve.fromMontgomery(u + 2n), y: 0n }), String(u))
  }
})

test('private keys outside 1..n-1 are no keys', () => {
  for (const bytes of [
    new Uint8Array(0),
    new Uint8Array(32),
    curve.encodeCoordinate(ORDER),
    new Uint8Array(33).fill(1),
  ]) {
    assert.throws(() => curve.scalarOf(bytes), RangeError)
  }
  assert.equal(curve.scalarOf(Uint8Array.of(5)), 5n)
  assert.throws(() => curve.clampedKey(new Uint8Array(31)), RangeError)
})

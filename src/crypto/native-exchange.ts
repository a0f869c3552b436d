// One of the few files of this folder that need Node: `native-*.ts` alone may import `node:`.

import type { KeyObject } from 'node:crypto'
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js'
import {
  clampedTwin,
  encodeCoordinate,
  FIELD,
  fromMontgomery,
  MONTGOMERY_A,
  modulo,
  type Point,
  publicKeyPure,
  scalarOf,
  sharedSecretPure,
  toMontgomery,
} from './curve25519.ts'

const BASE_U = 9n
/** OpenSSL computes a public key for each private key that it reads: do that once for a key pair, not once a page. */
const imported = new WeakMap<Uint8Array, KeyObject>()
/** 1/(2·v) of the base point, for {@link recoverY}. */
const HALF_INVERSE_OF_BASE_V = 0x683fcad9c8faa1ac1a82258be940a2e677b29865b7baddb72c960de6bfffe97dn

/**
 * The public point of a private key, with the scalar multiplications done by OpenSSL's X25519. That gives u alone; v
 * follows from the u of the next multiple (Okeya and Sakurai, CHES 2001), which is exact and needs no square root.
 */
export function publicKeyNative(privateKey: Uint8Array): Point {
  const scalar = scalarOf(privateKey)
  const own = clampedTwin(scalar)
  const next = clampedTwin(scalar + 1n)
  if (own === undefined || next === undefined) return publicKeyPure(privateKey)
  const key = importScalar(own)
  imported.set(privateKey, key)
  const u = publicU(key)
  return { x: fromMontgomery(u), y: recoverY(u, publicU(importScalar(next))) }
}

/**
 * The shared secret as 32 bytes, the same as `sharedSecretPure` gives, by X25519: Weierstrass x and Montgomery u
 * differ by a constant, and neither depends on the sign of y. `peer` has been checked by `parsePublicKey`.
 */
export function sharedSecretNative(privateKey: Uint8Array, peer: Point): Uint8Array {
  const key = imported.get(privateKey) ?? importPrivate(privateKey)
  if (key === undefined) return sharedSecretPure(privateKey, peer)
  const u = bytesToNumberLE(diffieHellman({ privateKey: key, publicKey: importU(toMontgomery(peer.x)) }))
  return encodeCoordinate(fromMontgomery(u))
}

/** v of the point at `u`, when `next` is the u of that point plus the base point. */
function recoverY(u: bigint, next: bigint): bigint {
  const sum = BASE_U + u
  const difference = BASE_U - u
  const numerator = (BASE_U * u + 1n) * (sum + 2n * MONTGOMERY_A) - 2n * MONTGOMERY_A - difference * difference * next
  return modulo(numerator * HALF_INVERSE_OF_BASE_V, FIELD)
}

/** u of the public key that OpenSSL computed when it read this private key. */
function publicU(key: KeyObject): bigint {
  const { x } = key.export({ format: 'jwk' })
  if (typeof x !== 'string') throw new Error('OpenSSL gave no public key for an X25519 private key')
  return bytesToNumberLE(Buffer.from(x, 'base64url'))
}

function importPrivate(privateKey: Uint8Array): KeyObject | undefined {
  const clamped = clampedTwin(scalarOf(privateKey))
  return clamped === undefined ? undefined : importScalar(clamped)
}

function importScalar(clamped: bigint): KeyObject {
  // Node insists on an `x` beside `d` and ignores it; JWK is read faster than PKCS #8.
  return createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', d: base64Url(clamped), x: '' }, format: 'jwk' })
}

function importU(u: bigint): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: base64Url(u) }, format: 'jwk' })
}

function base64Url(value: bigint): string {
  return Buffer.from(numberToBytesLE(value, 32)).toString('base64url')
}

import { weierstrass } from '@noble/curves/abstract/weierstrass.js'
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js'

/**
 * Curve25519 in short Weierstrass form, y² = x³ + ax + b: the curve that ABDM's key exchange is written in
 * (protocol sheet 6.1; BouncyCastle's `curve25519`). Everything here is pure and runs in a browser.
 */
export type Point = { readonly x: bigint; readonly y: bigint }

export const FIELD = 2n ** 255n - 19n
export const CURVE_A = 0x2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa984914a144n
export const CURVE_B = 0x7b425ed097b425ed097b425ed097b425ed097b425ed097b4260b5e9c7710c864n
/** Order of the subgroup that {@link BASE} generates; the whole group is eight times as large. */
export const ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn
export const BASE: Point = {
  x: 0x2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad245an,
  y: 0x20ae19a1b8a086b4e01edd2c7748d14c923d4d7e6d7c61b229e9c5a27eced3d9n,
}

/** The A of Montgomery's v² = u³ + Au² + u (RFC 7748 §4.1). */
export const MONTGOMERY_A = 486662n
/** A/3: x = u + A/3 and y = v lead from the Montgomery form to this one. */
export const SHIFT = 0x2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad2451n

const Curve = weierstrass({ p: FIELD, n: ORDER, h: 8n, a: CURVE_A, b: CURVE_B, Gx: BASE.x, Gy: BASE.y })
const INVERSE_OF_8 = 0x0600000000000000000000000000000007d39db37d1cdad06106e529e2dc2f79n

/** The representative of `value` in 0..m-1. */
export function modulo(value: bigint, m: bigint): bigint {
  const rest = value % m
  return rest < 0n ? rest + m : rest
}

export function toMontgomery(x: bigint): bigint {
  return modulo(x - SHIFT, FIELD)
}

export function fromMontgomery(u: bigint): bigint {
  return modulo(u + SHIFT, FIELD)
}

/** Whether both coordinates are canonical, that is below the field prime. */
export function isReduced({ x, y }: Point): boolean {
  return x >= 0n && x < FIELD && y >= 0n && y < FIELD
}

export function isOnCurve({ x, y }: Point): boolean {
  return modulo(y * y - ((x * x + CURVE_A) * x + CURVE_B), FIELD) === 0n
}

/**
 * Whether eight times the point is the neutral element. Three doublings of the Montgomery u alone (RFC 7748 §5), since
 * the general addition formulas are not meant for such points.
 */
export function hasSmallOrder({ x }: Point): boolean {
  let u = toMontgomery(x)
  let z = 1n
  for (let doubling = 0; doubling < 3; doubling++) {
    const uu = (u * u) % FIELD
    const zz = (z * z) % FIELD
    const uz = (u * z) % FIELD
    u = modulo(uu - zz, FIELD) ** 2n % FIELD
    z = (4n * uz * (uu + MONTGOMERY_A * uz + zz)) % FIELD
  }
  return z === 0n
}

/** Reads a private key: a big-endian scalar in 1..n-1, at most 32 bytes (Java drops leading zero bytes). */
export function scalarOf(privateKey: Uint8Array): bigint {
  const scalar = privateKey.length > 0 && privateKey.length <= 32 ? bytesToNumberBE(privateKey) : 0n
  if (scalar < 1n || scalar >= ORDER) throw new RangeError('a private key is a big-endian scalar in 1..n-1')
  return scalar
}

/** 32 bytes, big-endian, leading zeros kept: the only form in which a coordinate leaves us. */
export function encodeCoordinate(value: bigint): Uint8Array {
  return numberToBytesBE(value, 32)
}

/**
 * The clamped scalar (RFC 7748 §5) that leads every point of the curve to the same u as `scalar` does: a multiple of 8
 * in 2^254..2^255-1 that is congruent to plus or minus `scalar` modulo the order. X25519 accepts only such scalars.
 * Undefined for about one scalar in 2^125, none of which {@link clampedKey} can make.
 */
export function clampedTwin(scalar: bigint): bigint | undefined {
  const multiple = 8n * modulo(scalar * INVERSE_OF_8, ORDER)
  for (const twin of [multiple, 8n * ORDER - multiple]) {
    if (twin >> 254n === 1n) return twin
  }
  return undefined
}

/** A private key from 32 random bytes: clamped as RFC 7748 §5 does, then written as ABDM does, modulo the order. */
export function clampedKey(random: Uint8Array): Uint8Array {
  if (random.length !== 32) throw new RangeError('a private key is made from 32 random bytes')
  const clamped = (bytesToNumberBE(random) & (2n ** 254n - 8n)) | (2n ** 254n)
  return encodeCoordinate(clamped % ORDER)
}

/** The public point of a private key, by plain point arithmetic: the oracle of `publicKeyNative`. */
export function publicKeyPure(privateKey: Uint8Array): Point {
  return Curve.BASE.multiply(scalarOf(privateKey)).toAffine()
}

/**
 * The shared secret as 32 bytes: x of scalar·peer (protocol sheet 6.1 step 4), by plain point arithmetic: the oracle of
 * `sharedSecretNative`, and the way for browsers. Computed as 8·(scalar/8)·peer, which is the same for every key made
 * by the rules and takes away what a crafted peer key may carry of small order, as X25519 does.
 */
export function sharedSecretPure(privateKey: Uint8Array, peer: Point): Uint8Array {
  const eighth = modulo(scalarOf(privateKey) * INVERSE_OF_8, ORDER)
  const product = Curve.fromAffine(peer).multiply(eighth).double().double().double()
  return encodeCoordinate(product.toAffine().x)
}

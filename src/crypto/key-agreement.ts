import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { must, type Refusal, refuse } from '../kernel/refusal.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import type { Point } from './curve25519.ts'
import { encodeRaw, encodeX509, type PeerKey } from './key-material.ts'

/** What both ends of a sealed page derive from keys and nonces: the same in the server and in a browser. */

/** Our side of one key agreement: made new for every health information request and for every page of a push. */
export type KeyPair = {
  /** 32 bytes, big-endian scalar in 1..n-1. */
  readonly privateKey: Uint8Array
  readonly publicKey: Point
}

/** `keyMaterial` as it crosses the wire (ABDM V3 data flow; protocol sheet 2.5). */
export type KeyMaterial = {
  readonly cryptoAlg: 'ECDH'
  readonly curve: 'Curve25519'
  readonly dhPublicKey: { readonly expiry: string; readonly parameters: string; readonly keyValue: string }
  readonly nonce: string
}

/** What both ends of one page know: their own half, and the other's as parsed. */
export type Agreement = {
  readonly own: KeyPair
  /** Base64, as {@link makeNonce} made it. */
  readonly ownNonce: string
  readonly peer: PeerKey
  /** As {@link parseNonce} read it. */
  readonly peerNonce: Uint8Array
}

const NONCE_BYTES = 32
const SALT_BYTES = 20

/** 32 random bytes in base64. */
export function makeNonce(random: (bytes: number) => Uint8Array): string {
  return encodeBase64(random(NONCE_BYTES))
}

/** Reads a peer's nonce; refuses all but 32 bytes in base64. */
export function parseNonce(text: string): Uint8Array | Refusal {
  const bytes = text.length > 64 ? undefined : decodeBase64(text)
  return bytes?.length === NONCE_BYTES ? bytes : refuse('crypto/nonce-length', undefined, 'nonce')
}

/** The wire object of our half. Known peers read only `raw` from a HIU and only `x509` from a HIP (protocol sheet 6.2). */
export function makeKeyMaterial(pair: KeyPair, nonce: string, expiry: Date, form: 'raw' | 'x509'): KeyMaterial {
  const keyValue = form === 'raw' ? encodeRaw(pair.publicKey) : encodeX509(pair.publicKey)
  const parameters = 'Curve25519/32byte random key'
  return {
    cryptoAlg: 'ECDH',
    curve: 'Curve25519',
    dhPublicKey: { expiry: expiry.toISOString(), parameters, keyValue },
    nonce,
  }
}

/** AES key and IV of one page (protocol sheet 6.1): HKDF-SHA256 of the secret, salted with the nonces' exclusive or. */
export function deriveKey(
  secret: Uint8Array,
  { ownNonce, peerNonce }: Pick<Agreement, 'ownNonce' | 'peerNonce'>,
): { readonly key: Uint8Array; readonly iv: Uint8Array } {
  const own = must(parseNonce(ownNonce))
  if (peerNonce.length !== NONCE_BYTES) throw new RangeError(`a nonce has ${NONCE_BYTES} bytes`)
  const xor = own.map((byte, i) => byte ^ (peerNonce[i] ?? 0))
  const key = hkdf(sha256, secret, xor.subarray(0, SALT_BYTES), undefined, 32)
  return { key, iv: xor.subarray(SALT_BYTES) }
}

/**
 * The forms in which a peer may have fed the secret to HKDF: whole, and where it begins with a zero byte (one exchange in 256) also
 * without its zeros, as several peers do (protocol sheet 6.2).
 */
export function formsOfSecret(secret: Uint8Array): readonly Uint8Array[] {
  return secret[0] === 0 ? [secret, secret.subarray(secret.findIndex((byte) => byte !== 0))] : [secret]
}

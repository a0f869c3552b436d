import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { must, type Refusal, refuse } from '../kernel/refusal.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { clampedKey, encodeCoordinate, type Point, scalarOf } from './curve25519.ts'
import { encodeRaw, encodeX509, type PeerKey } from './key-material.ts'
import { decodeSealed, decryptGcm, encodeSealed, encryptGcm } from './native-cipher.ts'
import { publicKeyNative, sharedSecretNative } from './native-exchange.ts'

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
type Agreement = {
  readonly own: KeyPair
  /** Base64, as {@link makeNonce} made it. */
  readonly ownNonce: string
  readonly peer: PeerKey
  /** As {@link parseNonce} read it. */
  readonly peerNonce: Uint8Array
}

const NONCE_BYTES = 32
const SALT_BYTES = 20

export function makeKeyPair(random: (bytes: number) => Uint8Array): KeyPair {
  const privateKey = clampedKey(random(32))
  return { privateKey, publicKey: publicKeyNative(privateKey) }
}

/** The private half as ABDM tools write it, base64 of the big-endian scalar: keep it encrypted, and no longer than needed. */
export function exportPrivateKey(pair: KeyPair): string {
  return encodeBase64(pair.privateKey)
}

/** Reads what {@link exportPrivateKey} wrote, or any other ABDM tool; throws when it is no private key. */
export function importPrivateKey(text: string): KeyPair {
  const privateKey = encodeCoordinate(scalarOf(decodeBase64(text) ?? new Uint8Array(0)))
  return { privateKey, publicKey: publicKeyNative(privateKey) }
}

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

/**
 * Seals one document for `peer` (protocol sheet 6.1): base64 of AES-256-GCM ciphertext and tag. Key and IV depend only on
 * the two keys and nonces, so a second document needs a new key pair and nonce: one entry a page, fresh keys a page.
 */
export function seal(input: Agreement & { readonly plaintext: Uint8Array | string }): string {
  const secret = sharedSecretNative(input.own.privateKey, input.peer.point)
  const { key, iv } = deriveKey(secret, input.ownNonce, input.peerNonce)
  return encodeSealed(encryptGcm(key, iv, input.plaintext))
}

/**
 * Opens `entries[].content`. Refuses with `crypto/not-authentic` whatever was changed, or sealed for another key. About one
 * exchange in 256 has a secret that begins with a zero byte, which several peers drop before HKDF (protocol sheet 6.2):
 * their form is tried second.
 */
export function open(input: Agreement & { readonly content: string }): Uint8Array | Refusal {
  const sealed = decodeSealed(input.content)
  if (sealed === undefined) {
    return refuse('crypto/not-authentic', 'The content is not standard base64 with padding.', 'content')
  }
  const secret = sharedSecretNative(input.own.privateKey, input.peer.point)
  for (const form of secret[0] === 0 ? [secret, stripZeros(secret)] : [secret]) {
    const { key, iv } = deriveKey(form, input.ownNonce, input.peerNonce)
    const plaintext = decryptGcm(key, iv, sealed)
    if (plaintext !== undefined) return plaintext
  }
  return refuse('crypto/not-authentic', undefined, 'content')
}

function deriveKey(secret: Uint8Array, ownNonce: string, peerNonce: Uint8Array): { key: Uint8Array; iv: Uint8Array } {
  const own = must(parseNonce(ownNonce))
  if (peerNonce.length !== NONCE_BYTES) throw new RangeError(`a nonce has ${NONCE_BYTES} bytes`)
  const xor = own.map((byte, i) => byte ^ (peerNonce[i] ?? 0))
  const key = hkdf(sha256, secret, xor.subarray(0, SALT_BYTES), undefined, 32)
  return { key, iv: xor.subarray(SALT_BYTES) }
}

function stripZeros(secret: Uint8Array): Uint8Array {
  return secret.subarray(secret.findIndex((byte) => byte !== 0))
}

import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { canonicalJson } from './canonical-json.ts'
import { decryptGcm, encryptGcm, GCM_NONCE_BYTES, GCM_TAG_BYTES } from './native-cipher.ts'

/** Where a sealed value lives. It is bound to the ciphertext, so a value moved to another row, column or patient does not open. */
export type Place = { readonly table: string; readonly column: string; readonly row: string; readonly patient: string }

/**
 * What wraps data keys: the party's key-encryption key, in a file or in a key service. `id` is kept beside each wrapped
 * key, so that keys can be rotated. Both reject when a key service does not answer; `unwrap` also when the blob was wrapped by another
 * key or changed: a broken machine.
 */
export type KeyWrap = {
  readonly id: string
  readonly wrap: (key: Uint8Array) => Promise<Uint8Array>
  readonly unwrap: (blob: Uint8Array) => Promise<Uint8Array>
}

const KEY_BYTES = 32
/** First byte of every blob: AES-256-GCM, 12-byte random nonce, ciphertext, 16-byte tag. */
const VERSION = 1

/** A fresh 32-byte data key, for one patient (or one received artefact). */
export function generateDataKey(random: (bytes: number) => Uint8Array): Uint8Array {
  return insistOnKey(random(KEY_BYTES))
}

/** Seals `plaintext` for `place`; the blob is 29 bytes longer. Random nonces allow 2^32 values a key (NIST SP 800-38D §8.3). */
export function sealWith(
  key: Uint8Array,
  plaintext: Uint8Array | string,
  place: Place,
  random: (bytes: number) => Uint8Array,
): Uint8Array {
  return sealBlob(key, plaintext, placeBytes(place), random)
}

/** Opens what {@link sealWith} made for the same key and place; `crypto/not-authentic` otherwise. */
export function openWith(key: Uint8Array, blob: Uint8Array, place: Place): Uint8Array | Refusal {
  return openBlob(key, blob, placeBytes(place)) ?? refuse('crypto/not-authentic')
}

/**
 * Wraps data keys by a 32-byte key-encryption key that is read from a file at start. Its `id` is a fingerprint of that key,
 * so two keys never share a name.
 */
export function fileKeyWrap(kek: Uint8Array, random: (bytes: number) => Uint8Array): KeyWrap {
  const fingerprint = hmac(sha256, insistOnKey(kek), new TextEncoder().encode('key-encryption key id'))
  const id = `file-${bytesToHex(fingerprint.subarray(0, 8))}`
  const aad = new TextEncoder().encode(canonicalJson(['key-wrap', id]))
  return {
    id,
    wrap: async (key) => sealBlob(kek, insistOnKey(key), aad, random),
    unwrap: async (blob) => {
      const key = openBlob(kek, blob, aad)
      if (key === undefined)
        throw new Error(`a data key does not unwrap with the key "${id}": wrong key file, or changed`)
      return key
    },
  }
}

function sealBlob(
  key: Uint8Array,
  plaintext: Uint8Array | string,
  aad: Uint8Array,
  random: (bytes: number) => Uint8Array,
): Uint8Array {
  const nonce = random(GCM_NONCE_BYTES)
  const { ciphertext, tag } = encryptGcm(insistOnKey(key), nonce, plaintext, aad)
  const blob = new Uint8Array(1 + GCM_NONCE_BYTES + ciphertext.length + GCM_TAG_BYTES)
  blob[0] = VERSION
  blob.set(nonce, 1)
  blob.set(ciphertext, 1 + GCM_NONCE_BYTES)
  blob.set(tag, 1 + GCM_NONCE_BYTES + ciphertext.length)
  return blob
}

function openBlob(key: Uint8Array, blob: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  if (blob[0] !== VERSION || blob.length < 1 + GCM_NONCE_BYTES + GCM_TAG_BYTES) return undefined
  const sealed = blob.subarray(1 + GCM_NONCE_BYTES)
  return decryptGcm(insistOnKey(key), blob.subarray(1, 1 + GCM_NONCE_BYTES), sealed, aad)
}

/** JSON keeps the four parts apart whatever characters they hold. */
function placeBytes({ table, column, row, patient }: Place): Uint8Array {
  return new TextEncoder().encode(canonicalJson([table, column, row, patient]))
}

function insistOnKey(key: Uint8Array): Uint8Array {
  if (key.length !== KEY_BYTES) throw new RangeError(`an AES-256 key has ${KEY_BYTES} bytes, not ${key.length}`)
  return key
}

import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { canonicalJson } from './canonical-json.ts'
import { decryptGcm, encryptGcm, GCM_NONCE_BYTES, GCM_TAG_BYTES } from './native-cipher.ts'

/** Where a sealed value lives. It is bound to the ciphertext, so a value moved to another row, column or patient does not open. */
export type Place = { readonly table: string; readonly column: string; readonly row: string; readonly patient: string }

/** A data key as it is stored: under which key it was wrapped, and the bytes, which begin with that name. */
export type WrappedKey = { readonly wrapId: string; readonly blob: Uint8Array }

/**
 * The shares of data keys: 32 random bytes for each number, outside the database, which can be overwritten. A data key opens only with
 * its share (decision 24).
 */
export type KeyShares = {
  /** Names this set of shares. */
  readonly id: string
  /** The share; undefined when it was destroyed. Throws when it should be there and is not: a broken machine. */
  readonly read: (number: number) => Uint8Array | undefined
  /** Whether there are shares up to this number; {@link KeyShares.grow} makes them. */
  readonly reaches: (number: number) => boolean
  readonly grow: (number: number) => void
  /** Overwrites them; {@link KeyShares.flush} forces that to the disk. */
  readonly destroy: (numbers: readonly number[]) => void
  readonly flush: () => void
}

/**
 * What protects data keys: the party's key-encryption key, in a file or in a key service, and the shares. `wrap` and `unwrap` throw
 * {@link KeysAway} when a key service does not answer; `unwrap` throws also when the blob was wrapped by another key or changed: a
 * broken machine.
 */
export type KeyWrap = {
  readonly wrap: (secret: Uint8Array) => Promise<WrappedKey>
  readonly unwrap: (blob: Uint8Array) => Promise<Uint8Array>
  readonly shares: KeyShares
}

/** A key service does not answer, or refuses: nothing is sealed or opened until it does. */
export class KeysAway extends Error {
  override readonly name = 'KeysAway'
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

const shareBytes = (number: number): Uint8Array => new TextEncoder().encode(canonicalJson(['share', number]))

/** Seals a data key under its share; what comes out is wrapped by the key-encryption key. */
export function sealByShare(
  share: Uint8Array,
  number: number,
  key: Uint8Array,
  random: (bytes: number) => Uint8Array,
): Uint8Array {
  return sealBlob(share, insistOnKey(key), shareBytes(number), random)
}

/** @throws when this is not the share, or the bytes were changed */
export function openByShare(share: Uint8Array, number: number, sealed: Uint8Array): Uint8Array {
  const key = openBlob(share, sealed, shareBytes(number))
  if (key === undefined) throw new Error(`a data key does not open with its share ${number}: other shares, or changed`)
  return key
}

/** Name of a key-encryption key that lies in a file: a fingerprint, so two keys never share a name. */
export function fileKeyId(kek: Uint8Array): string {
  const fingerprint = hmac(sha256, insistOnKey(kek), new TextEncoder().encode('key-encryption key id'))
  return `file-${bytesToHex(fingerprint.subarray(0, 8))}`
}

const wrapBytes = (id: string): Uint8Array => new TextEncoder().encode(canonicalJson(['key-wrap', id]))

/** Wraps a secret by a 32-byte key-encryption key that is at hand. */
export function wrapByKey(kek: Uint8Array, secret: Uint8Array, random: (bytes: number) => Uint8Array): Uint8Array {
  return sealBlob(kek, secret, wrapBytes(fileKeyId(kek)), random)
}

/** Undoes {@link wrapByKey}; undefined for another key or changed bytes. */
export function unwrapByKey(kek: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined {
  return openBlob(kek, wrapped, wrapBytes(fileKeyId(kek)))
}

/** First byte of a wrapped key that names its key: the length of the name, the name, what the key made. */
const NAMED = 2
const NAME_BYTES_MAX = 255

/** Puts the name of the key before what it wrapped. */
export function nameWrapped(wrapId: string, ciphertext: Uint8Array): WrappedKey {
  const name = new TextEncoder().encode(wrapId)
  if (name.length > NAME_BYTES_MAX) throw new RangeError(`the name of a key has at most ${NAME_BYTES_MAX} bytes`)
  return { wrapId, blob: Uint8Array.from([NAMED, name.length, ...name, ...ciphertext]) }
}

/** Undoes {@link nameWrapped}. Without a name it is one of the first version, wrapped by a key in the file. */
export function readWrapped(blob: Uint8Array): {
  readonly wrapId: string | undefined
  readonly ciphertext: Uint8Array
} {
  if (blob[0] !== NAMED) return { wrapId: undefined, ciphertext: blob }
  const end = 2 + (blob[1] ?? 0)
  return { wrapId: new TextDecoder().decode(blob.subarray(2, end)), ciphertext: blob.subarray(end) }
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

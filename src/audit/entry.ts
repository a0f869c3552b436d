import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64, encodeBase64 } from '../crypto/base64.ts'
import { canonicalJson } from '../crypto/canonical-json.ts'

export const SALT_BYTES = 32
const COMMITMENT_BYTES = 32

/** What a log entry commits to: an event, when it was recorded (ISO 8601, UTC), and its id. */
export type Committed = { readonly id: string; readonly at: string; readonly event: unknown }

/** The bytes that are committed to: RFC 8785 JSON of exactly `at`, `event` and `id`. */
export function committedBytes({ id, at, event }: Committed): Uint8Array {
  return new TextEncoder().encode(canonicalJson({ at, event, id }))
}

/** `HMAC-SHA-256(salt, committed bytes)`: says nothing about the event to those who lack the salt. */
export function commitmentOf(salt: Uint8Array, committed: Uint8Array): Uint8Array {
  return hmac(sha256, salt, committed)
}

/** The entry in the public log: `{"c":"<base64 of the commitment>","v":1}`. It has no kind, time or id. */
export function entryBytes(commitment: Uint8Array): Uint8Array {
  return new TextEncoder().encode(canonicalJson({ c: encodeBase64(commitment), v: 1 }))
}

/** Reads {@link entryBytes}; undefined for an entry of another form. */
export function readEntry(entry: Uint8Array): Uint8Array | undefined {
  const base64 = /^\{"c":"([A-Za-z0-9+/=]+)","v":1\}$/.exec(new TextDecoder().decode(entry))?.[1]
  const commitment = base64 === undefined ? undefined : decodeBase64(base64)
  return commitment?.length === COMMITMENT_BYTES ? commitment : undefined
}

import { createHmac, createSecretKey } from 'node:crypto'

/** HMAC-SHA-256 by Node: faster than the one that also runs in browsers, and the same. */
export function hmacSha256(key: Uint8Array, bytes: Uint8Array | string): Uint8Array {
  // A key object: Node takes the bytes themselves five times as slowly.
  return createHmac('sha256', createSecretKey(key)).update(bytes).digest()
}

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'

const IV_BYTES = 16

/** Deterministic authenticated encryption: the same bytes give the same blob, and no number of blobs wears the key out. */
export type Siv = {
  /** 16 bytes longer than what went in. */
  readonly seal: (bytes: Uint8Array) => Buffer
  /** Undefined when the blob was made with another key, or changed. */
  readonly open: (blob: Uint8Array) => Buffer | undefined
}

/**
 * Synthetic IV (HMAC-SHA-256 of the content, its first 16 bytes) and AES-256-CTR under it: the construction of RFC 5297 with HMAC for
 * CMAC. `use` separates what one 32-byte key is used for.
 */
export function makeSiv(key: Uint8Array, use: string): Siv {
  // Key objects, not bytes: Node takes them four times as fast.
  const derive = (part: string): KeyObject =>
    createSecretKey(Buffer.from(hkdfSync('sha256', key, new Uint8Array(), `${use}/${part}`, 32)))
  const ivKey = derive('iv')
  const contentKey = derive('content')
  const ivOf = (bytes: Uint8Array): Buffer => createHmac('sha256', ivKey).update(bytes).digest().subarray(0, IV_BYTES)
  return {
    seal: (bytes) => {
      const iv = ivOf(bytes)
      return Buffer.concat([iv, createCipheriv('aes-256-ctr', contentKey, iv).update(bytes)])
    },
    open: (blob) => {
      if (blob.length < IV_BYTES) return undefined
      const iv = blob.subarray(0, IV_BYTES)
      const bytes = createDecipheriv('aes-256-ctr', contentKey, iv).update(blob.subarray(IV_BYTES))
      return timingSafeEqual(ivOf(bytes), iv) ? bytes : undefined
    },
  }
}

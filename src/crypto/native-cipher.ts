// One of the few files of this folder that need Node: `native-*.ts` alone may import `node:`.
import { createCipheriv, createDecipheriv, createHash, createSecretKey } from 'node:crypto'

export const GCM_NONCE_BYTES = 12
export const GCM_TAG_BYTES = 16
const NOTHING = new Uint8Array(0)

/** AES-256-GCM; answers the ciphertext and the 16-byte tag, apart so that nobody need copy a page to join them. */
export function encryptGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array | string,
  aad: Uint8Array = NOTHING,
): { ciphertext: Uint8Array; tag: Uint8Array } {
  // Made a key object here: Node takes the bytes themselves twice as slowly.
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce, { authTagLength: GCM_TAG_BYTES })
  cipher.setAAD(aad)
  const ciphertext = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext)
  cipher.final()
  return { ciphertext, tag: cipher.getAuthTag() }
}

/** Opens ciphertext‖tag; undefined when the tag does not match, in which case nothing of the plaintext is given away. */
export function decryptGcm(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  aad: Uint8Array = NOTHING,
): Uint8Array | undefined {
  if (sealed.length < GCM_TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), nonce, { authTagLength: GCM_TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(sealed.length - GCM_TAG_BYTES))
  const plaintext = decipher.update(sealed.subarray(0, sealed.length - GCM_TAG_BYTES))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plaintext
}

/** Base64 of ciphertext‖tag, for whole pages. */
export function encodeSealed({ ciphertext, tag }: { ciphertext: Uint8Array; tag: Uint8Array }): string {
  return Buffer.concat([ciphertext, tag]).toString('base64')
}

/** Reads strict base64 as `decodeBase64` does, many times faster for whole pages. */
export function decodeSealed(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

export function md5Hex(content: Uint8Array | string): string {
  return createHash('md5').update(content).digest('hex')
}

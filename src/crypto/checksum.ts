import { decodeBase64 } from './base64.ts'
import { md5Hex } from './native-cipher.ts'

/** `entries[].checksum` of a data push: MD5 of the content before it was sealed, in hex. Guards nothing; the GCM tag does. */
export function checksumOf(plaintext: Uint8Array | string): string {
  return md5Hex(plaintext)
}

/**
 * Compares a peer's checksum, in hex or base64. `absent` when it is none: known peers send "", "string" or "MD5"
 * (protocol sheet 2.5). `different` deserves a warning, not a refusal: some peers write the JSON anew.
 */
export function compareChecksum(sent: string, plaintext: Uint8Array | string): 'same' | 'different' | 'absent' {
  const hex = /^[0-9a-f]{32}$/i.test(sent) ? sent.toLowerCase() : hexOfBase64(sent)
  if (hex === undefined) return 'absent'
  return hex === md5Hex(plaintext) ? 'same' : 'different'
}

function hexOfBase64(text: string): string | undefined {
  const bytes = text.length === 24 ? decodeBase64(text) : undefined
  if (bytes?.length !== 16) return undefined
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

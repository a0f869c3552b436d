import { decodeBase64 } from './base64.ts'

/**
 * Compares a peer's checksum, in hex or base64, with the MD5 that `md5Hex` gives in hex. `absent` when it is none: known peers send "",
 * "string" or "MD5" (protocol sheet 2.5).
 */
export function compareDigest(sent: string, md5Hex: () => string): 'same' | 'different' | 'absent' {
  const hex = /^[0-9a-f]{32}$/i.test(sent) ? sent.toLowerCase() : hexOfBase64(sent)
  if (hex === undefined) return 'absent'
  return hex === md5Hex() ? 'same' : 'different'
}

function hexOfBase64(text: string): string | undefined {
  const bytes = text.length === 24 ? decodeBase64(text) : undefined
  if (bytes?.length !== 16) return undefined
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

import { compareDigest } from './checksum-form.ts'
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
  return compareDigest(sent, () => md5Hex(plaintext))
}

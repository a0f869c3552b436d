/** Standard base64 with padding (RFC 4648 §4), of short values; whole pages go through `native-cipher.ts`. */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

/**
 * Reads standard base64; undefined when it is anything else: no spaces, no URL alphabet, padding as it must be, unused
 * bits zero. So every value has one text, and a changed text is a changed value.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  return encodeBase64(bytes) === text ? bytes : undefined
}

/** base64url without padding (RFC 4648 §5), as JWK writes numbers and thumbprints. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

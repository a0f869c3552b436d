import { md5 } from '@noble/hashes/legacy.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { compareDigest } from './checksum-form.ts'
import { clampedKey, publicKeyPure, sharedSecretPure } from './curve25519.ts'
import { type Agreement, deriveKey, formsOfSecret, type KeyPair } from './key-agreement.ts'

/** The twin of `sealing.ts` for a browser: the same bytes by plain point arithmetic and WebCrypto. */

/** A key pair whose private half never leaves the page that made it. */
export function makeBrowserKeyPair(random: (bytes: number) => Uint8Array): KeyPair {
  const privateKey = clampedKey(random(32))
  return { privateKey, publicKey: publicKeyPure(privateKey) }
}

/** Opens `entries[].content` as `open` of `sealing.ts` does; refuses with `crypto/not-authentic`. */
export async function openInBrowser(
  input: Agreement & { readonly content: string },
): Promise<Uint8Array<ArrayBuffer> | Refusal> {
  const sealed = bytesOf(input.content)
  if (sealed === undefined)
    return refuse('crypto/not-authentic', 'The content is not standard base64 with padding.', 'content')
  for (const form of formsOfSecret(sharedSecretPure(input.own.privateKey, input.peer.point))) {
    const { key, iv } = deriveKey(form, input)
    const plaintext = await decrypt(key, iv, sealed)
    if (plaintext !== undefined) return plaintext
  }
  return refuse('crypto/not-authentic', undefined, 'content')
}

/** Compares a peer's checksum as `compareChecksum` does, with MD5 in plain code: browsers have none. */
export function compareChecksumInBrowser(sent: string, plaintext: Uint8Array): 'same' | 'different' | 'absent' {
  return compareDigest(sent, () => bytesToHex(md5(plaintext)))
}

async function decrypt(
  key: Uint8Array,
  iv: Uint8Array,
  sealed: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { subtle } = globalThis.crypto
  const imported = await subtle.importKey('raw', new Uint8Array(key), 'AES-GCM', false, ['decrypt'])
  try {
    return new Uint8Array(await subtle.decrypt({ name: 'AES-GCM', iv: new Uint8Array(iv) }, imported, sealed))
  } catch {
    // WebCrypto says no more than that the tag does not match.
    return undefined
  }
}

/** Strict base64, as `decodeBase64` reads it; in slices, since a page has megabytes. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  const match = /^[A-Za-z0-9+/]*(={0,2})$/.exec(text)
  if (match === null || text.length % 4 !== 0) return undefined
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return text.length === 0 || hasCleanEnd(text, bytes) ? bytes : undefined
}

/** Unused bits of the last group must be zero: a changed text is a changed value. */
function hasCleanEnd(text: string, bytes: Uint8Array): boolean {
  const last = bytes.subarray(bytes.length - (bytes.length % 3 === 0 ? 3 : bytes.length % 3))
  return text.endsWith(btoa(String.fromCharCode(...last)))
}

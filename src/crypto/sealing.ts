import { type Refusal, refuse } from '../kernel/refusal.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'
import { clampedKey, encodeCoordinate, scalarOf } from './curve25519.ts'
import { type Agreement, deriveKey, formsOfSecret, type KeyPair } from './key-agreement.ts'
import { decodeSealed, decryptGcm, encodeSealed, encryptGcm } from './native-cipher.ts'
import { publicKeyNative, sharedSecretNative } from './native-exchange.ts'

export function makeKeyPair(random: (bytes: number) => Uint8Array): KeyPair {
  const privateKey = clampedKey(random(32))
  return { privateKey, publicKey: publicKeyNative(privateKey) }
}

/** The private half as ABDM tools write it, base64 of the big-endian scalar: keep it encrypted, and no longer than needed. */
export function exportPrivateKey(pair: KeyPair): string {
  return encodeBase64(pair.privateKey)
}

/** Reads what {@link exportPrivateKey} wrote, or any other ABDM tool; throws when it is no private key. */
export function importPrivateKey(text: string): KeyPair {
  const privateKey = encodeCoordinate(scalarOf(decodeBase64(text) ?? new Uint8Array(0)))
  return { privateKey, publicKey: publicKeyNative(privateKey) }
}

/**
 * Seals one document for `peer` (protocol sheet 6.1): base64 of AES-256-GCM ciphertext and tag. Key and IV depend only on
 * the two keys and nonces, so a second document needs a new key pair and nonce: one entry a page, fresh keys a page.
 */
export function seal(input: Agreement & { readonly plaintext: Uint8Array | string }): string {
  const secret = sharedSecretNative(input.own.privateKey, input.peer.point)
  const { key, iv } = deriveKey(secret, input)
  return encodeSealed(encryptGcm(key, iv, input.plaintext))
}

/**
 * Opens `entries[].content`. Refuses with `crypto/not-authentic` whatever was changed, or sealed for another key. About one
 * exchange in 256 has a secret that begins with a zero byte, which several peers drop before HKDF (protocol sheet 6.2):
 * their form is tried second. `browser-sealing.ts` is its twin for browsers.
 */
export function open(input: Agreement & { readonly content: string }): Uint8Array | Refusal {
  const sealed = decodeSealed(input.content)
  if (sealed === undefined) {
    return refuse('crypto/not-authentic', 'The content is not standard base64 with padding.', 'content')
  }
  for (const form of formsOfSecret(sharedSecretNative(input.own.privateKey, input.peer.point))) {
    const { key, iv } = deriveKey(form, input)
    const plaintext = decryptGcm(key, iv, sealed)
    if (plaintext !== undefined) return plaintext
  }
  return refuse('crypto/not-authentic', undefined, 'content')
}

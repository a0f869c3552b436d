// One of the few files of this folder that need Node: `native-*.ts` alone may import `node:`.
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, sign, verify } from 'node:crypto'
import { promisify } from 'node:util'

/** An RSA key held by OpenSSL. */
export type RsaKey = KeyObject

const generate = promisify(generateKeyPair)

/** A new RSA-2048 key with exponent 65537, as PKCS #8 PEM. The randomness is OpenSSL's own. */
export async function generateRsaPem(): Promise<string> {
  const { privateKey } = await generate('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Reads a private key in PEM; undefined when it is none. */
export function readPrivatePem(pem: string): RsaKey | undefined {
  return unlessThrown(() => createPrivateKey(pem))
}

/** Reads a public key in PEM (SubjectPublicKeyInfo); undefined when it is none. */
export function readPublicPem(pem: string): RsaKey | undefined {
  // Node would also take a private key here and derive the public one: a caller with that has lost a secret.
  return pem.includes('PRIVATE KEY') ? undefined : unlessThrown(() => createPublicKey(pem))
}

/** Reads n and e of a JWK; undefined when they make no key. */
export function readPublicJwk(n: string, e: string): RsaKey | undefined {
  return unlessThrown(() => createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }))
}

/** n and e, base64url, of a private or public RSA key. */
export function publicParts(key: RsaKey): { n: string; e: string } {
  const { n, e } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  if (typeof n !== 'string' || typeof e !== 'string') throw new Error('OpenSSL gave an RSA key without n or e')
  return { n, e }
}

/** Whether a key is plain RSA (not RSA-PSS, not EC), of at least 2048 bits, with an odd exponent of 3 or more. */
export function isStrongRsa(key: RsaKey): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  const isSound = publicExponent >= 3n && publicExponent % 2n === 1n
  return key.asymmetricKeyType === 'rsa' && modulusLength >= 2048 && modulusLength <= 8192 && isSound
}

/** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2; RS256 of RFC 7518 §3.3). */
export function signRs256(key: RsaKey, bytes: Uint8Array): Uint8Array {
  return sign('sha256', bytes, key)
}

export function verifyRs256(key: RsaKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify('sha256', bytes, key, signature)
}

function unlessThrown(read: () => RsaKey): RsaKey | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

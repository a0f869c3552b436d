import { sha256 } from '@noble/hashes/sha2.js'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { decodeBase64, encodeBase64, encodeBase64Url } from './base64.ts'
import { canonicalJson, NotCanonical } from './canonical-json.ts'
import {
  generateRsaPem,
  isStrongRsa,
  publicParts,
  type RsaKey,
  readPrivatePem,
  readPublicJwk,
  readPublicPem,
  signRs256,
  verifyRs256,
} from './native-rsa.ts'

/** A public key for RS256 as our JWKS shows it (RFC 7517); `kid` is the thumbprint of RFC 7638. */
export type RsaPublicJwk = {
  readonly kty: 'RSA'
  readonly n: string
  readonly e: string
  readonly kid: string
  readonly use: 'sig'
  readonly alg: 'RS256'
}

/** A JWK as somebody sends it: only what {@link verifyDetached} looks at. */
export type ForeignJwk = {
  readonly kty?: unknown
  readonly n?: unknown
  readonly e?: unknown
  readonly use?: unknown
  readonly alg?: unknown
}

/** A private key that is ready to sign, with the public half that others verify by. */
export type SigningKey = {
  readonly kid: string
  readonly publicJwk: RsaPublicJwk
  readonly privateKey: RsaKey
  /** Keys before this one: what they signed is still believed. */
  readonly older?: readonly RsaPublicJwk[]
}

/** Makes an RSA-2048 key as PKCS #8 PEM: store that encrypted, and read it with {@link importSigningKey}. */
export async function generateSigningKey(): Promise<string> {
  return generateRsaPem()
}

/** Reads a private RSA key in PEM; throws when it is none, or too weak: our own key file is broken then. */
export function importSigningKey(pem: string): SigningKey {
  const privateKey = readPrivatePem(pem)
  if (privateKey === undefined || !isStrongRsa(privateKey)) {
    throw new Error('a signing key is a private RSA key of at least 2048 bits in PKCS #8 PEM')
  }
  const { n, e } = publicParts(privateKey)
  const kid = thumbprint({ n, e })
  return { kid, privateKey, publicJwk: { kty: 'RSA', n, e, kid, use: 'sig', alg: 'RS256' } }
}

/** JWK thumbprint (RFC 7638) of an RSA key: base64url of SHA-256. */
export function thumbprint({ n, e }: { readonly n: string; readonly e: string }): string {
  return encodeBase64Url(sha256(bytesToSign({ e, kty: 'RSA', n })))
}

/** Signs the UTF-8 bytes of `value`'s canonical JSON (RFC 8785) by RS256; base64, 344 characters for RSA-2048. */
export function signDetached(key: SigningKey, value: unknown): string {
  return encodeBase64(signRs256(key.privateKey, bytesToSign(value)))
}

/**
 * Checks a signature of {@link signDetached}. `publicKey` is a JWK or SubjectPublicKeyInfo in PEM. Refuses with
 * `crypto/signing-key-malformed` for the key, `crypto/signature-invalid` for all else.
 */
export function verifyDetached(publicKey: ForeignJwk | string, value: unknown, signature: string): true | Refusal {
  const key = parsePublicKey(publicKey)
  if (isRefusal(key)) return key
  const bytes = decodeBase64(signature)
  if (bytes === undefined)
    return refuse('crypto/signature-invalid', 'The signature is not standard base64.', 'signature')
  try {
    return verifyRs256(key, bytesToSign(value), bytes) || refuse('crypto/signature-invalid', undefined, 'signature')
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error
    return refuse('crypto/signature-invalid', 'What was signed has no canonical JSON (RFC 8785).')
  }
}

function bytesToSign(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value))
}

function parsePublicKey(publicKey: ForeignJwk | string): RsaKey | Refusal {
  const key = typeof publicKey === 'string' ? readPublicPem(publicKey) : readJwk(publicKey)
  return key !== undefined && isStrongRsa(key) ? key : refuse('crypto/signing-key-malformed')
}

function readJwk({ kty, n, e, use = 'sig', alg = 'RS256' }: ForeignJwk): RsaKey | undefined {
  if (kty !== 'RSA' || use !== 'sig' || alg !== 'RS256') return undefined
  return typeof n === 'string' && typeof e === 'string' ? readPublicJwk(n, e) : undefined
}

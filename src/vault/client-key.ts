import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'

/** The key with which this party proves itself as a client of others: ES384, its public half is published. */
export type ClientKey = {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicJwk: Readonly<Record<string, string>>
}

/** Makes a P-384 key as PKCS #8 PEM. */
export function makeClientKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** Reads a private P-384 key; throws when it is another: our own key file is broken then. `kid` is the thumbprint of RFC 7638. */
export async function importClientKey(pem: string): Promise<ClientKey> {
  const privateKey = createPrivateKey(pem)
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'secp384r1')
    throw new Error('a client key is a private P-384 key in PKCS #8 PEM')
  const { kty = '', crv = '', x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const kid = await calculateJwkThumbprint({ kty, crv, x, y })
  return { kid, privateKey, publicJwk: { kty, crv, x, y, kid, use: 'sig', alg: 'ES384' } }
}

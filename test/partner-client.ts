import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose'

/** A key pair of a partner, as its software would hold it. */
export type TestKey = { readonly kid: string; readonly alg: string; readonly privateKey: KeyObject; readonly jwk: JWK }

export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export async function makeTestKey(
  alg: 'ES384' | 'ES256' | 'RS384' | 'EdDSA' = 'ES384',
  kid?: string,
): Promise<TestKey> {
  const { privateKey, publicKey } =
    alg === 'RS384'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: alg === 'ES384' ? 'P-384' : 'P-256' })
  const bare = await exportJWK(publicKey)
  const name = kid ?? (await calculateJwkThumbprint(bare))
  return { kid: name, alg, privateKey, jwk: { ...bare, kid: name, use: 'sig', alg } }
}

type Assertion = {
  readonly clientId: string
  readonly tokenUrl: string
  readonly now: Date
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

/** A client assertion (RFC 7523); `claims` and `header` change what is usual. */
export function assertionOf(
  key: TestKey,
  { clientId, tokenUrl, now, claims = {}, header = {} }: Assertion,
): Promise<string> {
  const iat = Math.floor(now.getTime() / 1000)
  const usual = { iss: clientId, sub: clientId, aud: tokenUrl, iat, exp: iat + 300, jti: randomUUID() }
  return new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.privateKey)
}

type Proof = {
  readonly method: string
  readonly url: string
  readonly now: Date
  readonly token?: string
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

/** A DPoP proof (RFC 9449). */
export function dpopOf(key: TestKey, { method, url, now, token, claims = {}, header = {} }: Proof): Promise<string> {
  const { kty, crv, x, y, n, e } = key.jwk
  const jwk = Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined))
  const ath = token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }
  const usual = { htm: method, htu: url, iat: Math.floor(now.getTime() / 1000), jti: randomUUID(), ...ath }
  return new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ alg: key.alg, typ: 'dpop+jwt', jwk, ...header } as never)
    .sign(key.privateKey)
}

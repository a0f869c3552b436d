import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, type JWK, SignJWT } from 'jose'

import { comeBack } from './come-back.ts'
import { textAt } from './json-path.ts'
import type { TestNetwork } from './network.ts'

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

/** Admits a partner's software at a running party, for all scopes, and gets it a token: bound to a fresh key, or good for its holder. */
export async function partnerToken(
  network: TestNetwork,
  party: string,
  options: { readonly bearerAllowed: boolean; readonly facilities?: readonly string[] },
): Promise<string> {
  const key = await makeTestKey()
  const { url } = network.party(party)
  const admission = {
    name: 'Software of a partner',
    facilities: ['IN2710000011'],
    scopes: ['system/*.cruds'],
    jwks: { keys: [key.jwk] },
    ...options,
  }
  const { body } = await network.operator(party, '/v1/partners', admission)
  const tokenUrl = `${url}/oauth/token`
  const now = new Date()
  const answer = await comeBack(tokenUrl, {
    method: 'POST',
    headers: options.bearerAllowed ? {} : { dpop: await dpopOf(key, { method: 'POST', url: tokenUrl, now }) },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/*.cruds',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await assertionOf(key, { clientId: textAt(body, 'clientId'), tokenUrl, now }),
    }),
  })
  return textAt(await answer.json(), 'access_token')
}

/** How partners' software may come to `party`: with a token that is good for whoever holds it; and with what is worth nothing here. */
export async function partnerWays(network: TestNetwork, party: string, other: string) {
  const { url } = network.party(party)
  const free = await partnerToken(network, party, { bearerAllowed: true })
  const neighbour = await partnerToken(network, party, { bearerAllowed: true, facilities: ['IN2910000022'] })
  const bound = await partnerToken(network, party, { bearerAllowed: false })
  const foreign = await partnerToken(network, other, { bearerAllowed: true })
  const dpop = await dpopOf(await makeTestKey(), { method: 'GET', url, now: new Date(), token: bound })
  return [
    { name: 'a partner', headers: { authorization: `Bearer ${free}` }, proves: 'partner' },
    { name: 'a partner for another facility', headers: { authorization: `Bearer ${neighbour}` }, proves: 'partner' },
    { name: 'a partner in X-AUTH-TOKEN', headers: { 'X-AUTH-TOKEN': free } },
    { name: 'a partner of another party', headers: { authorization: `Bearer ${foreign}` } },
    { name: 'a stolen token of a partner', headers: { authorization: `DPoP ${bound}` } },
    { name: 'a stolen token of a partner as bearer', headers: { authorization: `Bearer ${bound}` } },
    { name: 'a stolen token with a key of the thief', headers: { authorization: `DPoP ${bound}`, dpop } },
  ] as const
}

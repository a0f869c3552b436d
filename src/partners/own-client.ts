import { SignJWT } from 'jose'
import { z } from 'zod'
import type { Machine } from '../db/tx.ts'
import type { Outbound } from '../http/outbound.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { ClientKey } from '../vault/client-key.ts'
import { hashOfToken } from './dpop.ts'
import { ASSERTION_TYPE, TOKEN_PATH } from './token-commands.ts'

type Clock = Pick<Machine, 'now' | 'random'>
type Unreachable = { readonly unreachable: string }

/** This party as a client of another one of ours: `private_key_jwt` and tokens that are bound to its key, or to its certificate. */
export type OwnClient = {
  /** What a call has to carry; made anew for each call. */
  readonly headers: (
    machine: Clock,
    method: string,
    url: string,
  ) => Promise<Readonly<Record<string, string>> | Unreachable>
  /** After a 401: forget the token. */
  readonly forget: () => void
}

export type OwnClientNeeds = {
  readonly outbound: Outbound
  /** Public address of the other party. */
  readonly baseUrl: string
  readonly clientId: string
  readonly key: ClientKey
  readonly scopes: readonly string[]
  /** Tokens are bound to the certificate that `outbound` presents, in place of the key. */
  readonly boundByCertificate: boolean
}

const answer = z.object({
  access_token: z.string().min(1),
  token_type: z.string(),
  expires_in: z.number().positive(),
})
const RENEW_BEFORE_MS = 30_000
const ASSERTION_LIFE_S = 60

export function makeOwnClient(needs: OwnClientNeeds): OwnClient {
  let kept: { readonly token: string; readonly untilMs: number } | undefined
  let underWay: Promise<string | Unreachable> | undefined
  const fetchToken = async (machine: Clock): Promise<string | Unreachable> => {
    const now = machine.now()
    const fetched = await askToken(needs, machine)
    if ('unreachable' in fetched) return fetched
    kept = { token: fetched.token, untilMs: now.getTime() + fetched.lifeMs - RENEW_BEFORE_MS }
    return kept.token
  }
  return {
    forget: () => (kept = undefined),
    headers: async (machine, method, url) => {
      const isGood = kept !== undefined && kept.untilMs > machine.now().getTime()
      underWay ??= isGood ? undefined : fetchToken(machine).finally(() => (underWay = undefined))
      const token = isGood && kept !== undefined ? kept.token : await underWay
      if (token === undefined) return { unreachable: 'the exchange gave no token' }
      if (typeof token !== 'string') return token
      if (needs.boundByCertificate) return { authorization: `Bearer ${token}` }
      return { authorization: `DPoP ${token}`, DPoP: await proofFor(needs.key, machine, { method, url, token }) }
    },
  }
}

async function askToken(
  needs: OwnClientNeeds,
  machine: Clock,
): Promise<{ readonly token: string; readonly lifeMs: number } | Unreachable> {
  const url = `${needs.baseUrl}${TOKEN_PATH}`
  const outcome = await needs.outbound.call({
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...(needs.boundByCertificate ? {} : { DPoP: await proofFor(needs.key, machine, { method: 'POST', url }) }),
    },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: needs.scopes.join(' '),
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await assertionFor(needs, machine, url),
    }).toString(),
  })
  if (outcome.kind !== 'answered') return { unreachable: `the exchange gave no token: ${outcome.reason}` }
  const text = outcome.body.toString('utf8')
  if (outcome.status !== 200)
    return {
      unreachable: `the exchange gave no token: it answered ${outcome.status} ${text.slice(0, LIMITS.textCharsMax)}`,
    }
  const parsed = answer.safeParse(readJson(text))
  return parsed.success
    ? { token: parsed.data.access_token, lifeMs: parsed.data.expires_in * 1000 }
    : { unreachable: 'the exchange answered with something that is not a token' }
}

function assertionFor({ clientId, key }: OwnClientNeeds, machine: Clock, audience: string): Promise<string> {
  const issuedAtS = Math.floor(machine.now().getTime() / 1000)
  return new SignJWT({ jti: freshId(machine) })
    .setProtectedHeader({ alg: 'ES384', kid: key.kid, typ: 'JWT' })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setIssuedAt(issuedAtS)
    .setExpirationTime(issuedAtS + ASSERTION_LIFE_S)
    .sign(key.privateKey)
}

/** A DPoP proof for one call (RFC 9449 §4.2). */
function proofFor(
  key: ClientKey,
  machine: Clock,
  { method, url, token }: { readonly method: string; readonly url: string; readonly token?: string },
): Promise<string> {
  const { kty = '', crv = '', x = '', y = '' } = key.publicJwk
  const [address = ''] = url.split(/[?#]/)
  return new SignJWT({
    htm: method,
    htu: address,
    jti: freshId(machine),
    ...(token === undefined ? {} : { ath: hashOfToken(token) }),
  })
    .setProtectedHeader({ alg: 'ES384', typ: 'dpop+jwt', jwk: { kty, crv, x, y } })
    .setIssuedAt(Math.floor(machine.now().getTime() / 1000))
    .sign(key.privateKey)
}

function freshId(machine: Clock): string {
  return Buffer.from(machine.random(16)).toString('base64url')
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The caller says that it is no token.
    return undefined
  }
}

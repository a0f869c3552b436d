import type { Id } from '../kernel/id.ts'
import { parseLogin } from './staff.ts'

/** A facility's provider of single sign-on (OpenID Connect), as the settings name it. */
export type SsoSettings = {
  /** What stands on the button. */
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  readonly proof:
    | { readonly clientSecret: string }
    | { readonly privateKeyJwk: { readonly [name: string]: unknown; readonly kty: string } }
  readonly scope: string
  /** Which claim says a person's login here; with a domain, the claim ends in `@domain`, which is left out. */
  readonly login: { readonly claim: string; readonly domain?: string | undefined }
  /** What the provider says when it asked for a second factor itself; nothing here, and ours is asked for. */
  readonly secondFactor: { readonly acr: readonly string[]; readonly amr: readonly string[] }
}

/** A person as the provider names her. */
export type SsoIdentity = {
  readonly issuer: string
  readonly subject: string
  /** Undefined when the claim is missing, not verified, or no login. */
  readonly login: string | undefined
  readonly hasSecondFactor: boolean
  /** The session there, where the provider names it (OIDC Back-Channel Logout §2.1). */
  readonly sid: string | undefined
}

/** With which sign-in at the provider a session here began. */
export type SsoSession = Pick<SsoIdentity, 'issuer' | 'subject' | 'sid'>

/** The link between what the provider calls a person and her account here. */
export type SsoLink = {
  readonly staff: Id<'staff'>
  readonly linkedAt: Date
  readonly usedAt: Date | undefined
}

type Claims = Readonly<Record<string, unknown>>

/** The login that the claims say. An e-mail address counts only where the provider says that it verified it (OIDC Core §5.1). */
export function loginOfClaims({ login }: Pick<SsoSettings, 'login'>, claims: Claims): string | undefined {
  const value = claims[login.claim]
  if (typeof value !== 'string') return undefined
  if (login.claim === 'email' && claims['email_verified'] !== true) return undefined
  if (login.domain === undefined) return parseLogin(value)
  const end = `@${login.domain.toLowerCase()}`
  return value.toLowerCase().endsWith(end) ? parseLogin(value.slice(0, -end.length)) : undefined
}

/** Whether the provider says that it asked for a second factor, in the words that the settings accept (OIDC Core §2, RFC 8176). */
export function hasSecondFactor({ secondFactor }: Pick<SsoSettings, 'secondFactor'>, { acr, amr }: Claims): boolean {
  if (typeof acr === 'string' && secondFactor.acr.includes(acr)) return true
  return Array.isArray(amr) && amr.some((each) => secondFactor.amr.includes(String(each)))
}

/** What a proved logout token says: `sid` ends one session there, `sub` alone all of the person's. */
export type SsoLogout = {
  readonly issuer: string
  readonly subject?: string
  readonly sid?: string
  readonly jti: string
  readonly issuedAt: Date
}

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/**
 * Reads the claims of a logout token whose signature, issuer, audience and time are proved (OIDC Back-Channel Logout §2.4, §2.6): it has
 * the event of a logout, names whom it ends, has an id, and is no ID token. Undefined for any other.
 */
export function logoutOfClaims(claims: Claims): SsoLogout | undefined {
  const { iss, sub, sid, jti, iat, events } = claims
  if ('nonce' in claims || typeof iss !== 'string' || typeof iat !== 'number' || !isText(jti)) return undefined
  const event = isObject(events) ? events[LOGOUT_EVENT] : undefined
  if (!isObject(event)) return undefined
  if ((sub !== undefined && !isText(sub)) || (sid !== undefined && !isText(sid))) return undefined
  if (sub === undefined && sid === undefined) return undefined
  const whom = { ...(sub === undefined ? {} : { subject: sub }), ...(sid === undefined ? {} : { sid }) }
  return { issuer: iss, ...whom, jti, issuedAt: new Date(iat * 1_000) }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 500
const isObject = (value: unknown): value is Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

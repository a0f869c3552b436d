import type { AuditEvent } from '../audit/record.ts'
import type { FacilityId } from '../kernel/id.ts'

/** How a client shows its public keys, where it signs assertions. */
export type ClientKeys =
  | { readonly kind: 'inline'; readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] } }
  | { readonly kind: 'published'; readonly address: string }

/** How it is known by TLS (RFC 8705): certificates of its own, or one of a trusted authority for this host name. */
export type ClientCertificates = { readonly thumbprints: readonly string[]; readonly host?: string }

/** Software of a partner that asks for tokens by itself: a laboratory's system, an insurer's, a facility of ours. */
export type Client = {
  readonly clientId: string
  readonly name: string
  readonly facilities: readonly FacilityId[]
  readonly scopes: readonly string[]
  readonly keys?: ClientKeys
  readonly certificates: ClientCertificates
  /** Tokens that are bound to no key are given out: only where an operator decided so, for software that cannot do better. */
  readonly bearerAllowed: boolean
  readonly status: 'active' | 'suspended'
  /** Tokens made before are void. */
  readonly tokensFrom: Date
}

export const MOVES = { active: ['suspended'], suspended: ['active'] } as const satisfies Record<
  Client['status'],
  readonly Client['status'][]
>

export const EVENTS = {
  'partners.client-registered':
    'The operator admitted software of a partner, with its keys or certificates and scopes.',
  'partners.client-keys-changed':
    'Software of a partner proves itself by other keys or certificates; its tokens are void.',
  'partners.client-suspended': 'Software of a partner was shut out: it gets no tokens, those it has are void.',
  'partners.client-resumed': 'Software of a partner was let in again.',
  'partners.token-issued': 'Software of a partner got a token for minutes.',
  'partners.assertion-replayed': 'A proof that a partner signed came a second time: somebody may have stolen it.',
  'partners.decision-asked': 'Software of a partner asked whether something may be shared; nothing was.',
  'partners.receipt-fetched': 'Software of a partner fetched a receipt of what its own facility received, sent or did.',
} as const

export type ClientEvent = AuditEvent & { readonly type: keyof typeof EVENTS; readonly subject: string }

/** An https address, or http where private networks are called at all; checked again at each call. */
export function isKeyAddress(text: string): boolean {
  if (!URL.canParse(text) || text.length > 2_000) return false
  const { protocol, username, password, hash } = new URL(text)
  return /^https?:$/.test(protocol) && username === '' && password === '' && hash === ''
}

import { z } from 'zod'
import type { Machine } from '../db/tx.ts'
import type { Outbound } from '../http/outbound.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { makeId } from '../kernel/id.ts'
import type { OwnClient } from '../partners/own-client.ts'
import type { Sender } from './send.ts'

/** How a facility reaches its exchange, ours or a national gateway. */
export type ExchangeAccess = {
  /** Ends in `/api/hiecm`. */
  readonly baseUrl: string
  /** Base of the native API (`/v1/…`); absent behind a gateway that has none. */
  readonly nativeUrl: string | undefined
  readonly cmId: string
  readonly clientId: string
  readonly clientSecret: string
}

export type SessionTokens = {
  /** A valid access token, or why there is none. */
  readonly token: (machine: Pick<Machine, 'now' | 'random'>) => Promise<string | { readonly unreachable: string }>
  readonly forget: () => void
  /** That the exchange refused our client id or secret when it was asked last: only an operator can mend that. */
  readonly trouble: () => string | undefined
}

const sessionAnswer = z.object({ accessToken: z.string().min(1), expiresIn: z.number().positive() })
/** Tokens are renewed this long before their end (protocol sheet 1.5). */
const RENEW_BEFORE_MS = 30_000

/** Keeps one session with the exchange: fetched when needed, renewed before its end, forgotten after a 401. */
export function makeSessionTokens(access: ExchangeAccess, outbound: Outbound): SessionTokens {
  let kept: { readonly token: string; readonly untilMs: number } | undefined
  let underWay: Promise<string | { readonly unreachable: string }> | undefined
  let refused = false

  const fetchToken = async (
    machine: Pick<Machine, 'now' | 'random'>,
  ): Promise<string | { readonly unreachable: string }> => {
    const now = machine.now()
    const outcome = await outbound.call({
      method: 'POST',
      url: `${access.baseUrl}/gateway/v3/sessions`,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'REQUEST-ID': makeId(now, machine.random, bucketOf(access.clientId)),
        TIMESTAMP: now.toISOString(),
        'X-CM-ID': access.cmId,
      },
      body: JSON.stringify({
        clientId: access.clientId,
        clientSecret: access.clientSecret,
        grantType: 'client_credentials',
      }),
    })
    if (outcome.kind !== 'answered') return { unreachable: `the exchange gave no session: ${outcome.reason}` }
    refused = outcome.status === 401 || outcome.status === 403
    if (outcome.status >= 300)
      return { unreachable: `the exchange refused our client id or secret (${outcome.status})` }
    const parsed = sessionAnswer.safeParse(readJson(outcome.body.toString('utf8')))
    if (!parsed.success) return { unreachable: 'the exchange answered with something that is not a session' }
    kept = { token: parsed.data.accessToken, untilMs: now.getTime() + parsed.data.expiresIn * 1000 - RENEW_BEFORE_MS }
    return kept.token
  }
  return {
    forget: () => (kept = undefined),
    trouble: () => (refused ? 'a session: the exchange refuses our client id or secret' : undefined),
    token: async (machine) => {
      if (kept && kept.untilMs > machine.now().getTime()) return kept.token
      underWay ??= fetchToken(machine).finally(() => (underWay = undefined))
      return underWay
    },
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** How a facility calls its exchange: ABDM below the base URL, or the native API where there is one. */
export function facilitySender(access: ExchangeAccess, tokens: SessionTokens, client: OwnClient | undefined): Sender {
  return {
    tokenRefused: () => {
      tokens.forget()
      client?.forget()
    },
    address: async (machine, outgoing) => {
      if (outgoing.to.kind === 'native' && access.nativeUrl !== undefined && client !== undefined) {
        // ABDM's session opens ABDM's paths only: on our own wire we prove ourselves by our key.
        const url = `${access.nativeUrl}${outgoing.path}`
        const headers = await client.headers(machine, 'POST', url)
        return typeof headers['unreachable'] === 'string'
          ? { unreachable: headers['unreachable'], final: false }
          : { url, headers, peer: 'exchange' }
      }
      const base = outgoing.to.kind === 'exchange' ? access.baseUrl : undefined
      if (base === undefined) return { unreachable: `no address is configured for ${outgoing.to.kind}`, final: true }
      const token = await tokens.token(machine)
      if (typeof token !== 'string') return { ...token, final: false }
      return {
        url: `${base}${outgoing.path}`,
        headers: { authorization: `Bearer ${token}`, 'X-CM-ID': access.cmId },
        peer: 'exchange',
      }
    },
  }
}

import { createHash, timingSafeEqual } from 'node:crypto'
import type { Authenticate } from '../http/server.ts'
import { isLoopback } from '../http/web-origin.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'

/**
 * Whether this party may serve a console that asks for no password: to this machine, where both the door and the address that others use
 * are of this machine (a proxy in front would let the world in); or to everybody, when its settings say `open`.
 */
export function mayServeConsole(config: {
  readonly sandbox: boolean
  readonly console: 'loopback' | 'open'
  readonly listen: { readonly host: string }
  readonly publicUrl: string
}): boolean {
  if (!config.sandbox) return false
  return config.console === 'open' || (isLoopback(config.listen.host) && isLoopback(new URL(config.publicUrl).hostname))
}

/**
 * Why a call does not come from a page of this party, opened in a browser; undefined when it does. By `Host`, so that no other name leads here (DNS rebinding); by `Sec-Fetch-Site` and
 * `Origin`, which browsers set and pages cannot, so that no other site calls.
 */
function ownPageFault(
  headers: Readonly<Record<string, string | undefined>>,
  origins: readonly string[],
): Refusal | undefined {
  const { host = '', origin } = headers
  const site = headers['sec-fetch-site']
  if (!origins.some((own) => new URL(own).host === host.toLowerCase()))
    return refuse('auth/cross-site', `Open this page as ${origins.join(' or ')}.`, 'Host')
  if (origin !== undefined && !origins.includes(origin))
    return refuse('auth/cross-site', 'Only our own page may call here.', 'Origin')
  if (site === undefined)
    return refuse('auth/missing-token', 'Only our own page may call here. Programs use /v1/sandbox.')
  return site === 'same-origin'
    ? undefined
    : refuse('auth/cross-site', 'Only our own page may call here.', 'Sec-Fetch-Site')
}

/** Lets in the own pages of a party in a sandbox, to read, and nobody else: no other site that is open in the same browser. */
export function ownPageCheck(needs: { readonly origins: readonly string[] }): Authenticate {
  return async (_tx, headers, { method }) => {
    const fault = ownPageFault(headers, needs.origins)
    if (fault !== undefined) return fault
    return method === 'GET' ? { kind: 'operator', name: 'sandbox page' } : refuse('auth/forbidden')
  }
}

/** Lets in the console's own page and nobody else; what changes something needs the word that only our page could read. */
export function consoleCheck(needs: { readonly origins: readonly string[]; readonly word: string }): Authenticate {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const wanted = digest(needs.word)
  return async (_tx, headers, { method }) => {
    const fault = ownPageFault(headers, needs.origins)
    if (fault !== undefined) return fault
    if (method === 'GET') return { kind: 'operator', name: 'console' }
    if (headers['origin'] === undefined)
      return refuse('auth/cross-site', 'The call does not say where it comes from.', 'Origin')
    const sent = headers['x-csrf']
    if (sent === undefined || !timingSafeEqual(digest(sent), wanted))
      return refuse('auth/cross-site', 'X-CSRF is not what GET /v1/console/session answers.', 'X-CSRF')
    return { kind: 'operator', name: 'console' }
  }
}

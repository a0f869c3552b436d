import { createHash, timingSafeEqual } from 'node:crypto'
import type { Authenticate } from '../http/server.ts'
import { isLoopback } from '../http/web-origin.ts'
import { refuse } from '../kernel/refusal.ts'

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
 * Lets in the console's own page and nobody else. By `Host`, so that no other name leads here (DNS rebinding); by `Sec-Fetch-Site` and
 * `Origin`, which browsers set and pages cannot, so that no other site calls; and what changes something needs the word that only our
 * page could read.
 */
export function consoleCheck(needs: { readonly origins: readonly string[]; readonly word: string }): Authenticate {
  const hosts = needs.origins.map((origin) => new URL(origin).host)
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const wanted = digest(needs.word)
  return async (_tx, headers, { method }) => {
    const { host = '', origin } = headers
    const site = headers['sec-fetch-site']
    if (!hosts.includes(host.toLowerCase()))
      return refuse('auth/cross-site', `Open the console as ${needs.origins.join(' or ')}.`, 'Host')
    if (origin !== undefined && !needs.origins.includes(origin))
      return refuse('auth/cross-site', 'Only the console’s own page may call here.', 'Origin')
    if (site === undefined)
      return refuse('auth/missing-token', 'Only the console’s own page may call here. Programs use /v1/sandbox.')
    if (site !== 'same-origin')
      return refuse('auth/cross-site', 'Only the console’s own page may call here.', 'Sec-Fetch-Site')
    if (method === 'GET') return { kind: 'operator', name: 'console' }
    if (origin === undefined) return refuse('auth/cross-site', 'The call does not say where it comes from.', 'Origin')
    const sent = headers['x-csrf']
    if (sent === undefined || !timingSafeEqual(digest(sent), wanted))
      return refuse('auth/cross-site', 'X-CSRF is not what GET /v1/console/session answers.', 'X-CSRF')
    return { kind: 'operator', name: 'console' }
  }
}

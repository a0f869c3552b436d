import { timingSafeEqual } from 'node:crypto'
import { type Refusal, refuse } from '../kernel/refusal.ts'

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1|\[::1\])$/

/** Whether a host name or address is of this machine alone. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host)

/**
 * Where the web apps of a party may be opened: its public URL, and by the name `localhost` when that is this machine (a passkey needs a
 * name, an address will not do).
 */
export function webOriginsOf(publicUrl: string): readonly string[] {
  const { origin, hostname, protocol, port } = new URL(publicUrl)
  const byName = `${protocol}//localhost${port === '' ? '' : `:${port}`}`
  return isLoopback(hostname) && byName !== origin ? [origin, byName] : [origin]
}

/**
 * A call that changes something and is believed because of a cookie must come from a page of ours: by `Origin`, which a browser sets and
 * no page can, and by the session's own word, which no other site can read. Undefined when it does, or changes nothing.
 */
export function crossSiteFault(
  call: { readonly method: string; readonly headers: Readonly<Record<string, string | undefined>> },
  expected: { readonly origins: readonly string[]; readonly csrf: string },
): Refusal | undefined {
  if (call.method === 'GET') return undefined
  const { origin } = call.headers
  if (origin === undefined || !expected.origins.includes(origin))
    return refuse('auth/cross-site', 'The call does not come from a page of ours.', 'Origin')
  const sent = Buffer.from(call.headers['x-csrf'] ?? '')
  const wanted = Buffer.from(expected.csrf)
  return sent.length === wanted.length && timingSafeEqual(sent, wanted)
    ? undefined
    : refuse('auth/cross-site', 'X-CSRF is not what GET /v1/session of this session answers.', 'X-CSRF')
}

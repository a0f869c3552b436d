import type { Answer } from '../http/route.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { OpenedSession, WebNeeds } from '../people/session-commands.ts'

/** What a browser gets that has signed in. */
export function signedIn(opened: OpenedSession | Refusal): Answer | Refusal {
  if (isRefusal(opened)) return opened
  const { cookie, csrf, expiresAt } = opened
  return { status: 200, headers: { 'set-cookie': cookie }, body: { csrf, expiresAt } }
}

/** A page elsewhere may not sign anybody in; programs, which send no Origin, may. */
export function refuseElsewhere(
  web: WebNeeds,
  { origin }: Readonly<Record<string, string | undefined>>,
): Refusal | undefined {
  return origin === undefined || web.origins.includes(origin)
    ? undefined
    : refuse('auth/cross-site', 'The call does not come from a page of ours.', 'Origin')
}

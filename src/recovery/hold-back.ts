import type { Route } from '../http/route.ts'
import { refuse } from '../kernel/refusal.ts'

/**
 * The routes of a party that was restored and waits for its operator: its log and what it saw of others may be read and its operator may
 * ask, everything else is refused before anything is read. Nothing is disclosed, signed, witnessed or remembered.
 */
export function holdBack(routes: readonly Route[]): readonly Route[] {
  return routes.map((route) => {
    if (mayBeAsked(route)) return route
    const {
      live: _live,
      admit: _admit,
      prepare: _prepare,
      stepUp: _stepUp,
      grave: _grave,
      body: _body,
      query: _query,
      ...rest
    } = route
    return { ...rest, once: false, handle: async () => refuse('machine/restored') }
  })
}

function mayBeAsked({ auth, method, path }: Route): boolean {
  return method === 'GET' && (auth === 'operator' || path.startsWith('/log/') || path.startsWith('/witness/'))
}

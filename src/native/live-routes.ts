import { liveRoute } from '../http/live.ts'
import type { Route } from '../http/route.ts'
import { refuse } from '../kernel/refusal.ts'

/** The patient app learns at once that something about this patient changed. */
export function patientLiveRoute(): Route {
  return liveRoute({
    path: '/v1/me/live',
    summary: 'Tells at once that something about me changed (server-sent events)',
    auth: 'patient',
    topicOf: (caller) => (caller.kind === 'patient' ? `patient:${caller.patient}` : refuse('auth/forbidden')),
  })
}

/** The desk learns at once that something changed at this facility; which, its roles ask for themselves. */
export function deskLiveRoute(): Route {
  return liveRoute({
    path: '/v1/desk/live',
    summary: 'Tells at once that something changed at this facility (server-sent events)',
    auth: 'staff',
    topicOf: (caller) => (caller.kind === 'staff' ? 'party' : refuse('auth/forbidden')),
  })
}

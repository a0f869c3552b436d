import { z } from 'zod'
import { actorOf } from '../consent/decision-commands.ts'
import { type Route, route } from '../http/route.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { ACCOUNT_HOLDS, type Closing, holdOf } from '../people/closing.ts'
import type { ClosingNeeds } from '../people/closing-commands.ts'
import { clearedCookie, type WebNeeds } from '../people/session-commands.ts'
import { type ClosingFacts, closeAccount, closingFacts } from '../rights/closing-commands.ts'
import { patientCaller } from './me-request-routes.ts'

const mine = { dialect: 'native', auth: 'patient', path: '/v1/me/closing' } as const
const closingBody = z.object({ stepUp: z.string().max(60).optional() }).meta({ id: 'AccountClosing' })

/** What closing the account would end, and for how long it is kept after that. */
export type ClosingView = ClosingFacts
/** A closed account. */
export type ClosedView = {
  readonly closedAt: string
  readonly keptUntil: string
  /** The law that demands it. */
  readonly law: string
  /** Whether all that it had allowed has ended. Nothing is given under it either way. */
  readonly ended: boolean
}

/** How an operator and the patient read a closed account. */
export function viewClosed(closing: Closing): ClosedView {
  const { reason, until } = holdOf(closing)
  return {
    closedAt: closing.closedAt.toISOString(),
    keptUntil: until.toISOString(),
    law: ACCOUNT_HOLDS[reason].law,
    ended: closing.status === 'held',
  }
}

/** The patient closes her account at the exchange (DPDP s.6(4), s.12): consequences first, then a proof anew. */
export function meClosingRoutes(needs: ClosingNeeds & { readonly web: WebNeeds }): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'GET',
      once: false,
      summary: 'What closing my account would end, until when it would be kept, and for whom I decide',
      answers: { 200: { description: 'Consequences' } },
      handle: async ({ tx, ...call }) => {
        const caller = patientCaller(call)
        if (isRefusal(caller)) return caller
        const body: ClosingView = await closingFacts(tx, needs, caller.patient)
        return { status: 200, body }
      },
    }),
    route({
      ...mine,
      method: 'POST',
      once: true,
      summary:
        'I close my account, after a proof anew: all sharing stops, I am signed out everywhere, it is erased later',
      body: closingBody,
      stepUp: { act: 'account.close', subject: ({ caller }) => (caller.kind === 'patient' ? caller.patient : '') },
      answers: {
        200: { description: 'Closed, and until when it is kept' },
        409: { description: 'I decide for others, whose accounts are closed first' },
      },
      handle: async ({ tx, ...call }) => {
        const caller = patientCaller(call)
        if (isRefusal(caller)) return caller
        // Software that holds a token of hers does not close her account: there is no proof anew of a token.
        if (caller.session === undefined) return refuse('auth/step-up-needed', 'An account is closed in the app.')
        const closing = await closeAccount(tx, needs, { patient: caller.patient, actor: actorOf(caller) })
        if (isRefusal(closing)) return closing
        // A guardian who closed a child's account stays signed in.
        const headers =
          caller.guardian === undefined ? { headers: { 'set-cookie': clearedCookie(needs.web, 'patient') } } : {}
        return { status: 200, body: viewClosed(closing), ...headers }
      },
    }),
  ]
}

import { actorOf } from '../consent/decision-commands.ts'
import type { Tx } from '../db/tx.ts'
import { type Answer, type Call, type Route, route } from '../http/route.ts'
import type { PatientCaller } from '../kernel/caller.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { Source, Subscription, SubscriptionStatus } from '../linking/subscription.ts'
import {
  denySubscription,
  grantSubscription,
  readSubscription,
  subscriptionPage,
  switchSubscription,
} from '../linking/subscription-commands.ts'
import { facilityById } from '../partners/commands.ts'
import { denyBody, subscriptionBody, subscriptionEnableBody, subscriptionsQuery } from './me-request-messages.ts'
import { patientCaller } from './me-request-routes.ts'
import { type Named, named } from './me-request-view.ts'

const deciding = { dialect: 'native', auth: 'patient', method: 'POST', once: true } as const
const ANSWERS = {
  200: { description: 'The subscription' },
  404: { description: 'No such subscription of mine' },
  409: { description: 'Decided already' },
} as const

/** Who is told of what is new is a standing choice, like what is allowed beforehand. */
const stepUp = {
  act: 'policy.save',
  subject: ({ params }: Pick<Call<never, never>, 'params'>) => params['id'] ?? '',
} as const

/** A subscription as the person reads it: who is told when new records are there. */
export type SubscriptionView = {
  readonly id: Id<'subscription'>
  /** `revoked` also of what somebody else granted who decided for this person then: `isUnconfirmed`. */
  readonly status: SubscriptionStatus
  readonly isUnconfirmed: boolean
  readonly hiu: Named & { readonly isLocker: boolean }
  readonly purpose: string
  readonly askedAt: string
  readonly decidedAt?: string
  readonly reason?: string
  /** Told of new links, of new data, or of both. */
  readonly categories: readonly string[]
  /** Of these providers; none = of any. */
  readonly hips: readonly Named[]
  readonly until: string
}

/** Subscriptions in the patient app. They carry no record: who subscribes learns that something new is there, and must still ask. */
export function meSubscriptionRoutes(): readonly Route[] {
  return [
    route({
      ...deciding,
      method: 'GET',
      once: false,
      path: '/v1/me/subscriptions',
      summary:
        'Who is told when I have new records, then who asks to be, then who is no more; of each the newest first',
      query: subscriptionsQuery,
      answers: { 200: { description: 'Subscriptions' } },
      handle: async ({ tx, query, ...call }) => {
        const caller = patientCaller(call)
        if (isRefusal(caller)) return caller
        const page = await subscriptionPage(tx, caller.patient, query)
        const items: SubscriptionView[] = []
        for (const each of page.items) items.push(await viewSubscription(tx, each))
        return { status: 200, body: { items, size: page.size } }
      },
    }),
    approveRoute(),
    route({
      ...deciding,
      path: '/v1/me/subscriptions/:id/deny',
      summary: 'Who asks to be told is not told',
      body: denyBody,
      answers: ANSWERS,
      handle: async ({ tx, body, ...call }) => {
        const step = stepOf(call)
        return isRefusal(step) ? step : answer(tx, await denySubscription(tx, { ...step, reason: body.reason }))
      },
    }),
    route({
      ...deciding,
      path: '/v1/me/subscriptions/:id/enable',
      summary: 'They are told again; after a proof anew of who I am',
      body: subscriptionEnableBody,
      stepUp,
      answers: ANSWERS,
      handle: ({ tx, ...call }) => switchTo(tx, call, 'granted'),
    }),
    // Stopping needs no proof: it must not be harder than starting (DPDP s.6(4)).
    route({
      ...deciding,
      path: '/v1/me/subscriptions/:id/disable',
      summary: 'They are told nothing more',
      answers: ANSWERS,
      handle: ({ tx, ...call }) => switchTo(tx, call, 'revoked'),
    }),
  ]
}

async function switchTo(tx: Tx, call: Parameters<typeof stepOf>[0], to: 'granted' | 'revoked') {
  const step = stepOf(call)
  return isRefusal(step) ? step : answer(tx, await switchSubscription(tx, { ...step, to }))
}

function approveRoute(): Route {
  return route({
    ...deciding,
    path: '/v1/me/subscriptions/:id/approve',
    summary: 'They are told of what is new, as they asked or less; after a proof anew of who I am',
    body: subscriptionBody,
    stepUp,
    answers: ANSWERS,
    handle: async ({ tx, body, ...call }) => {
      const step = stepOf(call)
      if (isRefusal(step)) return step
      const asked = await readSubscription(tx, step.patient, step.id)
      if (isRefusal(asked)) return asked
      const { period } = asked.request
      const source: Partial<Source> = {
        ...(body.categories === undefined ? {} : { categories: body.categories }),
        ...(body.until === undefined ? {} : { period: { from: period.from, to: body.until } }),
      }
      return answer(
        tx,
        await grantSubscription(tx, {
          ...step,
          answer: {
            isForAllHips: body.hips === undefined,
            included: body.hips === undefined ? [source] : body.hips.map((hip) => ({ ...source, hip })),
            excluded: [],
          },
        }),
      )
    },
  })
}

type Step = {
  readonly patient: PatientCaller['patient']
  readonly id: Id<'subscription'>
  readonly actor: ReturnType<typeof actorOf>
}

function stepOf(call: Pick<Call<never, never>, 'caller' | 'params'>): Step | Refusal {
  const caller = patientCaller(call)
  if (isRefusal(caller)) return caller
  const id = parseId<'subscription'>(call.params['id'] ?? '')
  if (id === undefined) return refuse('linking/unknown-subscription')
  return { patient: caller.patient, id, actor: actorOf(caller) }
}

async function answer(tx: Tx, decided: Subscription | Refusal): Promise<Answer | Refusal> {
  return isRefusal(decided) ? decided : { status: 200, body: await viewSubscription(tx, decided) }
}

async function viewSubscription(
  tx: Tx,
  subscription: Subscription & { readonly isUnconfirmed?: boolean },
): Promise<SubscriptionView> {
  const { request, hiu } = subscription
  const included = 'terms' in subscription ? subscription.terms.included : []
  const facility = await facilityById(tx, hiu)
  const ids = included.length > 0 ? included.flatMap(({ hip }) => (hip === undefined ? [] : [hip])) : request.hips
  const hips: Named[] = []
  for (const hip of new Set(ids)) hips.push(await named(tx, hip))
  const until = Math.max(...(included.length > 0 ? included : [request]).map(({ period }) => period.to.getTime()))
  return {
    id: subscription.id,
    status: subscription.isUnconfirmed === true ? 'revoked' : subscription.status,
    isUnconfirmed: subscription.isUnconfirmed === true,
    hiu: { ...(await named(tx, hiu)), isLocker: facility?.roles.includes('health-locker') ?? false },
    purpose: request.purpose.code,
    askedAt: subscription.requestedAt.toISOString(),
    ...('decidedAt' in subscription ? { decidedAt: subscription.decidedAt.toISOString() } : {}),
    ...(subscription.status === 'denied' && subscription.reason !== '' ? { reason: subscription.reason } : {}),
    categories: [
      ...new Set(included.length > 0 ? included.flatMap(({ categories }) => categories) : request.categories),
    ],
    hips,
    until: new Date(until).toISOString(),
  }
}

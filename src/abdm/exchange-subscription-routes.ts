import type { z } from 'zod'
import { type Answer, type Call, type Route, route } from '../http/route.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { acknowledgeEvent } from '../linking/news-commands.ts'
import type { Subscription, SubscriptionRequest, SubscriptionStatus } from '../linking/subscription.ts'
import {
  acknowledgeDecision,
  changeSubscription,
  denySubscription,
  grantSubscription,
  readSubscription,
  requestSubscription,
  subscriptionsOf,
  switchSubscription,
} from '../linking/subscription-commands.ts'
import { errorIn, facilitiesOfCaller, patientStep } from './exchange-callers.ts'
import { readAnswer, readPurpose, wireSubscription } from './exchange-subscription-wire.ts'
import { errorOf, ownFacility } from './rules.ts'
import { sendToFacility } from './send.ts'
import * as messages from './subscription-messages.ts'

const BASE = '/api/hiecm/subscription-requests/v3'
const ACCEPTED: Answer = { status: 202 }
const accepted = { 202: { description: 'Taken.' } } as const
const hiuCall = { method: 'POST', dialect: 'abdm', auth: 'bridge', once: true, answers: accepted } as const
const patientCall = { method: 'POST', dialect: 'abdm', auth: 'patient', once: true, answers: accepted } as const
const patientRead = { method: 'GET', dialect: 'abdm', auth: 'patient', once: false } as const

/** Subscriptions at the exchange (protocol sheet 2.7). */
export function exchangeSubscriptionRoutes(): readonly Route[] {
  return [...subscriberRoutes(), ...decisionRoutes(), ...readRoutes()]
}

function subscriberRoutes(): readonly Route[] {
  return [
    route({
      ...hiuCall,
      path: `${BASE}/init`,
      summary: 'Ask a patient for a subscription.',
      body: messages.subscriptionInit,
      handle: async (call) => {
        const { subscription } = call.body
        const hiu = ownFacility(call, subscription.hiu.id)
        if (isRefusal(hiu)) return hiu
        const asked = await ask(call, subscription)
        const body: Omit<z.input<typeof messages.subscriptionOnInit>, 'response'> = isRefusal(asked)
          ? { error: errorOf(asked) }
          : { subscriptionRequest: { id: asked.id } }
        await sendToFacility(call.tx, {
          facility: hiu,
          as: 'hiu',
          path: '/api/v3/hiu/hiecm/subscription-requests/on-init',
          body: { ...body, response: { requestId: call.requestId } },
          ...(isRefusal(asked) ? {} : { lane: `subscription:${asked.id}` }),
        })
        return ACCEPTED
      },
    }),
    route({
      ...hiuCall,
      path: `${BASE}/hiu/on-notify`,
      summary: 'A subscriber acknowledges a decision.',
      body: messages.subscriptionOnNotify,
      handle: async (call) => {
        const { acknowledgement, error } = call.body
        if (!acknowledgement) return errorIn(error) ? ACCEPTED : missing('acknowledgement')
        const heard = await acknowledgeDecision(call.tx, {
          facilities: facilitiesOfCaller(call),
          id: acknowledgement.subscriptionRequestId,
        })
        return isRefusal(heard) ? heard : ACCEPTED
      },
    }),
    route({
      ...hiuCall,
      path: `${BASE}/hiu/care-context/on-notify`,
      summary: 'A subscriber acknowledges an event.',
      body: messages.subscriptionEventOnNotify,
      handle: async (call) => {
        const { acknowledgement, error } = call.body
        if (!acknowledgement) return errorIn(error) ? ACCEPTED : missing('acknowledgement')
        const heard = await acknowledgeEvent(call.tx, {
          facilities: facilitiesOfCaller(call),
          id: acknowledgement.eventId,
        })
        return isRefusal(heard) ? heard : ACCEPTED
      },
    }),
  ]
}

const missing = (field: string): Refusal =>
  refuse('request/invalid-field', `${field}: is needed where no error is`, field)

async function ask(
  call: Pick<Call<never, never>, 'tx'>,
  wire: z.output<typeof messages.subscriptionInit>['subscription'],
): Promise<Subscription | Refusal> {
  const purpose = readPurpose(wire.purpose)
  if (isRefusal(purpose)) return purpose
  const hips = [...new Set((wire.hips ?? []).map((hip) => hip.id))]
  const request: SubscriptionRequest = { purpose, hips, categories: wire.categories, period: wire.period }
  return requestSubscription(call.tx, { hiu: wire.hiu.id, patient: wire.patient.id, request })
}

type Calling = Pick<Call<never, never>, 'tx' | 'caller' | 'headers' | 'requestId' | 'params'>
type Deciding = {
  readonly patient: Subscription['patient']
  readonly actor: Parameters<typeof denySubscription>[1]['actor']
  readonly id: Id<'subscription'>
}

/** The patient of the call, and the subscription in its path. */
async function deciding(call: Calling): Promise<Deciding | Refusal> {
  const step = await patientStep(call)
  if (isRefusal(step)) return step
  const id = parseId<'subscription'>(call.params['id'] ?? '')
  return id === undefined ? refuse('linking/unknown-subscription') : { patient: step.patient, actor: step.actor, id }
}

function decisionRoutes(): readonly Route[] {
  return [
    route({
      ...patientCall,
      path: `${BASE}/:id/approve`,
      summary: 'Grant a subscription, whole or narrowed.',
      body: messages.subscriptionApprove,
      handle: async (call) => {
        const step = await deciding(call)
        if (isRefusal(step)) return step
        const granted = await grantSubscription(call.tx, { ...step, answer: readAnswer(call.body) })
        return isRefusal(granted) ? granted : { status: 202, body: { subscriptionId: granted.id } }
      },
    }),
    route({
      ...patientCall,
      path: `${BASE}/:id/deny`,
      summary: 'Refuse a subscription.',
      body: messages.subscriptionDeny,
      handle: async (call) => {
        const step = await deciding(call)
        if (isRefusal(step)) return step
        const denied = await denySubscription(call.tx, { ...step, reason: call.body.reason ?? '' })
        return isRefusal(denied) ? denied : ACCEPTED
      },
    }),
    route({
      ...patientCall,
      method: 'PUT',
      path: `${BASE}/patients/:id`,
      summary: 'Change what a subscriber is told.',
      body: messages.subscriptionEdit,
      handle: async (call) => {
        const step = await deciding(call)
        if (isRefusal(step)) return step
        const changed = await changeSubscription(call.tx, {
          ...step,
          hiu: call.body.hiuId,
          answer: readAnswer(call.body.terms),
        })
        return isRefusal(changed) ? changed : { status: 202, body: { subscriptionId: changed.id } }
      },
    }),
    ...(['enable', 'disable'] as const).map((verb) =>
      route({
        ...patientCall,
        path: `${BASE}/${verb}/:id`,
        summary: verb === 'enable' ? 'Switch a subscription on again.' : 'Switch a subscription off.',
        handle: async (call) => {
          const step = await deciding(call)
          if (isRefusal(step)) return step
          const switched = await switchSubscription(call.tx, { ...step, to: verb === 'enable' ? 'granted' : 'revoked' })
          return isRefusal(switched) ? switched : ACCEPTED
        },
      }),
    ),
  ]
}

function readRoutes(): readonly Route[] {
  const one = async (call: Calling): Promise<Answer | Refusal> => {
    const step = await deciding(call)
    if (isRefusal(step)) return step
    const subscription = await readSubscription(call.tx, step.patient, step.id)
    return isRefusal(subscription) ? subscription : { status: 200, body: await wireSubscription(call.tx, subscription) }
  }
  return [
    route({
      ...patientRead,
      path: `${BASE}/requests`,
      summary: 'The patient’s subscriptions and requests.',
      query: messages.pageQuery,
      answers: { 200: { description: 'Subscriptions, newest first.' } },
      handle: async (call) => {
        const step = await patientStep(call)
        if (isRefusal(step)) return step
        const { limit, offset } = call.query
        const wanted = call.query.status.toLowerCase()
        const isStatus = (text: string): text is SubscriptionStatus =>
          ['requested', 'granted', 'denied', 'revoked'].includes(text)
        if (wanted !== 'all' && !isStatus(wanted))
          return refuse('request/invalid-field', 'status must be ALL, REQUESTED, GRANTED, DENIED or REVOKED.', 'status')
        const found = await subscriptionsOf(call.tx, step.patient, {
          limit,
          offset,
          ...(isStatus(wanted) ? { status: wanted } : {}),
        })
        const requests: object[] = []
        for (const each of found) requests.push(await wireSubscription(call.tx, each))
        return { status: 200, body: { limit, offset, size: requests.length, requests } }
      },
    }),
    route({
      ...patientRead,
      path: `${BASE}/request/:id`,
      summary: 'One subscription request.',
      answers: { 200: { description: 'The request.' } },
      handle: (call) => one(call),
    }),
    route({
      ...patientRead,
      path: `${BASE}/:id`,
      summary: 'One subscription.',
      answers: { 200: { description: 'The subscription.' } },
      handle: (call) => one(call),
    }),
  ]
}

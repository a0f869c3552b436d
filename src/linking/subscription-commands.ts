import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must, type Refusal, refuse } from '../kernel/refusal.ts'
import { isHip, isHiu } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { readPatient } from '../people/commands.ts'
import { type Patient, type StandingDecision, speaksForHer } from '../people/patient.ts'
import type { SubscriptionChange } from './events.ts'
import {
  type Answer,
  type KnownSubscription,
  makeTerms,
  moveSubscription,
  type Subscription,
  type SubscriptionRequest,
  type SubscriptionStatus,
  type Terms,
} from './subscription.ts'
import { lockWaitingSubscriptions, subscriptionsByStanding } from './subscription-list-store.ts'
import {
  findGrantedSubscriptions,
  findSubscription,
  findSubscriptionsOf,
  insertSubscription,
  updateSubscription,
  updateSubscriptionHeard,
} from './subscription-store.ts'

type SubscriptionId = Id<'subscription'>

/**
 * An HIU or a locker asks to be told of new links and data (ABDM V3 subscription-requests/init). Refuses one more when
 * `LIMITS.requestsWaitingMax` of the same HIU wait for this patient, as consent requests do.
 */
export async function requestSubscription(
  tx: Tx,
  input: { readonly hiu: FacilityId; readonly patient: AbhaAddress; readonly request: SubscriptionRequest },
): Promise<Subscription | Refusal> {
  const fault = (await checkRequest(tx, input)) ?? (await checkWaiting(tx, input))
  if (fault) return fault
  const subscription: Subscription = { ...newSubscription(tx, input), status: 'requested' }
  const recorded = await record(
    tx,
    eventOf('linking.subscription-requested', subscription, { kind: 'facility', id: input.hiu }),
  )
  await insertSubscription(tx, recorded, subscription)
  await announce(tx, recorded)
  return subscription
}

async function checkRequest(
  tx: Tx,
  input: { readonly hiu: FacilityId; readonly patient: AbhaAddress; readonly request: SubscriptionRequest },
): Promise<Refusal | undefined> {
  const hiu = await facilityById(tx, input.hiu)
  if (hiu === undefined || !isHiu(hiu)) return refuse('partners/hiu-unavailable', undefined, 'subscription.hiu.id')
  const patient = await readPatient(tx, input.patient)
  if (patient === undefined) return refuse('people/unknown-patient', undefined, 'subscription.patient.id')
  if (patient.status !== 'active') return refuse('people/deactivated')
  if (input.request.period.to <= tx.now) return refuse('linking/period-over', undefined, 'subscription.period.to')
  for (const id of input.request.hips) {
    const hip = await facilityById(tx, id)
    if (hip === undefined || !isHip(hip))
      return refuse('partners/hip-unavailable', `${id} is not a provider of records here.`, 'subscription.hips')
  }
  return undefined
}

/** What asks for a time that is over waits for nothing any more: it ends here, so that it counts no longer. */
async function checkWaiting(
  tx: Tx,
  { patient, hiu }: { readonly patient: AbhaAddress; readonly hiu: FacilityId },
): Promise<Refusal | undefined> {
  const waiting = await lockWaitingSubscriptions(tx, patient, hiu)
  const over = waiting.filter(({ request }) => request.period.to <= tx.now)
  const actor: Actor = { kind: 'system', id: 'exchange' }
  for (const { id } of over) must(await denySubscription(tx, { patient, id, reason: 'Its period is over.', actor }))
  return waiting.length - over.length < LIMITS.requestsWaitingMax
    ? undefined
    : refuse(
        'consent/too-many-waiting',
        `${LIMITS.requestsWaitingMax} subscription requests of yours wait for this patient. Wait for the decision, and ask for all in one.`,
        'subscription.patient.id',
      )
}

const newSubscription = (
  tx: Tx,
  input: { readonly hiu: FacilityId; readonly patient: AbhaAddress; readonly request: SubscriptionRequest },
) => ({
  id: makeId<'subscription'>(tx.now, tx.random, bucketOf(input.patient)),
  patient: input.patient,
  hiu: input.hiu,
  request: input.request,
  requestedAt: tx.now,
})

/** The patient's own decision about a request or a running subscription. */
type Deciding = { readonly patient: AbhaAddress; readonly id: SubscriptionId; readonly actor: Actor }

/** The patient grants a request, whole or narrowed. */
export async function grantSubscription(
  tx: Tx,
  input: Deciding & { readonly answer: Answer },
): Promise<Subscription | Refusal> {
  const subscription = await own(tx, input)
  if (isRefusal(subscription)) return subscription
  if (moveSubscription(subscription.status, 'grant') === undefined) return refuse('linking/subscription-acted-on')
  const terms = makeTerms(subscription.request, input.answer, tx.now)
  if (isRefusal(terms)) return terms
  return move(
    tx,
    subscription,
    { ...baseOf(subscription), status: 'granted', terms, ...decisionOf(tx, input.actor) },
    'linking.subscription-granted',
    input.actor,
  )
}

export async function denySubscription(
  tx: Tx,
  input: Deciding & { readonly reason: string },
): Promise<Subscription | Refusal> {
  const subscription = await own(tx, input)
  if (isRefusal(subscription)) return subscription
  if (moveSubscription(subscription.status, 'deny') === undefined) return refuse('linking/subscription-acted-on')
  return move(
    tx,
    subscription,
    { ...baseOf(subscription), status: 'denied', reason: input.reason, decidedAt: tx.now },
    'linking.subscription-denied',
    input.actor,
  )
}

/** The patient changes what a running subscription covers, still within what was asked. */
export async function changeSubscription(
  tx: Tx,
  input: Deciding & { readonly hiu?: FacilityId | undefined; readonly answer: Answer },
): Promise<Subscription | Refusal> {
  const subscription = await own(tx, input)
  if (isRefusal(subscription)) return subscription
  if (input.hiu !== undefined && input.hiu !== subscription.hiu)
    return refuse('linking/unknown-subscription', undefined, 'hiuId')
  if (moveSubscription(subscription.status, 'change') === undefined || !('terms' in subscription))
    return refuse('linking/subscription-state')
  const terms = makeTerms(subscription.request, input.answer, tx.now)
  if (isRefusal(terms)) return terms
  const to = { ...baseOf(subscription), status: subscription.status, terms, ...decisionOf(tx, input.actor) }
  return move(tx, subscription, to, 'linking.subscription-changed', input.actor)
}

/** Switches a subscription off or on again. Doing it twice changes nothing, unless she confirms what somebody else had granted for her. */
export async function switchSubscription(
  tx: Tx,
  input: Deciding & { readonly to: 'granted' | 'revoked' },
): Promise<Subscription | Refusal> {
  const subscription = await own(tx, input)
  if (isRefusal(subscription)) return subscription
  const { to } = input
  const isConfirming = to === 'granted' && !speaksNow(subscription, await readPatient(tx, input.patient), tx.now)
  if (subscription.status === to && !isConfirming) return subscription
  const verb = isConfirming && subscription.status === to ? 'change' : to === 'granted' ? 'resume' : 'revoke'
  if (moveSubscription(subscription.status, verb) !== to || !('terms' in subscription))
    return refuse('linking/subscription-state')
  const type = to === 'granted' ? 'linking.subscription-resumed' : 'linking.subscription-revoked'
  const { terms } = subscription
  const decided = to === 'granted' ? { ...baseOf(subscription), terms, ...decisionOf(tx, input.actor) } : subscription
  return move(tx, subscription, { ...decided, status: to }, type, input.actor)
}

type NewLocker = {
  readonly patient: AbhaAddress
  readonly locker: FacilityId
  readonly request: SubscriptionRequest
  readonly answer: Answer
  readonly actor: Actor
}

/** Whether a locker may be set up so: a registered health locker, terms that make sense. Writes nothing. */
export async function checkLocker(tx: Tx, input: NewLocker): Promise<Terms | Refusal> {
  const locker = await facilityById(tx, input.locker)
  if (locker?.status !== 'active' || !locker.roles.includes('health-locker'))
    return refuse('linking/unknown-locker', undefined, 'X-LOCKER-ID')
  return makeTerms(input.request, input.answer, tx.now)
}

/** The patient sets up a health locker: asked and granted in one step. */
export async function setUpLocker(tx: Tx, input: NewLocker): Promise<Subscription | Refusal> {
  const terms = await checkLocker(tx, input)
  if (isRefusal(terms)) return terms
  const asked = { hiu: input.locker, patient: input.patient, request: input.request }
  const subscription: Subscription = {
    ...newSubscription(tx, asked),
    status: 'granted',
    terms,
    ...decisionOf(tx, input.actor),
  }
  const recorded = await record(tx, eventOf('linking.subscription-granted', subscription, input.actor))
  await insertSubscription(tx, recorded, subscription)
  await announce(tx, recorded)
  return subscription
}

/** The subscriber says that it heard the decision. Only the subscriber; twice changes nothing. */
export async function acknowledgeDecision(
  tx: Tx,
  input: { readonly facilities: readonly FacilityId[]; readonly id: SubscriptionId },
): Promise<true | Refusal> {
  const subscription = await findSubscription(tx, input.id)
  if (subscription === undefined || !input.facilities.includes(subscription.hiu))
    return refuse('linking/unknown-subscription')
  if (subscription.status === 'requested') return refuse('linking/wrong-order')
  if (subscription.acknowledgedAt !== undefined) return true
  const recorded = await record(
    tx,
    eventOf('linking.subscription-heard', subscription, { kind: 'facility', id: subscription.hiu }),
  )
  await updateSubscriptionHeard(tx, recorded)
  await announce(tx, recorded)
  return true
}

/** The patient's subscriptions and requests, newest first. */
export async function subscriptionsOf(
  tx: Tx,
  patient: AbhaAddress,
  page: { readonly limit: number; readonly offset: number; readonly status?: SubscriptionStatus } = {
    limit: LIMITS.pageSizeMax,
    offset: 0,
  },
): Promise<readonly KnownSubscription[]> {
  return known(tx, patient, await findSubscriptionsOf(tx, patient, page))
}

/** A page of all of the patient's subscriptions and requests: those that are granted first, then those that wait; and how many there are. */
export async function subscriptionPage(
  tx: Tx,
  patient: AbhaAddress,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ readonly items: readonly KnownSubscription[]; readonly size: number }> {
  const { items, size } = await subscriptionsByStanding(tx, patient, page)
  return { items: await known(tx, patient, items), size }
}

/** All that are granted, however many, in the order of their ids. */
export async function grantedSubscriptionsOf(tx: Tx, patient: AbhaAddress): Promise<readonly KnownSubscription[]> {
  return known(tx, patient, await findGrantedSubscriptions(tx, patient))
}

async function known(
  tx: Tx,
  address: AbhaAddress,
  subscriptions: readonly Subscription[],
): Promise<readonly KnownSubscription[]> {
  const patient = subscriptions.length === 0 ? undefined : await readPatient(tx, address)
  return subscriptions.map((subscription) => ({
    ...subscription,
    isUnconfirmed: subscription.status === 'granted' && !speaksNow(subscription, patient, tx.now),
  }))
}

/** One subscription of this patient; another patient's answers as if it did not exist. */
export async function readSubscription(
  tx: Tx,
  patient: AbhaAddress,
  id: SubscriptionId,
): Promise<KnownSubscription | Refusal> {
  const found = ofPatient(await findSubscription(tx, id), patient)
  if (isRefusal(found)) return found
  const [subscription] = await known(tx, patient, [found])
  return subscription ?? refuse('linking/unknown-subscription')
}

/** Who decides in the patient's place, and when. */
const decisionOf = (tx: Tx, actor: Actor): StandingDecision => ({
  decidedAt: tx.now,
  ...(actor.kind === 'patient' && actor.guardian !== undefined ? { guardian: actor.guardian } : {}),
})

/** Whether the decision speaks for the patient; of an account that is closed, no longer. */
const speaksNow = (subscription: Subscription, patient: Patient | undefined, now: Date): boolean =>
  !('terms' in subscription) || (patient !== undefined && speaksForHer(subscription, patient, now))

/** The same for who decides about it: locked. */
async function own(tx: Tx, { patient, id }: Deciding): Promise<Subscription | Refusal> {
  return ofPatient(await findSubscription(tx, id, true), patient)
}

function ofPatient(found: Subscription | undefined, patient: AbhaAddress): Subscription | Refusal {
  return found === undefined || found.patient !== patient ? refuse('linking/unknown-subscription') : found
}

async function move(
  tx: Tx,
  from: Subscription,
  to: Subscription,
  type: SubscriptionChange['type'],
  actor: Actor,
): Promise<Subscription> {
  const recorded = await record(tx, eventOf(type, to, actor))
  await updateSubscription(tx, recorded, from.status, to)
  await announce(tx, recorded)
  return to
}

function baseOf(subscription: Subscription) {
  const { id, patient, hiu, request, requestedAt } = subscription
  return { id, patient, hiu, request, requestedAt }
}

function eventOf(type: SubscriptionChange['type'], subscription: Subscription, actor: Actor): SubscriptionChange {
  return { type, actor, patient: subscription.patient, subject: subscription.id, hiu: subscription.hiu }
}

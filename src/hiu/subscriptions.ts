import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId, parseId } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import {
  type CareContextRef,
  next,
  type SubscriptionAskedEvent,
  type SubscriptionChangedEvent,
  type SubscriptionNewsEvent,
  type SubscriptionTerms,
  writeSubscription,
} from './hiu.ts'
import { knownId, saveKnownId } from './store.ts'
import {
  insertSubscription,
  insertSubscriptionEvent,
  lockSubscription,
  moveSubscription,
  type Subscription,
} from './subscription-store.ts'

export type SubscriptionNeeds = { readonly facility: { readonly id: FacilityId } }
type PeerError = { readonly code?: string; readonly message: string }

/** Asks to be told of new records of a patient. */
export async function askSubscription(
  tx: Tx,
  needs: SubscriptionNeeds,
  terms: SubscriptionTerms,
): Promise<Id<'hiu-subscription'> | Refusal> {
  if (terms.period.to <= tx.now) return refuse('hiu/invalid-terms', 'The period is over.', 'period.to')
  const id = makeId<'hiu-subscription'>(tx.now, tx.random, bucketOf(terms.patient))
  const recorded = await record<SubscriptionAskedEvent>(tx, {
    type: 'hiu.subscription-asked',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: terms.patient,
    subject: id,
    terms: writeSubscription(terms),
  })
  await insertSubscription(tx, recorded, id, terms)
  await announce(tx, recorded)
  return id
}

const changed = (needs: SubscriptionNeeds, subscription: Subscription) =>
  ({
    type: 'hiu.subscription-changed',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: subscription.patient,
    subject: subscription.id,
  }) as const

/** The exchange's answer to {@link askSubscription}. */
export async function takeSubscriptionAnswer(
  tx: Tx,
  needs: SubscriptionNeeds,
  responseTo: string,
  answer: { readonly id: string } | { readonly error: PeerError },
): Promise<true | Refusal> {
  const id = parseId<'hiu-subscription'>(responseTo)
  const subscription = id && (await lockSubscription(tx, id))
  if (subscription === undefined) return refuse('hiu/unknown-request')
  if ('error' in answer) {
    await failSubscription(tx, needs, subscription, answer.error)
    return true
  }
  const status = next('subscription', subscription.status, 'accept')
  if (status === undefined) return true
  const recorded = await record<SubscriptionChangedEvent>(tx, { ...changed(needs, subscription), status })
  await saveKnownId(tx, recorded, 'subscription-request', answer.id, {
    bucket: bucketOf(subscription.patient),
    id: subscription.id,
  })
  await moveSubscription(tx, recorded, subscription, { status, exchangeId: answer.id })
  await announce(tx, recorded)
  return true
}

/** The request could not be delivered for good. */
export async function noteSubscriptionUndelivered(
  tx: Tx,
  needs: SubscriptionNeeds,
  id: string,
  error: PeerError,
): Promise<void> {
  const subscription = await lockSubscription(tx, id)
  if (subscription !== undefined) await failSubscription(tx, needs, subscription, error)
}

async function failSubscription(
  tx: Tx,
  needs: SubscriptionNeeds,
  subscription: Subscription,
  error: PeerError,
): Promise<void> {
  const status = next('subscription', subscription.status, 'fail')
  if (status === undefined) return
  const reason = `${error.code === undefined ? '' : `${error.code}: `}${error.message}`
  const recorded = await record<SubscriptionChangedEvent>(tx, { ...changed(needs, subscription), status, reason })
  await moveSubscription(tx, recorded, subscription, { status, reason })
  await announce(tx, recorded)
}

/** The patient's decision about a subscription, acknowledged by a reaction. One that is final stays so. */
export async function takeSubscriptionNotice(
  tx: Tx,
  needs: SubscriptionNeeds,
  notice: {
    readonly subscriptionRequest: string
    readonly status: 'GRANTED' | 'DENIED' | 'REVOKED'
    readonly subscription?: string
    readonly reason?: string
    readonly message: string
  },
): Promise<true | Refusal> {
  const place = await knownId(tx, 'subscription-request', notice.subscriptionRequest)
  const subscription = place && (await lockSubscription(tx, place.id, place.bucket))
  if (subscription === undefined) return refuse('hiu/unknown-subscription')
  const how = { GRANTED: 'grant', DENIED: 'deny', REVOKED: 'revoke' }[notice.status]
  const to = next('subscription', subscription.status, how)
  const status = to ?? subscription.status
  const { reason } = notice
  const recorded = await record<SubscriptionChangedEvent>(tx, {
    ...changed(needs, subscription),
    status,
    notice: { subscriptionRequest: notice.subscriptionRequest, message: notice.message },
    ...(reason === undefined ? {} : { reason }),
  })
  if (notice.subscription !== undefined)
    await saveKnownId(tx, recorded, 'subscription', notice.subscription, {
      bucket: bucketOf(subscription.patient),
      id: subscription.id,
    })
  if (to !== undefined) {
    await moveSubscription(tx, recorded, subscription, {
      status,
      ...(notice.subscription === undefined ? {} : { subscriptionId: notice.subscription }),
      ...(reason === undefined ? {} : { reason }),
    })
  }
  await announce(tx, recorded)
  return true
}

/** News of records. Kept and acknowledged; reading them needs a consent. */
export async function takeSubscriptionEvent(
  tx: Tx,
  needs: SubscriptionNeeds,
  news: {
    readonly id: string
    readonly subscription: string
    readonly publishedAt: Date
    readonly category: 'LINK' | 'DATA'
    readonly patient: AbhaAddress
    readonly hip: FacilityId
    readonly contexts: readonly { readonly hiType: HiType; readonly careContexts: readonly CareContextRef[] }[]
    readonly message: string
  },
): Promise<true | Refusal> {
  const place =
    (await knownId(tx, 'subscription', news.subscription)) ??
    (await knownId(tx, 'subscription-request', news.subscription))
  const subscription = place && (await lockSubscription(tx, place.id, place.bucket))
  if (subscription === undefined || subscription.patient !== news.patient) return refuse('hiu/unknown-subscription')
  const { category, hip, contexts } = news
  const recorded = await record<SubscriptionNewsEvent>(tx, {
    type: 'hiu.subscription-event',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: subscription.patient,
    subject: subscription.id,
    eventId: news.id,
    message: news.message,
    category,
    hip,
    contexts,
  })
  await insertSubscriptionEvent(tx, recorded, subscription, {
    id: news.id,
    publishedAt: news.publishedAt,
    content: { category, hip, contexts },
  })
  await announce(tx, recorded)
  return true
}

import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { canMove } from '../kernel/moves.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { readPatient } from '../people/commands.ts'
import type { ContextKey, SubscriberHeard, SubscriberTold } from './events.ts'
import { type Category, contextsToTell, EVENT_MOVES, type EventStatus, type Subscription } from './subscription.ts'
import { grantedSubscriptionsOf } from './subscription-commands.ts'
import { findEvent, findSubscription, insertEvent, updateEvent } from './subscription-store.ts'

/** Tells every subscriber whom new links or data concern. While the account sleeps nobody is told, nor of that when it wakes. */
export async function publishNews(
  tx: Tx,
  news: {
    readonly patient: AbhaAddress
    readonly hip: FacilityId
    readonly category: Category
    readonly contexts: readonly ContextKey[]
  },
): Promise<void> {
  if ((await readPatient(tx, news.patient))?.status !== 'active') return
  for (const subscription of await grantedSubscriptionsOf(tx, news.patient)) {
    if (subscription.isUnconfirmed) continue
    const contexts = contextsToTell(subscription, news, tx.now)
    if (contexts.length === 0) continue
    const recorded = await record(tx, {
      type: 'linking.event-published',
      actor: { kind: 'facility', id: news.hip },
      patient: news.patient,
      subject: makeId<'subscription-event'>(tx.now, tx.random, bucketOf(news.patient)),
      subscription: subscription.id,
      hiu: subscription.hiu,
      hip: news.hip,
      category: news.category,
      contexts,
    } satisfies SubscriberTold)
    await insertEvent(tx, recorded)
    await announce(tx, recorded)
  }
}

/** Whether what waits to be sent may still be told: the account is awake, the subscription runs. */
export async function mayTellEvent(tx: Tx, id: Id<'subscription-event'>): Promise<boolean> {
  const event = await findEvent(tx, id)
  const subscription = event === undefined ? undefined : await findSubscription(tx, event.subscription)
  if (subscription?.status !== 'granted') return false
  return (await readPatient(tx, subscription.patient))?.status === 'active'
}

/** The subscriber says that it heard an event. Only the subscriber; twice changes nothing. */
export async function acknowledgeEvent(
  tx: Tx,
  input: { readonly facilities: readonly FacilityId[]; readonly id: Id<'subscription-event'> },
): Promise<true | Refusal> {
  const event = await findEvent(tx, input.id)
  const subscription = event === undefined ? undefined : await findSubscription(tx, event.subscription)
  if (event === undefined || subscription === undefined || !input.facilities.includes(subscription.hiu))
    return refuse('linking/unknown-event', undefined, 'acknowledgement.eventId')
  if (!canMove(EVENT_MOVES, event.status, 'acknowledged')) return true
  const actor: Actor = { kind: 'facility', id: subscription.hiu }
  await endEvent(tx, event.status, 'linking.event-heard', actor, subscription, input.id)
  return true
}

/** The subscriber could not be reached, or may hear it no more. */
export async function endUndeliveredEvent(tx: Tx, id: Id<'subscription-event'>): Promise<void> {
  const event = await findEvent(tx, id)
  const subscription = event === undefined ? undefined : await findSubscription(tx, event.subscription)
  if (event === undefined || subscription === undefined || !canMove(EVENT_MOVES, event.status, 'failed')) return
  await endEvent(tx, event.status, 'linking.event-lost', { kind: 'system', id: 'exchange' }, subscription, id)
}

async function endEvent(
  tx: Tx,
  from: EventStatus,
  type: SubscriberHeard['type'],
  actor: Actor,
  subscription: Subscription,
  id: Id<'subscription-event'>,
): Promise<void> {
  const recorded = await record(tx, {
    type,
    actor,
    patient: subscription.patient,
    subject: id,
    subscription: subscription.id,
    hiu: subscription.hiu,
  } satisfies SubscriberHeard)
  await updateEvent(tx, recorded, from, type === 'linking.event-heard' ? 'acknowledged' : 'failed')
  await announce(tx, recorded)
}

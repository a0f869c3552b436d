import type { z } from 'zod'
import type { Tx } from '../db/tx.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { SubscriberTold, SubscriptionChange } from '../linking/events.ts'
import { endUndeliveredEvent } from '../linking/news-commands.ts'
import type { Source } from '../linking/subscription.ts'
import { readSubscription } from '../linking/subscription-commands.ts'
import { facilityById } from '../partners/commands.ts'
import { type FailureReaction, sendToFacility } from './send.ts'
import type { subscriptionEvent, subscriptionNotify } from './subscription-messages.ts'
import { wireDate } from './wire.ts'

/** Kind of the failure when a subscriber does not hear of news. */
export const NEWS_UNDELIVERED = 'linking.event-undelivered'

/** Tells the subscriber what the patient decided (protocol sheet 2.7 (3)). */
async function tellDecision(tx: Tx, event: SubscriptionChange): Promise<void> {
  const subscription = await readSubscription(tx, event.patient, event.subject as Id<'subscription'>)
  if (isRefusal(subscription) || subscription.status === 'requested') return
  const status = subscription.status === 'granted' ? 'GRANTED' : subscription.status === 'denied' ? 'DENIED' : 'REVOKED'
  const hiu = await facilityById(tx, subscription.hiu)
  const body: z.input<typeof subscriptionNotify> = {
    notification: {
      subscriptionRequestId: subscription.id,
      status,
      ...(subscription.status === 'denied' ? { reason: subscription.reason } : {}),
      ...('terms' in subscription
        ? {
            subscription: {
              id: subscription.id,
              patient: { id: subscription.patient },
              hiu: { id: subscription.hiu, name: hiu?.name ?? subscription.hiu },
              sources: subscription.terms.included.map(wireSource),
            },
          }
        : {}),
    },
  }
  await sendToFacility(tx, {
    facility: subscription.hiu,
    as: 'hiu',
    path: '/api/v3/hiu/subscription-requests/hiu/notify',
    body,
    lane: `subscription:${subscription.id}`,
  })
}

function wireSource(source: Source) {
  return {
    ...(source.hip === undefined ? {} : { hip: { id: source.hip } }),
    categories: [...source.categories],
    period: { from: wireDate(source.period.from), to: wireDate(source.period.to) },
  }
}

/** Tells the subscriber of new links or data: which contexts, never what is in them (protocol sheet 2.7 (5)). */
async function tellNews(tx: Tx, event: SubscriberTold): Promise<void> {
  const types = [...new Set(event.contexts.map((context) => context.hiType))]
  const hip = await facilityById(tx, event.hip)
  const body: z.input<typeof subscriptionEvent> = {
    event: {
      id: event.subject,
      published: wireDate(tx.now),
      category: event.category,
      subscriptionId: event.subscription,
      content: {
        patient: { id: event.patient },
        hip: { id: event.hip, name: hip?.name ?? event.hip },
        contexts: types.map((hiType) => ({
          careContexts: event.contexts
            .filter((context) => context.hiType === hiType)
            .map(({ patientReference, careContextReference }) => ({ patientReference, careContextReference })),
          hiType,
        })),
      },
    },
  }
  await sendToFacility(tx, {
    facility: event.hiu,
    as: 'hiu',
    path: '/api/v3/hiu/subscription/notify',
    body,
    lane: `subscription:${event.subscription}`,
    failure: { kind: NEWS_UNDELIVERED, id: event.subject },
  })
}

/** For `app.ts` to register: event type and reaction. */
export const exchangeSubscriptionReactions = [
  ['linking.subscription-granted', tellDecision],
  ['linking.subscription-denied', tellDecision],
  ['linking.subscription-changed', tellDecision],
  ['linking.subscription-revoked', tellDecision],
  ['linking.subscription-resumed', tellDecision],
  ['linking.event-published', tellNews],
] as const

/** `linking.event-undelivered`: the subscriber never heard of it. */
export const subscriptionEventUndelivered: FailureReaction = async (tx, id) => {
  const event = parseId<'subscription-event'>(id)
  if (event !== undefined) await endUndeliveredEvent(tx, event)
}

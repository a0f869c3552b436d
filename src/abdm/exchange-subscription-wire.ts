import type { z } from 'zod'
import type { Tx } from '../db/tx.ts'
import type { FacilityId } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Answer, Period, Source, Subscription, SubscriptionRequest } from '../linking/subscription.ts'
import { facilityById } from '../partners/commands.ts'
import { PURPOSES, parsePurpose } from '../policy/purpose.ts'
import type { subscriptionApprove } from './subscription-messages.ts'
import { wireDate } from './wire.ts'

/** Between the wire's words for subscriptions and ours. */

export function readPurpose(purpose: {
  readonly code: string
  readonly text?: string | null | undefined
}): SubscriptionRequest['purpose'] | Refusal {
  const code = parsePurpose(purpose.code)
  return code === undefined
    ? refuse(
        'linking/invalid-purpose',
        `purpose.code must be one of ${Object.keys(PURPOSES).join(', ')}.`,
        'subscription.purpose.code',
      )
    : { code, text: purpose.text || PURPOSES[code] }
}

/** A source that the patient switched off in an edit counts as left out. */
export function readAnswer(terms: z.output<typeof subscriptionApprove>): Answer {
  const included = (terms.includedSources ?? []).filter(
    (source) => source.status !== 'REVOKED' && source.status !== 'DENIED',
  )
  return {
    isForAllHips: terms.isApplicableForAllHIPs ?? false,
    included: included.map(readSource),
    excluded: (terms.excludedSources ?? []).map(readSource),
  }
}

type WireSource = NonNullable<z.output<typeof subscriptionApprove>['includedSources']>[number]

function readSource(source: WireSource): Partial<Source> {
  return {
    ...(source.hip ? { hip: source.hip.id } : {}),
    ...(source.hiTypes ? { hiTypes: source.hiTypes } : {}),
    ...(source.categories ? { categories: source.categories } : {}),
    ...(source.period ? { period: source.period } : {}),
  }
}

/** A subscription as the patient's app reads it (protocol sheet 2.7 (12)). */
export async function wireSubscription(
  tx: Tx,
  subscription: Subscription & { readonly isUnconfirmed?: boolean },
): Promise<object> {
  const requester = await facilityById(tx, subscription.hiu)
  const { request } = subscription
  const terms = 'terms' in subscription ? subscription.terms : undefined
  // What somebody else granted for her tells nobody anything until she confirms it.
  const status = subscription.isUnconfirmed === true ? 'REVOKED' : subscription.status.toUpperCase()
  const hips: object[] = []
  for (const hip of request.hips) hips.push(await named(tx, hip))
  return {
    id: subscription.id,
    subscriptionId: subscription.id,
    purpose: request.purpose,
    dateCreated: wireDate(subscription.requestedAt),
    status,
    ...('terms' in subscription ? { dateGranted: wireDate(subscription.decidedAt) } : {}),
    ...(subscription.status === 'denied' ? { reason: subscription.reason } : {}),
    patient: { id: subscription.patient },
    requester: {
      id: subscription.hiu,
      name: requester?.name ?? subscription.hiu,
      type: requester?.roles.includes('health-locker') ? 'HEALTH_LOCKER' : 'HIU',
    },
    categories: request.categories,
    period: wirePeriod(request.period),
    hips,
    includedSources: await wireSources(tx, terms?.included ?? [], status),
    excludedSources: await wireSources(tx, terms?.excluded ?? [], status),
  }
}

async function wireSources(tx: Tx, sources: readonly Source[], status: string): Promise<readonly object[]> {
  const wire: object[] = []
  for (const { hip, categories, hiTypes, period } of sources) {
    wire.push({
      ...(hip === undefined ? {} : { hip: await named(tx, hip) }),
      categories,
      hiTypes,
      period: wirePeriod(period),
      status,
    })
  }
  return wire
}

async function named(tx: Tx, id: FacilityId): Promise<object> {
  return { id, name: (await facilityById(tx, id))?.name ?? id }
}

function wirePeriod(period: Period): object {
  return { from: wireDate(period.from), to: wireDate(period.to) }
}

import type { Selectable } from 'kysely'
import { z } from 'zod'
import type { Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { SubscriptionTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { PURPOSES, type PurposeCode } from '../policy/purpose.ts'
import { openJson, openRows, sealJson } from '../vault/sealed-json.ts'
import type { SubscriberHeard, SubscriberTold, SubscriptionChange } from './events.ts'
import {
  EVENT_MOVES,
  type EventStatus,
  SUBSCRIPTION_MOVES,
  type Subscription,
  type SubscriptionStatus,
} from './subscription.ts'

/** The JSON columns, read back. */
const facility = z.string().transform((text) => text as FacilityId)
const date = z.string().transform((text) => new Date(text))
const period = z.object({ from: date, to: date })
const categories = z.array(z.enum(['LINK', 'DATA']))
const source = z
  .object({ hip: facility.optional(), hiTypes: z.array(z.enum(HI_TYPES)), categories, period })
  .transform(({ hip, ...rest }) => (hip === undefined ? rest : { ...rest, hip }))
const guardian = z.string().transform((text) => text as AbhaAddress)
/** Who decided it lies sealed beside what was decided. */
const decided = z.object({ included: z.array(source), excluded: z.array(source), guardian: guardian.optional() })
const request = z.object({
  purpose: z.object({ code: z.enum(Object.keys(PURPOSES) as [PurposeCode, ...PurposeCode[]]), text: z.string() }),
  hips: z.array(facility),
  categories,
  period,
})

const place = (column: string, { id, patient }: { readonly id: string; readonly patient: string }): Place => ({
  table: 'subscription',
  column,
  row: id,
  patient,
})

/** Undefined when it was erased with the patient's key. */
export async function readRow(tx: Tx, row: Selectable<SubscriptionTable>): Promise<Subscription | undefined> {
  const asked = await openJson(tx, place('request', row), row.request)
  if (asked === undefined) return undefined
  const base = {
    id: row.id as Id<'subscription'>,
    patient: row.patient as AbhaAddress,
    hiu: row.hiu as FacilityId,
    request: request.parse(asked),
    requestedAt: row.requested_at,
    ...(row.acknowledged_at === null ? {} : { acknowledgedAt: row.acknowledged_at }),
  }
  const decidedAt = row.decided_at ?? row.changed_at
  switch (row.status) {
    case 'requested':
      return { ...base, status: 'requested' }
    case 'denied':
      return {
        ...base,
        status: 'denied',
        reason: row.reason === null ? '' : String(await openJson(tx, place('reason', row), row.reason)),
        decidedAt,
      }
    case 'granted':
    case 'revoked': {
      const { guardian: by, ...terms } = decided.parse(
        row.terms && (await openJson(tx, place('terms', row), row.terms)),
      )
      return { ...base, status: row.status, terms, decidedAt, ...(by === undefined ? {} : { guardian: by }) }
    }
    default:
      throw new Error(`subscription has the status ${row.status}`)
  }
}

const rowOf = async (tx: Tx, subscription: Subscription) => ({
  status: subscription.status,
  terms:
    'terms' in subscription
      ? await sealJson(tx, place('terms', subscription), { ...subscription.terms, guardian: subscription.guardian })
      : null,
  reason:
    subscription.status === 'denied' ? await sealJson(tx, place('reason', subscription), subscription.reason) : null,
  decided_at: 'decidedAt' in subscription ? subscription.decidedAt : null,
  changed_at: tx.now,
})

export async function insertSubscription(
  tx: Tx,
  _recorded: Recorded<SubscriptionChange>,
  subscription: Subscription,
): Promise<void> {
  await tx.db
    .insertInto('subscription')
    .values({
      bucket: bucketOf(subscription.patient),
      id: subscription.id,
      patient: subscription.patient,
      hiu: subscription.hiu,
      request: await sealJson(tx, place('request', subscription), subscription.request),
      requested_at: subscription.requestedAt,
      acknowledged_at: null,
      ...(await rowOf(tx, subscription)),
    })
    .execute()
}

export async function updateSubscription(
  tx: Tx,
  _recorded: Recorded<SubscriptionChange>,
  from: SubscriptionStatus,
  subscription: Subscription,
): Promise<void> {
  insistOnMove(SUBSCRIPTION_MOVES, from, subscription.status, 'subscription')
  const updated = await tx.db
    .updateTable('subscription')
    .set(await rowOf(tx, subscription))
    .where('bucket', '=', bucketOf(subscription.patient))
    .where('id', '=', subscription.id)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(updated, `subscription ${from} to ${subscription.status}`)
}

export async function updateSubscriptionHeard(tx: Tx, { event }: Recorded<SubscriptionChange>): Promise<void> {
  await tx.db
    .updateTable('subscription')
    .set({ acknowledged_at: tx.now })
    .where('bucket', '=', bucketOf(event.patient))
    .where('id', '=', event.subject)
    .execute()
}

/** With `lock`, decisions about one subscription follow each other. */
export async function findSubscription(
  tx: Tx,
  id: Id<'subscription'>,
  lock = false,
): Promise<Subscription | undefined> {
  const query = tx.db.selectFrom('subscription').selectAll().where('bucket', '=', bucketOfId(id)).where('id', '=', id)
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst()
  return row && readRow(tx, row)
}

/** Newest first. */
export async function findSubscriptionsOf(
  tx: Tx,
  patient: AbhaAddress,
  page: { readonly limit: number; readonly offset: number; readonly status?: SubscriptionStatus },
): Promise<readonly Subscription[]> {
  let query = tx.db
    .selectFrom('subscription')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
  if (page.status !== undefined) query = query.where('status', '=', page.status)
  const rows = await query
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()
  return openRows(rows, (row) => readRow(tx, row))
}

export async function findGrantedSubscriptions(tx: Tx, patient: AbhaAddress): Promise<readonly Subscription[]> {
  const rows = await tx.db
    .selectFrom('subscription')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('status', '=', 'granted')
    .orderBy('id')
    .execute()
  return openRows(rows, (row) => readRow(tx, row))
}

export async function insertEvent(tx: Tx, { event }: Recorded<SubscriberTold>): Promise<void> {
  await tx.db
    .insertInto('subscription_event')
    .values({
      bucket: bucketOf(event.patient),
      id: event.subject,
      subscription: event.subscription,
      patient: event.patient,
      category: event.category,
      status: 'published',
      published_at: tx.now,
      changed_at: tx.now,
    })
    .execute()
}

export type StoredEvent = {
  readonly id: Id<'subscription-event'>
  readonly subscription: Id<'subscription'>
  readonly status: EventStatus
}

export async function findEvent(tx: Tx, id: Id<'subscription-event'>): Promise<StoredEvent | undefined> {
  const row = await tx.db
    .selectFrom('subscription_event')
    .select(['id', 'subscription', 'status'])
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .executeTakeFirst()
  return row as StoredEvent | undefined
}

export async function updateEvent(
  tx: Tx,
  { event }: Recorded<SubscriberHeard>,
  from: EventStatus,
  to: EventStatus,
): Promise<void> {
  insistOnMove(EVENT_MOVES, from, to, 'subscription event')
  const updated = await tx.db
    .updateTable('subscription_event')
    .set({ status: to, changed_at: tx.now })
    .where('bucket', '=', bucketOf(event.patient))
    .where('id', '=', event.subject)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(updated, `subscription event ${from} to ${to}`)
}

import { type Selectable, sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { HiuSubscriptionTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { sealedOrNull } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type Id } from '../kernel/id.ts'
import type { ListPlace } from '../kernel/list-place.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import {
  readSubscription,
  type SubscriptionStatus,
  type SubscriptionTerms,
  type SubscriptionTermsText,
  writeSubscription,
} from './hiu.ts'

export type Subscription = {
  readonly id: Id<'hiu-subscription'>
  readonly patient: AbhaAddress
  readonly status: SubscriptionStatus
  /** The exchange's ids: of the request, and of the subscription once it is granted. */
  readonly exchangeId?: string
  readonly subscriptionId?: string
  readonly terms: SubscriptionTerms
  readonly reason?: string
  readonly askedAt: Date
  readonly changedAt: Date
}

const place = (id: string, patient: string): Place => ({ table: 'hiu_subscription', column: 'terms', row: id, patient })

export async function insertSubscription(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  id: Id<'hiu-subscription'>,
  terms: SubscriptionTerms,
): Promise<void> {
  await tx.db
    .insertInto('hiu_subscription')
    .values({
      bucket: bucketOf(terms.patient),
      id,
      patient: terms.patient,
      exchange_id: null,
      subscription_id: null,
      status: 'asked',
      terms: await sealJson(tx, place(id, terms.patient), writeSubscription(terms)),
      reason: null,
      asked_at: tx.now,
      changed_at: tx.now,
    })
    .execute()
}

export async function lockSubscription(
  tx: Tx,
  id: string,
  bucket: number = bucketOfId(id as Id<'hiu-subscription'>),
): Promise<Subscription | undefined> {
  const row = await tx.db
    .selectFrom('hiu_subscription')
    .selectAll()
    .where('bucket', '=', bucket)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && openSubscription(tx, row)
}

export async function listSubscriptions(
  tx: Tx,
  { before, limit }: { readonly before: ListPlace | undefined; readonly limit: number },
): Promise<readonly Subscription[]> {
  let query = tx.db.selectFrom('hiu_subscription').selectAll().where('bucket', '>=', 0)
  if (before !== undefined) query = query.where(sql<boolean>`(asked_at, id) < (${before.date}, ${before.id}::uuid)`)
  const rows = await query.orderBy('asked_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
  const found: Subscription[] = []
  for (const row of rows) found.push(await openSubscription(tx, row))
  return found
}

async function openSubscription(tx: Tx, row: Selectable<HiuSubscriptionTable>): Promise<Subscription> {
  const terms = (await openJson(tx, place(row.id, row.patient), row.terms)) as SubscriptionTermsText | undefined
  if (terms === undefined)
    throw new Error(`the key of the patient of subscription ${row.id} was erased, but its row was not`)
  return {
    id: row.id as Id<'hiu-subscription'>,
    patient: row.patient as AbhaAddress,
    status: row.status as SubscriptionStatus,
    terms: readSubscription(terms),
    askedAt: row.asked_at,
    changedAt: row.changed_at,
    ...(row.exchange_id === null ? {} : { exchangeId: row.exchange_id }),
    ...(row.subscription_id === null ? {} : { subscriptionId: row.subscription_id }),
    ...(row.reason === null ? {} : { reason: row.reason }),
  }
}

export async function moveSubscription(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  subscription: Pick<Subscription, 'id' | 'patient' | 'status'>,
  to: {
    readonly status: SubscriptionStatus
    readonly exchangeId?: string
    readonly subscriptionId?: string
    readonly reason?: string
  },
): Promise<void> {
  const result = await tx.db
    .updateTable('hiu_subscription')
    .set({
      status: to.status,
      changed_at: tx.now,
      reason: sealedOrNull(to.reason),
      ...(to.exchangeId === undefined ? {} : { exchange_id: to.exchangeId }),
      ...(to.subscriptionId === undefined ? {} : { subscription_id: to.subscriptionId }),
    })
    .where('bucket', '=', bucketOf(subscription.patient))
    .where('id', '=', subscription.id)
    .where('status', '=', subscription.status)
    .executeTakeFirst()
  insistOnOne(result, `subscription ${subscription.id}`)
}

/** False when this event was received before. */
export async function insertSubscriptionEvent(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  subscription: Pick<Subscription, 'id' | 'patient'>,
  event: { readonly id: string; readonly publishedAt: Date; readonly content: object },
): Promise<boolean> {
  const row = `${subscription.id}/${event.id}`
  const content = await sealJson(
    tx,
    { table: 'hiu_subscription_event', column: 'content', row, patient: subscription.patient },
    event.content,
  )
  const inserted = await tx.db
    .insertInto('hiu_subscription_event')
    .values({
      bucket: bucketOf(subscription.patient),
      subscription: subscription.id,
      event_id: event.id,
      content,
      published_at: event.publishedAt,
      received_at: tx.now,
    })
    .onConflict((c) => c.columns(['bucket', 'subscription', 'event_id']).doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

/** News of a subscription, latest first. */
export async function subscriptionEvents(
  tx: Tx,
  subscription: Pick<Subscription, 'id' | 'patient'>,
  limit: number,
): Promise<readonly { readonly id: string; readonly publishedAt: Date; readonly content: unknown }[]> {
  const rows = await tx.db
    .selectFrom('hiu_subscription_event')
    .selectAll()
    .where('bucket', '=', bucketOf(subscription.patient))
    .where('subscription', '=', subscription.id)
    .orderBy('published_at', 'desc')
    .limit(limit)
    .execute()
  const found = []
  for (const row of rows) {
    const place = {
      table: 'hiu_subscription_event',
      column: 'content',
      row: `${subscription.id}/${row.event_id}`,
      patient: subscription.patient,
    }
    found.push({ id: row.event_id, publishedAt: row.published_at, content: await openJson(tx, place, row.content) })
  }
  return found
}

import { type Selectable, sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { OwnFetchHolderTable, OwnFetchTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { sealedJson, sealedOrNull } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, type Bucket, bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import type { Holder, HolderFault, HolderReason, HolderStatus, Opening, OwnFetch, PassedKey } from './own-fetch.ts'

type AnyRecorded = Recorded<AuditEvent>
type FetchId = Id<'own-fetch'>

function fetchOfRow(row: Selectable<OwnFetchTable>): OwnFetch {
  const { date_from: from, date_to: to } = row
  return {
    id: row.id as FetchId,
    patient: row.patient as AbhaAddress,
    key: row.key_material as PassedKey,
    ...(from === null || to === null ? {} : { dateRange: { from, to } }),
    startedAt: row.started_at,
    deadline: row.deadline,
    expiresAt: row.expires_at,
    lastSeq: row.last_seq,
  }
}

export async function insertOwnFetch(tx: Tx, _recorded: AnyRecorded, own: OwnFetch): Promise<void> {
  await tx.db
    .insertInto('own_fetch')
    .values({
      bucket: bucketOf(own.patient),
      id: own.id,
      patient: own.patient,
      key_material: JSON.stringify(own.key),
      date_from: own.dateRange?.from ?? null,
      date_to: own.dateRange?.to ?? null,
      started_at: own.startedAt,
      deadline: own.deadline,
      expires_at: own.expiresAt,
      last_seq: own.lastSeq,
    })
    .execute()
}

/** Whatever happens to a fetch happens under its lock, pages and hospitals included. */
export async function findOwnFetch(tx: Tx, id: FetchId, lock = false): Promise<OwnFetch | undefined> {
  const query = tx.db.selectFrom('own_fetch').selectAll().where('bucket', '=', bucketOfId(id)).where('id', '=', id)
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst()
  return row && fetchOfRow(row)
}

/** Newest first. */
export async function findOwnFetchesOf(tx: Tx, patient: AbhaAddress): Promise<readonly OwnFetch[]> {
  const rows = await tx.db
    .selectFrom('own_fetch')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  return rows.map(fetchOfRow)
}

export async function updateLastSeq(tx: Tx, _recorded: AnyRecorded, own: OwnFetch): Promise<number> {
  const lastSeq = own.lastSeq + 1
  const result = await tx.db
    .updateTable('own_fetch')
    .set({ last_seq: lastSeq })
    .where('bucket', '=', bucketOf(own.patient))
    .where('id', '=', own.id)
    .where('last_seq', '=', own.lastSeq)
    .executeTakeFirst()
  insistOnOne(result, `own fetch ${own.id}`)
  return lastSeq
}

/** With its hospitals and pages. */
export async function deleteOwnFetch(tx: Tx, _recorded: AnyRecorded, own: OwnFetch): Promise<void> {
  await tx.db.deleteFrom('own_fetch').where('bucket', '=', bucketOf(own.patient)).where('id', '=', own.id).execute()
}

/** Fetches whose deadline or end has come, whoever's they are. */
export async function findDueOwnFetches(tx: Tx, limit: number): Promise<readonly FetchId[]> {
  const { rows } = await sql<{ id: string }>`
    /* all buckets: what must end by the clock */
    select id from own_fetch where expires_at <= ${tx.now} order by expires_at limit ${limit}`.execute(tx.db)
  return rows.map(({ id }) => id as FetchId)
}

function holderOfRow(row: Selectable<OwnFetchHolderTable>): Holder {
  return {
    fetch: row.own_fetch as FetchId,
    hip: row.hip as FacilityId,
    status: row.status as HolderStatus,
    ...(row.artefact === null ? {} : { artefact: row.artefact as Id<'artefact'> }),
    ...(row.transaction_id === null ? {} : { transaction: row.transaction_id as Id<'transaction'> }),
    ...(row.pages_announced === null ? {} : { pagesAnnounced: row.pages_announced }),
    pagesReceived: row.pages_received,
    entriesReceived: row.entries_received,
    ...(row.reason_code === null
      ? {}
      : {
          reason: {
            code: row.reason_code as HolderFault,
            ...(row.reason_says === null ? {} : { says: row.reason_says }),
          },
        }),
    outcomes: row.outcomes as readonly Opening[],
    ...(row.reported_at === null ? {} : { reportedAt: row.reported_at }),
    changedAt: row.changed_at,
  }
}

const holders = (tx: Tx, bucket: Bucket) =>
  tx.db.selectFrom('own_fetch_holder').selectAll().where('bucket', '=', bucket)

export async function insertHolder(
  tx: Tx,
  _recorded: AnyRecorded,
  own: OwnFetch,
  holder: {
    readonly hip: FacilityId
    readonly status: HolderStatus
    readonly artefact?: Id<'artefact'>
    readonly reason?: HolderReason
  },
): Promise<void> {
  await tx.db
    .insertInto('own_fetch_holder')
    .values({
      bucket: bucketOf(own.patient),
      own_fetch: own.id,
      hip: holder.hip,
      status: holder.status,
      artefact: holder.artefact ?? null,
      pages_received: 0,
      entries_received: 0,
      reason_code: holder.reason?.code ?? null,
      reason_says: sealedOrNull(holder.reason?.says),
      outcomes: sealedJson([]),
      changed_at: tx.now,
    })
    .execute()
}

export async function findHolders(tx: Tx, id: FetchId): Promise<readonly Holder[]> {
  return (await holders(tx, bucketOfId(id)).where('own_fetch', '=', id).orderBy('hip').execute()).map(holderOfRow)
}

export async function findHolder(tx: Tx, id: FetchId, hip: FacilityId): Promise<Holder | undefined> {
  const row = await holders(tx, bucketOfId(id)).where('own_fetch', '=', id).where('hip', '=', hip).executeTakeFirst()
  return row && holderOfRow(row)
}

export async function findHoldersUnder(tx: Tx, artefact: Id<'artefact'>): Promise<readonly Holder[]> {
  const rows = await holders(tx, bucketOfId(artefact)).where('artefact', '=', artefact).orderBy('own_fetch').execute()
  return rows.map(holderOfRow)
}

export async function findHolderOfTransaction(tx: Tx, id: Id<'transaction'>): Promise<Holder | undefined> {
  const row = await holders(tx, bucketOfId(id)).where('transaction_id', '=', id).executeTakeFirst()
  return row && holderOfRow(row)
}

export async function findHolderByToken(tx: Tx, bucket: Bucket, hash: Uint8Array): Promise<Holder | undefined> {
  const row = await holders(tx, bucket).where('token_hash', '=', Buffer.from(hash)).executeTakeFirst()
  return row && holderOfRow(row)
}

export type HolderChange = {
  readonly status?: HolderStatus
  /** `null` takes an earlier reason away. */
  readonly reason?: HolderReason | null
  readonly transaction?: Id<'transaction'>
  readonly pagesAnnounced?: number
  readonly pagesReceived?: number
  readonly entriesReceived?: number
  readonly outcomes?: readonly Opening[]
  readonly reported?: true
}

export async function updateHolder(
  tx: Tx,
  _recorded: AnyRecorded,
  from: Holder,
  to: HolderChange,
  token?: { readonly text: string; readonly hash: Uint8Array; readonly patient: AbhaAddress },
): Promise<void> {
  const result = await tx.db
    .updateTable('own_fetch_holder')
    .set({
      changed_at: tx.now,
      ...(to.status === undefined ? {} : { status: to.status }),
      ...(to.reason === undefined
        ? {}
        : { reason_code: to.reason?.code ?? null, reason_says: sealedOrNull(to.reason?.says) }),
      ...(to.transaction === undefined ? {} : { transaction_id: to.transaction }),
      ...(to.pagesAnnounced === undefined ? {} : { pages_announced: to.pagesAnnounced }),
      ...(to.pagesReceived === undefined ? {} : { pages_received: to.pagesReceived }),
      ...(to.entriesReceived === undefined ? {} : { entries_received: to.entriesReceived }),
      ...(to.outcomes === undefined ? {} : { outcomes: sealedJson(to.outcomes) }),
      ...(to.reported === undefined ? {} : { reported_at: tx.now }),
      ...(token === undefined
        ? {}
        : {
            token_hash: Buffer.from(token.hash),
            sealed_token: Buffer.from(await sealJson(tx, placeOfToken(from, token.patient), token.text)),
          }),
    })
    .where('bucket', '=', bucketOfId(from.fetch))
    .where('own_fetch', '=', from.fetch)
    .where('hip', '=', from.hip)
    .where('status', '=', from.status)
    .executeTakeFirst()
  insistOnOne(result, `hospital ${from.hip} of own fetch ${from.fetch}`)
}

/** The last part of the address that this hospital pushes to. */
export async function openToken(tx: Tx, holder: Holder, patient: AbhaAddress): Promise<string | undefined> {
  const row = await tx.db
    .selectFrom('own_fetch_holder')
    .select('sealed_token')
    .where('bucket', '=', bucketOfId(holder.fetch))
    .where('own_fetch', '=', holder.fetch)
    .where('hip', '=', holder.hip)
    .executeTakeFirst()
  if (!row?.sealed_token) return undefined
  const opened = await openJson(tx, placeOfToken(holder, patient), row.sealed_token)
  return typeof opened === 'string' ? opened : undefined
}

function placeOfToken({ fetch, hip }: Pick<Holder, 'fetch' | 'hip'>, patient: AbhaAddress) {
  return { table: 'own_fetch_holder', column: 'sealed_token', row: `${fetch} ${hip}`, patient }
}

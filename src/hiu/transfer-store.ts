import type { Selectable } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { openWith, type Place, sealWith } from '../crypto/envelope.ts'
import type { HiuRequestTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { pseudonymOf, sealed, sealedJson, sealedOrNull } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, type Bucket, bucketOfId, type Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { must } from '../kernel/refusal.ts'
import type { Period } from '../policy/period.ts'
import { dataKey, eraseDataKey, existingDataKey } from '../vault/data-keys.ts'
import type { PageFinding, PageState, RequestStatus } from './hiu.ts'
import type { EntryResult } from './transfer.ts'

/** The half of the key agreement that only we know, and the token of our push address. */
export type RequestSecret = { readonly privateKey: string; readonly nonce: string; readonly token: string }

export type DataRequest = {
  readonly id: Id<'hiu-request'>
  readonly artefact: Id<'artefact'>
  readonly patient: AbhaAddress
  readonly status: RequestStatus
  readonly transaction?: Id<'transaction'>
  readonly keyExpiresAt: Date
  readonly range: Period
  readonly pageCount: number | null
  readonly reason?: string
  readonly askedAt: Date
  readonly deadline: Date
  readonly endedAt?: Date
  /** 1, 2, 3 … under its artefact. */
  readonly ordinal: number
  readonly replaces?: Id<'hiu-request'>
  readonly againAt?: Date
}

const secretPlace = (id: string, patient: string): Place => ({
  table: 'hiu_request',
  column: 'secret',
  row: id,
  patient,
})
export async function insertRequest(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  request: Pick<
    DataRequest,
    'id' | 'artefact' | 'patient' | 'range' | 'keyExpiresAt' | 'deadline' | 'ordinal' | 'replaces'
  >,
  secret: RequestSecret,
  tokenHash: Uint8Array,
): Promise<void> {
  const key = await dataKey(tx, request.patient, request.id)
  await tx.db
    .insertInto('hiu_request')
    .values({
      bucket: bucketOf(request.patient),
      id: request.id,
      artefact: request.artefact,
      patient: request.patient,
      status: 'asked',
      transaction_id: null,
      token_hash: tokenHash,
      secret: sealWith(key, JSON.stringify(secret), secretPlace(request.id, request.patient), tx.random),
      key_expires_at: request.keyExpiresAt,
      range_from: request.range.from,
      range_to: request.range.to,
      page_count: null,
      reason: null,
      asked_at: tx.now,
      deadline: request.deadline,
      ended_at: null,
      ordinal: request.ordinal,
      replaces: request.replaces ?? null,
      again_at: null,
      next_ask_at: new Date(tx.now.getTime() + LIMITS.silentTransferAskDelaysMs[0]),
      provider_report: null,
    })
    .execute()
}

/** Locks the row until the transaction ends, so that pages, end and erasure of one request follow one another. */
export async function lockRequest(tx: Tx, id: Id<'hiu-request'>): Promise<DataRequest | undefined> {
  const row = await tx.db
    .selectFrom('hiu_request')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && requestOf(row)
}

export async function lockRequestByToken(
  tx: Tx,
  bucket: Bucket,
  tokenHash: Uint8Array,
): Promise<DataRequest | undefined> {
  const row = await tx.db
    .selectFrom('hiu_request')
    .selectAll()
    .where('bucket', '=', bucket)
    .where('token_hash', '=', Buffer.from(tokenHash))
    .forUpdate()
    .executeTakeFirst()
  return row && requestOf(row)
}

export async function findRequest(tx: Tx, id: Id<'hiu-request'>): Promise<DataRequest | undefined> {
  const row = await tx.db
    .selectFrom('hiu_request')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .executeTakeFirst()
  return row && requestOf(row)
}

/** All requests under an artefact, in the order in which they were made. */
export async function requestsOf(
  tx: Tx,
  patient: AbhaAddress,
  artefact: Id<'artefact'>,
): Promise<readonly DataRequest[]> {
  const rows = await tx.db
    .selectFrom('hiu_request')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('artefact', '=', artefact)
    .orderBy('ordinal')
    .execute()
  return rows.map(requestOf)
}

/** Requests whose 20 minutes are over, in every bucket. */
export async function requestsOverdue(tx: Tx, limit: number): Promise<readonly Id<'hiu-request'>[]> {
  const rows = await tx.db
    .selectFrom('hiu_request')
    .select('id')
    .where('bucket', '>=', 0)
    .where('status', 'in', ['asked', 'acknowledged', 'receiving'])
    .where('deadline', '<=', tx.now)
    .limit(limit)
    .execute()
  return rows.map((row) => row.id as Id<'hiu-request'>)
}

/** Requests whose key has expired and still exists, in every bucket. */
export async function requestsWithExpiredKey(tx: Tx, limit: number): Promise<readonly Id<'hiu-request'>[]> {
  const rows = await tx.db
    .selectFrom('hiu_request')
    .select('id')
    .where('bucket', '>=', 0)
    .where('secret', 'is not', null)
    .where('key_expires_at', '<=', tx.now)
    .limit(limit)
    .execute()
  return rows.map((row) => row.id as Id<'hiu-request'>)
}

function requestOf(row: Selectable<HiuRequestTable>): DataRequest {
  return {
    id: row.id as Id<'hiu-request'>,
    artefact: row.artefact as Id<'artefact'>,
    patient: row.patient as AbhaAddress,
    status: row.status as RequestStatus,
    keyExpiresAt: row.key_expires_at,
    range: { from: row.range_from, to: row.range_to },
    pageCount: row.page_count,
    askedAt: row.asked_at,
    deadline: row.deadline,
    ordinal: row.ordinal,
    ...(row.replaces === null ? {} : { replaces: row.replaces as Id<'hiu-request'> }),
    ...(row.again_at === null ? {} : { againAt: row.again_at }),
    ...(row.transaction_id === null ? {} : { transaction: row.transaction_id as Id<'transaction'> }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
  }
}

export async function moveRequest(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  request: Pick<DataRequest, 'id' | 'patient' | 'status'>,
  to: {
    readonly status: RequestStatus
    readonly transaction?: string
    readonly pageCount?: number
    readonly reason?: string
    readonly ended?: true
    /** Set when, and only when, it moves to `postponed`. */
    readonly againAt?: Date
  },
): Promise<void> {
  const result = await tx.db
    .updateTable('hiu_request')
    .set({
      status: to.status,
      ...(to.transaction === undefined ? {} : { transaction_id: to.transaction }),
      ...(to.pageCount === undefined ? {} : { page_count: to.pageCount }),
      ...(to.reason === undefined ? {} : { reason: sealed(to.reason) }),
      ...(to.ended === undefined ? {} : { ended_at: tx.now }),
      again_at: to.againAt ?? null,
    })
    .where('bucket', '=', bucketOf(request.patient))
    .where('id', '=', request.id)
    .where('status', '=', request.status)
    .executeTakeFirst()
  insistOnOne(result, `data request ${request.id}`)
}

/** The secret of a request; undefined once it was destroyed. */
export async function openSecret(
  tx: Tx,
  request: Pick<DataRequest, 'id' | 'patient'>,
): Promise<RequestSecret | undefined> {
  const row = await tx.db
    .selectFrom('hiu_request')
    .select('secret')
    .where('bucket', '=', bucketOf(request.patient))
    .where('id', '=', request.id)
    .executeTakeFirst()
  const key = await existingDataKey(tx, request.patient, request.id)
  if (!row?.secret || key === undefined) return undefined
  const opened = must(openWith(key, row.secret, secretPlace(request.id, request.patient)))
  return JSON.parse(new TextDecoder().decode(opened)) as RequestSecret
}

/** Destroys the private key of a request, also as it stands in backups. */
export async function destroySecret(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  request: Pick<DataRequest, 'id' | 'patient'>,
): Promise<void> {
  await tx.db
    .updateTable('hiu_request')
    .set({ secret: null })
    .where('bucket', '=', bucketOf(request.patient))
    .where('id', '=', request.id)
    .execute()
  await eraseDataKey(tx, request.patient, request.id)
}

export type StoredPage = PageState & { readonly contentHash: Buffer }

export async function pagesOf(tx: Tx, request: Pick<DataRequest, 'id' | 'patient'>): Promise<readonly StoredPage[]> {
  const rows = await tx.db
    .selectFrom('hiu_page')
    .select(['number', 'status', 'content_hash', 'findings', 'received_at'])
    .where('bucket', '=', bucketOf(request.patient))
    .where('request', '=', request.id)
    .orderBy('number')
    .execute()
  return rows.map((row) => ({
    number: row.number,
    status: row.status as PageState['status'],
    contentHash: row.content_hash,
    findings: row.findings as readonly PageFinding[],
    receivedAt: row.received_at,
  }))
}

/** Ends a page: its sealed body goes, what came of its entries stays. */
export async function settlePage(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  request: DataRequest,
  number: number,
  end: {
    readonly status: 'opened' | 'failed'
    readonly findings: readonly PageFinding[]
    readonly entries: readonly (EntryResult & { readonly document?: string })[]
  },
): Promise<void> {
  const bucket = bucketOf(request.patient)
  const result = await tx.db
    .updateTable('hiu_page')
    .set({ status: end.status, sealed: null, findings: sealedJson(end.findings), settled_at: tx.now })
    .where('bucket', '=', bucket)
    .where('request', '=', request.id)
    .where('number', '=', number)
    .where('status', '=', 'stored')
    .executeTakeFirst()
  insistOnOne(result, `page ${number} of ${request.id}`)
  if (end.entries.length === 0) return
  const rows = end.entries.map((entry) => ({
    bucket,
    request: request.id,
    page: number,
    entry: entry.entry,
    care_context_reference: pseudonymOf(request.id, entry.careContextReference),
    status: entry.status,
    reason: sealedOrNull(entry.reason),
    document: entry.document ?? null,
  }))
  await tx.db.insertInto('hiu_entry').values(rows).execute()
}

/** Adds what a later message revealed of a page. */
export async function addPageFinding(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  request: DataRequest,
  page: StoredPage,
  finding: PageFinding,
): Promise<void> {
  await tx.db
    .updateTable('hiu_page')
    .set({ findings: JSON.stringify([...page.findings, finding]) })
    .where('bucket', '=', bucketOf(request.patient))
    .where('request', '=', request.id)
    .where('number', '=', page.number)
    .execute()
}

export async function entriesOf(tx: Tx, request: Pick<DataRequest, 'id' | 'patient'>): Promise<readonly EntryResult[]> {
  const rows = await tx.db
    .selectFrom('hiu_entry')
    .selectAll()
    .where('bucket', '=', bucketOf(request.patient))
    .where('request', '=', request.id)
    .orderBy('page')
    .orderBy('entry')
    .execute()
  return rows.map((row) => ({
    page: row.page,
    entry: row.entry,
    careContextReference: row.care_context_reference,
    status: row.status as EntryResult['status'],
    ...(row.reason === null ? {} : { reason: row.reason }),
  }))
}

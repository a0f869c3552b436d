import type { Selectable } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { ConsentArtefactTable, ConsentNoticeTable, ConsentRequestTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { sealed } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, type Bucket, bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import { OWN_APPS_LIKE } from '../partners/own-app.ts'
import { openJson, openRows, sealJson } from '../vault/sealed-json.ts'
import { artefactText, readPermission, wirePermission } from './artefact.ts'
import type {
  Artefact,
  ArtefactStatus,
  ConsentAsk,
  ConsentDetail,
  ConsentRequest,
  Notice,
  RequestStatus,
  WirePermission,
} from './consent.ts'

type AnyRecorded = Recorded<AuditEvent>
type StoredAsk = Omit<ConsentAsk, 'permission'> & { readonly permission: WirePermission }

/** A page of a list, newest first. */
export type Page = { readonly limit: number; readonly offset: number }

export function askJson(asked: ConsentAsk): StoredAsk {
  return { ...asked, permission: wirePermission(asked.permission) }
}

const place = (table: string, column: string, row: string, patient: string): Place => ({ table, column, row, patient })

/** Undefined when it was erased with the patient's key: it answers as if it did not exist. */
async function requestOfRow(tx: Tx, row: Selectable<ConsentRequestTable>): Promise<ConsentRequest | undefined> {
  const at = (column: string) => place('consent_request', column, row.id, row.patient)
  const stored = (await openJson(tx, at('asked'), row.asked)) as StoredAsk | undefined
  if (stored === undefined) return undefined
  const base = {
    id: row.id as Id<'consent-request'>,
    asked: { ...stored, permission: readPermission(stored.permission) },
    createdAt: row.created_at,
    decideBy: row.decide_by,
    changedAt: row.changed_at,
  }
  const status = row.status as RequestStatus
  switch (status) {
    case 'REQUESTED':
    case 'EXPIRED':
      return { ...base, status }
    case 'DENIED':
      return {
        ...base,
        status,
        reason: row.reason === null ? '' : String(await openJson(tx, at('reason'), row.reason)),
      }
    case 'GRANTED':
    case 'REVOKED':
      return row.policy === null
        ? { ...base, status }
        : { ...base, status, policy: row.policy as Id<'approval-policy'> }
  }
}

export async function insertRequest(tx: Tx, _recorded: AnyRecorded, request: ConsentRequest): Promise<void> {
  const { asked } = request
  await tx.db
    .insertInto('consent_request')
    .values({
      bucket: bucketOf(asked.patient),
      id: request.id,
      patient: asked.patient,
      hiu: asked.hiu,
      status: request.status,
      asked: await sealJson(tx, place('consent_request', 'asked', request.id, asked.patient), askJson(asked)),
      is_emergency: asked.purpose.code === 'BTG',
      created_at: request.createdAt,
      decide_by: request.decideBy,
      changed_at: request.changedAt,
      reason: null,
      policy: null,
    })
    .execute()
}

export async function updateRequest(
  tx: Tx,
  _recorded: AnyRecorded,
  from: ConsentRequest,
  to: { readonly status: RequestStatus; readonly reason?: string; readonly policy?: Id<'approval-policy'> },
): Promise<void> {
  const at = place('consent_request', 'reason', from.id, from.asked.patient)
  const result = await tx.db
    .updateTable('consent_request')
    .set({
      status: to.status,
      changed_at: tx.now,
      ...(to.reason === undefined ? {} : { reason: await sealJson(tx, at, to.reason) }),
      ...(to.policy === undefined ? {} : { policy: to.policy }),
    })
    .where('bucket', '=', bucketOf(from.asked.patient))
    .where('id', '=', from.id)
    .where('status', '=', from.status)
    .executeTakeFirst()
  insistOnOne(result, `consent request ${from.id}`)
}

/** Locked until the end of the transaction, so that two decisions about one request wait for each other. */
export async function findRequest(
  tx: Tx,
  id: Id<'consent-request'>,
  lock = false,
): Promise<ConsentRequest | undefined> {
  const query = tx.db
    .selectFrom('consent_request')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst()
  return row && requestOfRow(tx, row)
}

export async function findRequestsOf(
  tx: Tx,
  patient: AbhaAddress,
  statuses: readonly RequestStatus[] | undefined,
  page: Page,
  ofOthers: boolean,
): Promise<{ readonly items: readonly ConsentRequest[]; readonly size: number }> {
  const query = tx.db
    .selectFrom('consent_request')
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .$if(statuses !== undefined, (q) => q.where('status', 'in', [...(statuses ?? [])]))
    .$if(ofOthers, (q) => q.where('hiu', 'not like', OWN_APPS_LIKE))
  const rows = await query
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()
  const total = await query.select((e) => e.fn.countAll<number>().as('size')).executeTakeFirst()
  return { items: await openRows(rows, (row) => requestOfRow(tx, row)), size: Number(total?.size ?? 0) }
}

/** How many requests with the purpose BTG a facility made for a patient since then, whatever else it asked meanwhile. */
export async function countEmergencies(tx: Tx, patient: AbhaAddress, hiu: FacilityId, since: Date): Promise<number> {
  const row = await tx.db
    .selectFrom('consent_request')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('hiu', '=', hiu)
    .where('created_at', '>', since)
    .where('is_emergency', '=', true)
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

/** What was signed, to the byte, and the signature: in plain it would confirm a guess of the detail. */
type Signed = { readonly text: string; readonly signature: string }

export async function artefactOfRow(tx: Tx, row: Selectable<ConsentArtefactTable>): Promise<Artefact | undefined> {
  const at = place('consent_artefact', 'detail', row.id, row.patient)
  const signed = (await openJson(tx, at, row.detail)) as Signed | undefined
  if (signed === undefined) return undefined
  return {
    id: row.id as Id<'artefact'>,
    request: row.request as Id<'consent-request'>,
    patient: row.patient as AbhaAddress,
    hip: row.hip as FacilityId,
    hiu: row.hiu as FacilityId,
    status: row.status as ArtefactStatus,
    detail: JSON.parse(signed.text) as ConsentDetail,
    signature: signed.signature,
    createdAt: row.created_at,
    changedAt: row.changed_at,
    dataEraseAt: row.data_erase_at,
    ...(row.kept_until === null || row.kept_reason === null
      ? {}
      : { kept: { until: row.kept_until, reason: row.kept_reason } }),
    ...(row.erased_at === null ? {} : { erasedAt: row.erased_at }),
  }
}

export async function insertArtefact(tx: Tx, _recorded: AnyRecorded, artefact: Artefact): Promise<void> {
  const signed: Signed = { text: artefactText(artefact.detail), signature: artefact.signature }
  await tx.db
    .insertInto('consent_artefact')
    .values({
      bucket: bucketOf(artefact.patient),
      id: artefact.id,
      request: artefact.request,
      patient: artefact.patient,
      hip: artefact.hip,
      hiu: artefact.hiu,
      status: artefact.status,
      detail: await sealJson(tx, place('consent_artefact', 'detail', artefact.id, artefact.patient), signed),
      signature: null,
      created_at: artefact.createdAt,
      changed_at: artefact.changedAt,
      data_erase_at: artefact.dataEraseAt,
      erased_at: null,
      kept_until: null,
      kept_reason: null,
    })
    .execute()
}

export async function updateArtefact(
  tx: Tx,
  _recorded: AnyRecorded,
  from: Artefact,
  status: ArtefactStatus,
): Promise<void> {
  const result = await tx.db
    .updateTable('consent_artefact')
    .set({ status, changed_at: tx.now })
    .where('bucket', '=', bucketOf(from.patient))
    .where('id', '=', from.id)
    .where('status', '=', from.status)
    .executeTakeFirst()
  insistOnOne(result, `consent artefact ${from.id}`)
}

export async function updateKept(
  tx: Tx,
  _recorded: AnyRecorded,
  artefact: Artefact,
  kept: NonNullable<Artefact['kept']>,
): Promise<void> {
  const result = await tx.db
    .updateTable('consent_artefact')
    .set({ kept_until: kept.until, kept_reason: kept.reason })
    .where('bucket', '=', bucketOf(artefact.patient))
    .where('id', '=', artefact.id)
    .where('erased_at', 'is', null)
    .executeTakeFirst()
  insistOnOne(result, `keeping of ${artefact.id}`)
}

export async function updateErased(tx: Tx, _recorded: AnyRecorded, artefact: Artefact): Promise<void> {
  const result = await tx.db
    .updateTable('consent_artefact')
    .set({ erased_at: tx.now })
    .where('bucket', '=', bucketOf(artefact.patient))
    .where('id', '=', artefact.id)
    .where('erased_at', 'is', null)
    .executeTakeFirst()
  insistOnOne(result, `erasure of ${artefact.id}`)
}

export async function findArtefact(tx: Tx, id: Id<'artefact'>, lock = false): Promise<Artefact | undefined> {
  const query = tx.db
    .selectFrom('consent_artefact')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst()
  return row && artefactOfRow(tx, row)
}

export async function findArtefactsOfRequest(tx: Tx, request: Id<'consent-request'>): Promise<readonly Artefact[]> {
  const rows = await tx.db
    .selectFrom('consent_artefact')
    .selectAll()
    .where('bucket', '=', bucketOfId(request))
    .where('request', '=', request)
    .orderBy('id')
    .execute()
  return openRows(rows, (row) => artefactOfRow(tx, row))
}

export async function findArtefactsOf(
  tx: Tx,
  patient: AbhaAddress,
  status: ArtefactStatus | undefined,
  page: Page,
): Promise<{ readonly items: readonly Artefact[]; readonly size: number }> {
  const query = tx.db
    .selectFrom('consent_artefact')
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .$if(status !== undefined, (q) => q.where('status', '=', status ?? ''))
  const rows = await query
    .selectAll()
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()
  const total = await query.select((e) => e.fn.countAll<number>().as('size')).executeTakeFirst()
  return { items: await openRows(rows, (row) => artefactOfRow(tx, row)), size: Number(total?.size ?? 0) }
}

/** Requests whose time to decide is over, and artefacts whose end has come, in one bucket. */
export async function findDue(
  tx: Tx,
  bucket: Bucket,
  limit: number,
): Promise<{ readonly requests: readonly Id<'consent-request'>[]; readonly artefacts: readonly Id<'artefact'>[] }> {
  const requests = await tx.db
    .selectFrom('consent_request')
    .select('id')
    .where('bucket', '=', bucket)
    .where('status', '=', 'REQUESTED')
    .where('decide_by', '<=', tx.now)
    .limit(limit)
    .execute()
  const artefacts = await tx.db
    .selectFrom('consent_artefact')
    .select('id')
    .where('bucket', '=', bucket)
    .where('status', '=', 'GRANTED')
    .where('data_erase_at', '<=', tx.now)
    .limit(limit)
    .execute()
  return {
    requests: requests.map(({ id }) => id as Id<'consent-request'>),
    artefacts: artefacts.map(({ id }) => id as Id<'artefact'>),
  }
}

function noticeOfRow(row: Selectable<ConsentNoticeTable>): Notice {
  return {
    id: row.id as Id<'notice'>,
    message: row.message as Id<'message'>,
    request: row.request as Id<'consent-request'>,
    ...(row.artefact === null ? {} : { artefact: row.artefact as Id<'artefact'> }),
    party: row.party as Notice['party'],
    facility: row.facility as FacilityId,
    status: row.status as Notice['status'],
    createdAt: row.created_at,
    ...(row.acknowledged_at === null ? {} : { acknowledgedAt: row.acknowledged_at }),
    ...(row.failure === null ? {} : { failure: row.failure }),
  }
}

export async function insertNotices(tx: Tx, _recorded: AnyRecorded, notices: readonly Notice[]): Promise<void> {
  if (notices.length === 0) return
  const rows = notices.map((notice) => ({
    bucket: bucketOfId(notice.request),
    id: notice.id,
    message: notice.message,
    request: notice.request,
    artefact: notice.artefact ?? null,
    party: notice.party,
    facility: notice.facility,
    status: notice.status,
    created_at: notice.createdAt,
    acknowledged_at: null,
    failure: null,
  }))
  await tx.db.insertInto('consent_notice').values(rows).execute()
}

export async function updateNotice(
  tx: Tx,
  _recorded: AnyRecorded,
  notice: Notice,
  end: { readonly acknowledged: true } | { readonly failure: string },
): Promise<void> {
  const result = await tx.db
    .updateTable('consent_notice')
    .set('failure' in end ? { failure: sealed(end.failure) } : { acknowledged_at: tx.now, failure: null })
    .where('bucket', '=', bucketOfId(notice.request))
    .where('id', '=', notice.id)
    .where('acknowledged_at', 'is', null)
    .executeTakeFirst()
  insistOnOne(result, `notice ${notice.id}`)
}

export async function findNoticesOfMessage(tx: Tx, message: Id<'message'>): Promise<readonly Notice[]> {
  const rows = await tx.db
    .selectFrom('consent_notice')
    .selectAll()
    .where('bucket', '=', bucketOfId(message))
    .where('message', '=', message)
    .orderBy('id')
    .execute()
  return rows.map(noticeOfRow)
}

/** All notices of a request, its artefacts included, oldest first. */
export async function findNoticesOfRequest(tx: Tx, request: Id<'consent-request'>): Promise<readonly Notice[]> {
  const rows = await tx.db
    .selectFrom('consent_notice')
    .selectAll()
    .where('bucket', '=', bucketOfId(request))
    .where('request', '=', request)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return rows.map(noticeOfRow)
}

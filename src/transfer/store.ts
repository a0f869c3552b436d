import { type Selectable, sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { DataRequestTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import { openJson, openRows, sealJson } from '../vault/sealed-json.ts'
import type { ContextOutcome, DataRequest, HipStatus, HiuStatus } from './transfer.ts'

type AnyRecorded = Recorded<AuditEvent>

type Sealed = 'hip_responses' | 'hiu_responses' | 'error_message'
const place = (column: Sealed, { id, patient }: { readonly id: string; readonly patient: string }): Place => ({
  table: 'data_request',
  column,
  row: id,
  patient,
})

/** Undefined when it was erased with the patient's key. */
async function requestOfRow(tx: Tx, row: Selectable<DataRequestTable>): Promise<DataRequest | undefined> {
  const open = async (column: Sealed): Promise<unknown> =>
    row[column] === null ? undefined : openJson(tx, place(column, row), row[column])
  const hipOutcomes = await open('hip_responses')
  if (hipOutcomes === undefined) return undefined
  return {
    id: row.id as Id<'transaction'>,
    consent: row.consent as Id<'artefact'>,
    patient: row.patient as AbhaAddress,
    hip: row.hip as FacilityId,
    hiu: row.hiu as FacilityId,
    dateRange: { from: row.date_from, to: row.date_to },
    askedAt: row.asked_at,
    hiuRequestId: row.hiu_request_id,
    hipStatus: row.hip_status as HipStatus,
    hipAt: row.hip_at,
    hipOutcomes: hipOutcomes as readonly ContextOutcome[],
    ...(row.hiu_status === null ? {} : { hiuStatus: row.hiu_status as HiuStatus }),
    ...(row.hiu_at === null ? {} : { hiuAt: row.hiu_at }),
    hiuOutcomes: (await open('hiu_responses')) as readonly ContextOutcome[],
    ...(row.error_message === null
      ? {}
      : { error: { code: row.error_code ?? '', message: String(await open('error_message')) } }),
  }
}

export async function insertDataRequest(tx: Tx, _recorded: AnyRecorded, request: DataRequest): Promise<void> {
  await tx.db
    .insertInto('data_request')
    .values({
      bucket: bucketOf(request.patient),
      id: request.id,
      consent: request.consent,
      patient: request.patient,
      hip: request.hip,
      hiu: request.hiu,
      date_from: request.dateRange.from,
      date_to: request.dateRange.to,
      asked_at: request.askedAt,
      hiu_request_id: request.hiuRequestId,
      hip_status: request.hipStatus,
      hip_at: request.hipAt,
      hip_responses: await sealJson(tx, place('hip_responses', request), []),
      hiu_status: null,
      hiu_at: null,
      hiu_responses: await sealJson(tx, place('hiu_responses', request), []),
      error_code: null,
      error_message: null,
    })
    .execute()
}

export async function updateProvider(
  tx: Tx,
  _recorded: AnyRecorded,
  from: DataRequest,
  to: {
    readonly status: HipStatus
    readonly outcomes?: readonly ContextOutcome[]
    readonly error?: DataRequest['error']
  },
): Promise<void> {
  const result = await tx.db
    .updateTable('data_request')
    .set({
      hip_status: to.status,
      hip_at: tx.now,
      ...(to.outcomes === undefined
        ? {}
        : { hip_responses: await sealJson(tx, place('hip_responses', from), to.outcomes) }),
      error_code: to.error?.code ?? null,
      error_message: to.error === undefined ? null : await sealJson(tx, place('error_message', from), to.error.message),
    })
    .where('bucket', '=', bucketOf(from.patient))
    .where('id', '=', from.id)
    .where('hip_status', '=', from.hipStatus)
    .executeTakeFirst()
  insistOnOne(result, `provider side of transfer ${from.id}`)
}

export async function updateRecipient(
  tx: Tx,
  _recorded: AnyRecorded,
  from: DataRequest,
  to: { readonly status: HiuStatus; readonly outcomes: readonly ContextOutcome[] },
): Promise<void> {
  const result = await tx.db
    .updateTable('data_request')
    .set({
      hiu_status: to.status,
      hiu_at: tx.now,
      hiu_responses: await sealJson(tx, place('hiu_responses', from), to.outcomes),
    })
    .where('bucket', '=', bucketOf(from.patient))
    .where('id', '=', from.id)
    .where('hiu_status', 'is not distinct from', from.hiuStatus ?? null)
    .executeTakeFirst()
  insistOnOne(result, `recipient side of transfer ${from.id}`)
}

export async function findDataRequest(tx: Tx, id: Id<'transaction'>, lock = false): Promise<DataRequest | undefined> {
  const query = tx.db.selectFrom('data_request').selectAll().where('bucket', '=', bucketOfId(id)).where('id', '=', id)
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst()
  return row && requestOfRow(tx, row)
}

/** When data was asked for under this consent since `since`. Requests of which the provider sent nothing do not count. */
export async function findUses(tx: Tx, consent: Id<'artefact'>, since: Date): Promise<readonly Date[]> {
  const rows = await tx.db
    .selectFrom('data_request')
    .select('asked_at')
    .where('bucket', '=', bucketOfId(consent))
    .where('consent', '=', consent)
    .where('asked_at', '>', since)
    .where('hip_status', 'not in', ['REFUSED', 'FAILED'])
    .execute()
  return rows.map((row) => row.asked_at)
}

/** Newest first; under any of `consents` when they are named. */
export async function findDataRequestsOf(
  tx: Tx,
  patient: AbhaAddress,
  consents: readonly Id<'artefact'>[] | undefined,
  limit: number,
): Promise<readonly DataRequest[]> {
  const rows = await tx.db
    .selectFrom('data_request')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .$if(consents !== undefined, (q) => q.where(sql<boolean>`consent = any(${consents ?? []}::uuid[])`))
    .orderBy('asked_at', 'desc')
    .limit(limit)
    .execute()
  return openRows(rows, (row) => requestOfRow(tx, row))
}

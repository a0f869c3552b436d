import type { AuditEvent, Recorded } from '../audit/record.ts'
import { openWith, type Place, sealWith } from '../crypto/envelope.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Id } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import { dataKey, existingDataKey } from '../vault/data-keys.ts'
import type { ProviderReport } from './provider-report.ts'
import type { DataRequest } from './transfer-store.ts'

type Row = Pick<DataRequest, 'id' | 'patient' | 'artefact'>

const reportPlace = ({ id, patient }: Row): Place => ({
  table: 'hiu_request',
  column: 'provider_report',
  row: id,
  patient,
})

/** Transfers under way whose time to be asked for has come, in every bucket. */
export async function requestsToAskFor(tx: Tx, limit: number): Promise<readonly Id<'hiu-request'>[]> {
  const rows = await tx.db
    .selectFrom('hiu_request')
    .select('id')
    .where('bucket', '>=', 0)
    .where('status', 'in', ['acknowledged', 'receiving'])
    .where('next_ask_at', 'is not', null)
    .where('next_ask_at', '<=', tx.now)
    .where('deadline', '>', tx.now)
    .orderBy('next_ask_at')
    .limit(limit)
    .execute()
  return rows.map((row) => row.id as Id<'hiu-request'>)
}

/** How often the exchange was asked for a transfer; undefined when it is not to be asked now. */
export async function asksDue(tx: Tx, request: Row): Promise<number | undefined> {
  const row = await tx.db
    .selectFrom('hiu_request')
    .select(['asks', 'next_ask_at'])
    .where('bucket', '=', bucketOf(request.patient))
    .where('id', '=', request.id)
    .executeTakeFirst()
  return row?.next_ask_at && row.next_ask_at <= tx.now ? row.asks : undefined
}

/** Notes that the exchange is asked, and when the next time is. */
export async function saveAsk(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  request: Row,
  asks: number,
  nextAt: Date | null,
): Promise<void> {
  const result = await tx.db
    .updateTable('hiu_request')
    .set({ asks, next_ask_at: nextAt })
    .where('bucket', '=', bucketOf(request.patient))
    .where('id', '=', request.id)
    .where('asks', '=', asks - 1)
    .executeTakeFirst()
  insistOnOne(result, `asking for data request ${request.id}`)
}

/** Keeps what the provider reported, sealed under the consent's key. */
export async function saveReport(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  request: Row,
  report: ProviderReport,
): Promise<void> {
  const key = await dataKey(tx, request.patient, request.artefact)
  const sealed = sealWith(key, JSON.stringify(report), reportPlace(request), tx.random)
  const result = await tx.db
    .updateTable('hiu_request')
    .set({ provider_report: sealed })
    .where('bucket', '=', bucketOf(request.patient))
    .where('id', '=', request.id)
    .executeTakeFirst()
  insistOnOne(result, `report about data request ${request.id}`)
}

/** What the provider reported; undefined when it is not known, or was erased with the copy. */
export async function readReport(tx: Tx, request: Row): Promise<ProviderReport | undefined> {
  const row = await tx.db
    .selectFrom('hiu_request')
    .select('provider_report')
    .where('bucket', '=', bucketOf(request.patient))
    .where('id', '=', request.id)
    .executeTakeFirst()
  if (!row?.provider_report) return undefined
  const key = await existingDataKey(tx, request.patient, request.artefact)
  if (key === undefined) return undefined
  const opened = must(openWith(key, row.provider_report, reportPlace(request)))
  return JSON.parse(new TextDecoder().decode(opened)) as ProviderReport
}

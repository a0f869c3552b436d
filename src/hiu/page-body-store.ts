import type { AuditEvent, Recorded } from '../audit/record.ts'
import { openWith, type Place, sealWith } from '../crypto/envelope.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { sealedJson } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { must } from '../kernel/refusal.ts'
import { dataKey, existingDataKey } from '../vault/data-keys.ts'
import type { PageFinding } from './hiu.ts'
import type { DataRequest } from './transfer-store.ts'

const pagePlace = (request: string, number: number, patient: string): Place => ({
  table: 'hiu_page',
  column: 'sealed',
  row: `${request}/${number}`,
  patient,
})

/** Writes a page as it came, sealed under the consent's key; a page of that number is replaced. */
export async function savePage(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  request: DataRequest,
  number: number,
  contentHash: Uint8Array,
  body: object,
  findings: readonly PageFinding[],
): Promise<void> {
  const key = await dataKey(tx, request.patient, request.artefact)
  const values = {
    status: 'stored',
    content_hash: contentHash,
    sealed: sealWith(key, JSON.stringify(body), pagePlace(request.id, number, request.patient), tx.random),
    findings: sealedJson(findings),
    received_at: tx.now,
    settled_at: null,
  }
  const bucket = bucketOf(request.patient)
  await tx.db
    .deleteFrom('hiu_entry')
    .where('bucket', '=', bucket)
    .where('request', '=', request.id)
    .where('page', '=', number)
    .execute()
  await tx.db
    .insertInto('hiu_page')
    .values({ bucket, request: request.id, number, ...values })
    .onConflict((c) => c.columns(['bucket', 'request', 'number']).doUpdateSet(values))
    .execute()
}

/** The body of a page that waits to be opened. */
export async function openStoredPage(
  tx: Tx,
  request: Pick<DataRequest, 'id' | 'patient' | 'artefact'>,
  number: number,
): Promise<unknown> {
  const row = await tx.db
    .selectFrom('hiu_page')
    .select('sealed')
    .where('bucket', '=', bucketOf(request.patient))
    .where('request', '=', request.id)
    .where('number', '=', number)
    .executeTakeFirst()
  const key = await existingDataKey(tx, request.patient, request.artefact)
  if (!row?.sealed || key === undefined) return undefined
  return JSON.parse(
    new TextDecoder().decode(must(openWith(key, row.sealed, pagePlace(request.id, number, request.patient)))),
  ) as unknown
}

/** Writes the body of a page that waits to be opened anew: what its links held has come. */
export async function updateStoredPage(
  tx: Tx,
  request: Pick<DataRequest, 'id' | 'patient' | 'artefact'>,
  number: number,
  body: object,
): Promise<void> {
  const key = await dataKey(tx, request.patient, request.artefact)
  const place = pagePlace(request.id, number, request.patient)
  const updated = await tx.db
    .updateTable('hiu_page')
    .set({ sealed: sealWith(key, JSON.stringify(body), place, tx.random) })
    .where('bucket', '=', bucketOf(request.patient))
    .where('request', '=', request.id)
    .where('number', '=', number)
    .where('status', '=', 'stored')
    .executeTakeFirst()
  insistOnOne(updated, `page ${number} of ${request.id}`)
}

import { type Selectable, sql } from 'kysely'
import type { Access } from '../audit/access.ts'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { openWith, type Place, sealWith } from '../crypto/envelope.ts'
import type { HiuDocumentTable } from '../db/tables.generated.ts'
import type { Tx } from '../db/tx.ts'
import { pseudonymOf, sealedOrNull } from '../db/veil.ts'
import type { Finding } from '../fhir/findings.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import type { ListPlace } from '../kernel/list-place.ts'
import { must } from '../kernel/refusal.ts'
import { dataKey, eraseDataKey, existingDataKey } from '../vault/data-keys.ts'
import type { ErasureReason } from './hiu.ts'

/** What may be known of a received document without looking into it. */
export type DocumentEntry = {
  readonly id: Id<'hiu-document'>
  readonly artefact: Id<'artefact'>
  readonly patient: AbhaAddress
  readonly status: 'held' | 'quarantined'
  readonly hip: FacilityId
  readonly hiType: HiType
  readonly date: Date
  readonly careContextReference: string
  /** Hex. */
  readonly sha256: string
  readonly reason?: string
  readonly receivedAt: Date
}

const place = (column: 'sealed' | 'findings', id: string, patient: string): Place => ({
  table: 'hiu_document',
  column,
  row: id,
  patient,
})

/** Stores a document byte for byte; the same bytes of the same care context are stored once. Returns the id it has. */
export async function saveDocument(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  document: Omit<DocumentEntry, 'receivedAt'>,
  bytes: Uint8Array,
  findings: readonly Finding[],
): Promise<Id<'hiu-document'>> {
  const { id, patient, artefact } = document
  const key = await dataKey(tx, patient, artefact)
  const bucket = bucketOf(patient)
  const sha256 = Buffer.from(document.sha256, 'hex')
  const inserted = await tx.db
    .insertInto('hiu_document')
    .values({
      bucket,
      id,
      artefact,
      patient,
      status: document.status,
      hip: document.hip,
      hi_type: document.hiType,
      date: document.date,
      care_context_reference: pseudonymOf(document.hip, document.careContextReference),
      sha256,
      sealed: sealWith(key, bytes, place('sealed', id, patient), tx.random),
      findings: sealWith(key, JSON.stringify(findings), place('findings', id, patient), tx.random),
      reason: sealedOrNull(document.reason),
      received_at: tx.now,
    })
    .onConflict((c) => c.columns(['bucket', 'artefact', 'care_context_reference', 'sha256']).doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows === 1n) return id
  const same = await tx.db
    .selectFrom('hiu_document')
    .select('id')
    .where('bucket', '=', bucket)
    .where('artefact', '=', artefact)
    .where('care_context_reference', '=', pseudonymOf(document.hip, document.careContextReference))
    .where('sha256', '=', sha256)
    .executeTakeFirstOrThrow()
  return same.id as Id<'hiu-document'>
}

/** All but the sealed bytes: a list of a hundred scans must not bring them along. */
export const HEAD = [
  'id',
  'artefact',
  'patient',
  'status',
  'hip',
  'hi_type',
  'date',
  'care_context_reference',
  'sha256',
  'reason',
  'received_at',
] as const satisfies readonly (keyof HiuDocumentTable)[]

export async function findDocument(tx: Tx, id: Id<'hiu-document'>): Promise<DocumentEntry | undefined> {
  const row = await tx.db
    .selectFrom('hiu_document')
    .select(HEAD)
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .executeTakeFirst()
  return row && entryOf(row)
}

export async function documentsOf(tx: Tx, patient: AbhaAddress): Promise<readonly DocumentEntry[]> {
  const rows = await tx.db
    .selectFrom('hiu_document')
    .select(HEAD)
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .orderBy('date', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(entryOf)
}

/** How large the documents of a patient under some artefacts are together, sealed. */
export async function sizeOfDocuments(
  tx: Tx,
  patient: AbhaAddress,
  artefacts: readonly Id<'artefact'>[],
): Promise<number> {
  if (artefacts.length === 0) return 0
  const row = await tx.db
    .selectFrom('hiu_document')
    .select(sql<string>`coalesce(sum(octet_length(sealed)), 0)`.as('bytes'))
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('artefact', 'in', [...artefacts])
    .executeTakeFirstOrThrow()
  return Number(row.bytes)
}

export function entryOf(row: Pick<Selectable<HiuDocumentTable>, (typeof HEAD)[number]>): DocumentEntry {
  return {
    id: row.id as Id<'hiu-document'>,
    artefact: row.artefact as Id<'artefact'>,
    patient: row.patient as AbhaAddress,
    status: row.status as DocumentEntry['status'],
    hip: row.hip as FacilityId,
    hiType: row.hi_type as HiType,
    date: row.date,
    careContextReference: row.care_context_reference,
    sha256: row.sha256.toString('hex'),
    receivedAt: row.received_at,
    ...(row.reason === null ? {} : { reason: row.reason }),
  }
}

/** Opens a document for whom `access` names. Undefined once it was erased. */
export async function openDocument(
  tx: Tx,
  _access: Access,
  document: Pick<DocumentEntry, 'id' | 'patient' | 'artefact'>,
): Promise<{ readonly bytes: Uint8Array; readonly findings: readonly Finding[] } | undefined> {
  const key = await existingDataKey(tx, document.patient, document.artefact)
  const row = await tx.db
    .selectFrom('hiu_document')
    .select(['sealed', 'findings'])
    .where('bucket', '=', bucketOf(document.patient))
    .where('id', '=', document.id)
    .executeTakeFirst()
  if (key === undefined || row === undefined) return undefined
  const bytes = must(openWith(key, row.sealed, place('sealed', document.id, document.patient)))
  const findings = must(openWith(key, row.findings, place('findings', document.id, document.patient)))
  return { bytes, findings: JSON.parse(new TextDecoder().decode(findings)) as readonly Finding[] }
}

export type Erasure = {
  readonly artefact: Id<'artefact'>
  readonly patient: AbhaAddress
  readonly reason: ErasureReason
  readonly documents: number
  readonly pages: number
  readonly sha256: readonly string[]
  readonly erasedAt: Date
  readonly attestationRefused?: string
}

/** What an artefact's copy consists of at this moment. */
export async function copyOf(
  tx: Tx,
  patient: AbhaAddress,
  artefact: Id<'artefact'>,
  requests: readonly string[],
): Promise<{ readonly sha256: readonly string[]; readonly pages: number }> {
  const documents = await tx.db
    .selectFrom('hiu_document')
    .select('sha256')
    .where('bucket', '=', bucketOf(patient))
    .where('artefact', '=', artefact)
    .orderBy('sha256')
    .execute()
  const pages =
    requests.length === 0
      ? undefined
      : await tx.db
          .selectFrom('hiu_page')
          .select((eb) => eb.fn.countAll<string>().as('n'))
          .where('bucket', '=', bucketOf(patient))
          .where('request', 'in', [...requests])
          .executeTakeFirst()
  return { sha256: documents.map((row) => row.sha256.toString('hex')), pages: Number(pages?.n ?? 0) }
}

/** Deletes the sealed pages of requests, what was found in them and what their providers said. */
export async function deletePages(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  patient: AbhaAddress,
  requests: readonly string[],
): Promise<void> {
  const bucket = bucketOf(patient)
  if (requests.length > 0) {
    await tx.db
      .deleteFrom('hiu_entry')
      .where('bucket', '=', bucket)
      .where('request', 'in', [...requests])
      .execute()
    await tx.db
      .deleteFrom('hiu_page')
      .where('bucket', '=', bucket)
      .where('request', 'in', [...requests])
      .execute()
    await tx.db
      .updateTable('hiu_request')
      .set({ provider_report: null })
      .where('bucket', '=', bucket)
      .where('id', 'in', [...requests])
      .execute()
  }
}

/** Destroys the key of the copy, and deletes its rows. */
export async function eraseCopyRows(tx: Tx, _recorded: Recorded<AuditEvent>, erasure: Erasure): Promise<void> {
  const bucket = bucketOf(erasure.patient)
  await eraseDataKey(tx, erasure.patient, erasure.artefact)
  await tx.db
    .updateTable('hiu_artefact')
    .set({ erased_at: erasure.erasedAt })
    .where('bucket', '=', bucket)
    .where('id', '=', erasure.artefact)
    .execute()
  await tx.db.deleteFrom('hiu_document').where('bucket', '=', bucket).where('artefact', '=', erasure.artefact).execute()
  await tx.db
    .insertInto('hiu_erasure')
    .values({
      bucket,
      artefact: erasure.artefact,
      patient: erasure.patient,
      reason: erasure.reason,
      documents: erasure.documents,
      pages: erasure.pages,
      hashes: JSON.stringify(erasure.sha256),
      erased_at: erasure.erasedAt,
      attestation_refused: null,
    })
    .execute()
}

export async function setAttestation(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  erasure: Pick<Erasure, 'artefact' | 'patient'>,
  refused: string | null,
): Promise<void> {
  await tx.db
    .updateTable('hiu_erasure')
    .set({ attestation_refused: sealedOrNull(refused) })
    .where('bucket', '=', bucketOf(erasure.patient))
    .where('artefact', '=', erasure.artefact)
    .execute()
}

export async function findErasure(tx: Tx, patient: AbhaAddress, artefact: string): Promise<Erasure | undefined> {
  const row = await tx.db
    .selectFrom('hiu_erasure')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('artefact', '=', artefact)
    .executeTakeFirst()
  return row && erasureOf(row)
}

export async function listErasures(
  tx: Tx,
  { before, limit }: { readonly before?: ListPlace | undefined; readonly limit: number },
): Promise<readonly Erasure[]> {
  let query = tx.db.selectFrom('hiu_erasure').selectAll().where('bucket', '>=', 0)
  if (before !== undefined)
    query = query.where(sql<boolean>`(erased_at, artefact) < (${before.date}, ${before.id}::uuid)`)
  const rows = await query.orderBy('erased_at', 'desc').orderBy('artefact', 'desc').limit(limit).execute()
  return rows.map(erasureOf)
}

export function erasureOf(row: {
  artefact: string
  patient: string
  reason: string
  documents: number
  pages: number
  hashes: unknown
  erased_at: Date
  attestation_refused: string | null
}): Erasure {
  return {
    artefact: row.artefact as Id<'artefact'>,
    patient: row.patient as AbhaAddress,
    reason: row.reason as ErasureReason,
    documents: row.documents,
    pages: row.pages,
    sha256: row.hashes as readonly string[],
    erasedAt: row.erased_at,
    ...(row.attestation_refused === null ? {} : { attestationRefused: row.attestation_refused }),
  }
}

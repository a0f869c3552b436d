import { type Selectable, sql } from 'kysely'
import type { Access } from '../audit/access.ts'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { openWith, type Place, sealWith } from '../crypto/envelope.ts'
import type { ClinicalRecordTable } from '../db/tables.generated.ts'
import type { Tx } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type Bucket, type Id, toBucket } from '../kernel/id.ts'
import type { ListPlace } from '../kernel/list-place.ts'
import { must } from '../kernel/refusal.ts'
import { existingPatientKey, patientKey } from '../vault/data-keys.ts'
import { NAME_INDEX } from './name-index.ts'
import type { FacilityPatient } from './patient.ts'

const demographicsPlace = (reference: string): Place => ({
  table: 'facility_patient',
  column: 'demographics',
  row: reference,
  patient: reference,
})
const recordPlace = (reference: string, id: string): Place => ({
  table: 'clinical_record',
  column: 'sealed',
  row: id,
  patient: reference,
})

/** Writes a patient, new or changed. */
export async function savePatient(tx: Tx, _recorded: Recorded<AuditEvent>, patient: FacilityPatient): Promise<void> {
  const key = await patientKey(tx, patient.reference)
  const demographics = Buffer.from(
    sealWith(key, JSON.stringify(patient), demographicsPlace(patient.reference), tx.random),
  )
  await tx.db
    .insertInto('facility_patient')
    .values({
      bucket: bucketOf(patient.reference),
      reference: pseudonym(patient.reference),
      demographics,
      created_at: tx.now,
      changed_at: tx.now,
      name_index: NAME_INDEX,
    })
    .onConflict((c) =>
      c.columns(['bucket', 'reference']).doUpdateSet({ demographics, changed_at: tx.now, name_index: NAME_INDEX }),
    )
    .execute()
}

/** Patients whose names are not in the index yet, or were put there in an older way. */
export async function patientsToIndex(tx: Tx, limit: number): Promise<readonly string[]> {
  const { rows } = await sql<{ reference: string }>`
    /* all buckets: the index of names is made anew for everybody */
    select reference from facility_patient where name_index < ${NAME_INDEX} limit ${limit}`.execute(tx.db)
  return rows.map(({ reference }) => reference)
}

export async function markIndexed(tx: Tx, _recorded: Recorded<AuditEvent>, reference: string): Promise<void> {
  await tx.db
    .updateTable('facility_patient')
    .set({ name_index: NAME_INDEX })
    .where('bucket', '=', bucketOf(reference))
    .where('reference', '=', pseudonym(reference))
    .execute()
}

export async function loadPatient(tx: Tx, reference: string): Promise<FacilityPatient | undefined> {
  const row = await tx.db
    .selectFrom('facility_patient')
    .select('demographics')
    .where('bucket', '=', bucketOf(reference))
    .where('reference', '=', pseudonym(reference))
    .executeTakeFirst()
  return row === undefined ? undefined : openPatient(tx, reference, row.demographics)
}

/** Whether we know the patient since a time only. */
export async function isRegisteredSince(tx: Tx, reference: string, since: Date): Promise<boolean> {
  const row = await tx.db
    .selectFrom('facility_patient')
    .select('reference')
    .where('bucket', '=', bucketOf(reference))
    .where('reference', '=', pseudonym(reference))
    .where('created_at', '>=', since)
    .executeTakeFirst()
  return row !== undefined
}

async function openPatient(tx: Tx, reference: string, demographics: Uint8Array): Promise<FacilityPatient | undefined> {
  const key = await existingPatientKey(tx, reference)
  if (key === undefined) return undefined
  return JSON.parse(
    new TextDecoder().decode(must(openWith(key, demographics, demographicsPlace(reference)))),
  ) as FacilityPatient
}

/** Patients after `after` in the order of their buckets: for the facility's own list, page by page. */
export async function listPatients(
  tx: Tx,
  after: string | undefined,
  limit: number,
): Promise<readonly FacilityPatient[]> {
  const bucket = after === undefined ? -1 : bucketOf(after)
  const { rows } = await sql<{ reference: string; demographics: Buffer }>`
    /* all buckets: the facility's list of its patients */
    select reference, demographics from facility_patient
    where (bucket, reference) > (${bucket}, ${after === undefined ? '' : pseudonym(after)}) order by bucket, reference limit ${limit}`.execute(
    tx.db,
  )
  const patients = await Promise.all(rows.map((row) => openPatient(tx, row.reference, row.demographics)))
  return patients.filter((patient) => patient !== undefined)
}

export type IdentifierKind = 'abha-address' | 'abha-number' | 'mobile' | 'name'
export type HashedIdentifier = { readonly kind: IdentifierKind; readonly hash: Uint8Array }

const placeOfHash = (hash: Uint8Array): Bucket => toBucket(hash[0] ?? 0)

/** Replaces what the blind index says of a patient. */
export async function saveIdentifiers(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  reference: string,
  gone: readonly HashedIdentifier[],
  present: readonly HashedIdentifier[],
): Promise<void> {
  const isPresent = ({ kind, hash }: HashedIdentifier): boolean =>
    present.some((other) => other.kind === kind && Buffer.from(hash).equals(other.hash))
  for (const { kind, hash } of gone.filter((identifier) => !isPresent(identifier))) {
    await tx.db
      .deleteFrom('patient_identifier')
      .where('bucket', '=', placeOfHash(hash))
      .where('kind', '=', kind)
      .where('hash', '=', Buffer.from(hash))
      .where('reference', '=', pseudonym(reference))
      .execute()
  }
  if (present.length === 0) return
  await tx.db
    .insertInto('patient_identifier')
    .values(
      present.map(({ kind, hash }) => ({
        bucket: placeOfHash(hash),
        kind,
        hash: Buffer.from(hash),
        reference: pseudonym(reference),
      })),
    )
    .onConflict((c) => c.columns(['bucket', 'kind', 'hash', 'reference']).doNothing())
    .execute()
}

/** References of the patients that have all these identifiers, at most `limit`; each digest is looked up in its own place. */
export async function referencesByAll(
  tx: Tx,
  identifiers: readonly HashedIdentifier[],
  limit: number,
): Promise<readonly string[]> {
  if (identifiers.length === 0) return []
  const each = identifiers.map(
    ({ kind, hash }) => sql`select reference from patient_identifier
      where bucket = ${placeOfHash(hash)} and kind = ${kind} and hash = ${Buffer.from(hash)}`,
  )
  const { rows } = await sql<{ reference: string }>`
    ${sql.join(each, sql` intersect `)} order by reference limit ${limit}`.execute(tx.db)
  return rows.map(({ reference }) => reference).toSorted()
}

/** References of the patients that have this identifier. */
export async function referencesByIdentifier(tx: Tx, { kind, hash }: HashedIdentifier): Promise<readonly string[]> {
  const rows = await tx.db
    .selectFrom('patient_identifier')
    .select('reference')
    .where('bucket', '=', placeOfHash(hash))
    .where('kind', '=', kind)
    .where('hash', '=', Buffer.from(hash))
    .execute()
  return rows.map((row) => row.reference).toSorted()
}

export type StoredRecord = {
  readonly id: Id<'record'>
  readonly patientReference: string
  readonly careContextReference: string
  readonly hiType: HiType
  readonly date: Date
  readonly form: 'input' | 'document'
}

/** Writes a record, sealed under its patient's key. */
export async function insertRecord(
  tx: Tx,
  recorded: Recorded<AuditEvent>,
  record: StoredRecord,
  content: Uint8Array | string,
): Promise<void> {
  const key = await patientKey(tx, record.patientReference)
  await tx.db
    .insertInto('clinical_record')
    .values({
      bucket: bucketOf(record.patientReference),
      id: record.id,
      patient_reference: pseudonym(record.patientReference),
      care_context_reference: pseudonym(record.careContextReference),
      hi_type: record.hiType,
      date: record.date,
      form: record.form,
      sealed: Buffer.from(sealWith(key, content, recordPlace(record.patientReference, record.id), tx.random)),
      created_at: tx.now,
      event: recorded.id,
    })
    .execute()
}

export async function listRecords(tx: Tx, patientReference: string): Promise<readonly StoredRecord[]> {
  const rows = await tx.db
    .selectFrom('clinical_record')
    .select(['id', 'patient_reference', 'care_context_reference', 'hi_type', 'date', 'form'])
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .orderBy('date')
    .orderBy('id')
    .execute()
  return rows.map(storedRecord)
}

/** Up to `limit` records of some types, newest first, from below a place in that list; with their sealed size. */
export async function recordsBelow(
  tx: Tx,
  patientReference: string,
  wanted: { readonly types: readonly HiType[]; readonly below: ListPlace | undefined; readonly limit: number },
): Promise<readonly (StoredRecord & { readonly bytes: number })[]> {
  const { types, below, limit } = wanted
  if (types.length === 0) return []
  let query = tx.db
    .selectFrom('clinical_record')
    .select(['id', 'patient_reference', 'care_context_reference', 'hi_type', 'date', 'form'])
    .select(sql<number>`octet_length(sealed)`.as('bytes'))
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .where('hi_type', 'in', [...types])
  if (below !== undefined) query = query.where(sql<boolean>`(date, id) < (${below.date}, ${below.id}::uuid)`)
  const rows = await query.orderBy('date', 'desc').orderBy('id', 'desc').limit(limit).execute()
  return rows.map((row) => ({ ...storedRecord(row), bytes: row.bytes }))
}

/** How many records of each type a patient has. */
export async function countByType(tx: Tx, patientReference: string): Promise<ReadonlyMap<HiType, number>> {
  const rows = await tx.db
    .selectFrom('clinical_record')
    .select(['hi_type', sql<number>`count(*)::integer`.as('n')])
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .groupBy('hi_type')
    .execute()
  return new Map(rows.map((row) => [row.hi_type as HiType, row.n]))
}

/** How large the records of a patient are together, sealed. */
export async function sizeOfRecords(tx: Tx, patientReference: string): Promise<number> {
  const { rows } = await sql<{ bytes: string }>`
    select coalesce(sum(octet_length(sealed)), 0) as bytes from clinical_record
    where bucket = ${bucketOf(patientReference)} and patient_reference = ${pseudonym(patientReference)}`.execute(tx.db)
  return Number(rows[0]?.bytes ?? 0)
}

function storedRecord(
  row: Omit<Selectable<ClinicalRecordTable>, 'bucket' | 'sealed' | 'created_at' | 'event'>,
): StoredRecord {
  return {
    id: row.id as Id<'record'>,
    patientReference: row.patient_reference,
    careContextReference: row.care_context_reference,
    hiType: row.hi_type as HiType,
    date: row.date,
    form: row.form as StoredRecord['form'],
  }
}

/** Opens a record for whom `access` names; undefined when it is gone, or erased with its patient's key. */
export async function openRecord(
  tx: Tx,
  _access: Access,
  patientReference: string,
  id: string,
): Promise<(StoredRecord & { readonly content: Uint8Array }) | undefined> {
  const row = await tx.db
    .selectFrom('clinical_record')
    .selectAll()
    .where('bucket', '=', bucketOf(patientReference))
    .where('id', '=', id)
    .where('patient_reference', '=', pseudonym(patientReference))
    .executeTakeFirst()
  const key = row && (await existingPatientKey(tx, patientReference))
  if (row === undefined || key === undefined) return undefined
  return { ...storedRecord(row), content: must(openWith(key, row.sealed, recordPlace(patientReference, id))) }
}

import { createHmac } from 'node:crypto'
import { sql } from 'kysely'
import type { Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, toBucket } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import type { ClosingEvent } from './closing.ts'
import { MOVES, type Patient, type PatientEvent, type PatientStatus, type Profile } from './patient.ts'

export type IndexKind = 'abha-number' | 'mobile' | 'guardian'

const place = (patient: AbhaAddress): Place => ({ table: 'patient', column: 'sealed_profile', row: patient, patient })

/** False when the address is taken. */
export async function insertPatient(tx: Tx, { event }: Recorded<PatientEvent>, profile: Profile): Promise<boolean> {
  const inserted = await tx.db
    .insertInto('patient')
    .values({
      bucket: bucketOf(event.patient),
      abha_address: event.patient,
      sealed_profile: await sealJson(tx, place(event.patient), profile),
      status: 'active',
      enrolled_at: tx.now,
      changed_at: tx.now,
    })
    .onConflict((c) => c.columns(['bucket', 'abha_address']).doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

/** A patient whose account is not closed: a closed one answers everywhere as if there were none. */
export async function findPatient(tx: Tx, abhaAddress: AbhaAddress): Promise<Patient | undefined> {
  const patient = await findPatientOrClosed(tx, abhaAddress)
  return patient?.status === 'closed' ? undefined : patient
}

/** {@link findPatient} for who changes the profile: two changes at the same time follow one another, none undoes the other. */
export async function lockPatient(tx: Tx, abhaAddress: AbhaAddress): Promise<Patient | undefined> {
  const row = await tx.db
    .selectFrom('patient')
    .select(['sealed_profile', 'status', 'enrolled_at'])
    .where('bucket', '=', bucketOf(abhaAddress))
    .where('abha_address', '=', abhaAddress)
    .forUpdate()
    .executeTakeFirst()
  return row === undefined || row.status === 'closed' ? undefined : openPatient(tx, abhaAddress, row)
}

export async function findPatientOrClosed(tx: Tx, abhaAddress: AbhaAddress): Promise<Patient | undefined> {
  const row = await tx.db
    .selectFrom('patient')
    .select(['sealed_profile', 'status', 'enrolled_at'])
    .where('bucket', '=', bucketOf(abhaAddress))
    .where('abha_address', '=', abhaAddress)
    .executeTakeFirst()
  return row === undefined ? undefined : openPatient(tx, abhaAddress, row)
}

async function openPatient(
  tx: Tx,
  abhaAddress: AbhaAddress,
  row: { readonly sealed_profile: Uint8Array; readonly status: string; readonly enrolled_at: Date },
): Promise<Patient | undefined> {
  const profile = (await openJson(tx, place(abhaAddress), row.sealed_profile)) as Profile | undefined
  if (profile === undefined) return undefined
  return { ...profile, status: row.status as PatientStatus, enrolledAt: row.enrolled_at }
}

/** Keeps a changed profile, sealed anew. */
export async function updateProfile(tx: Tx, { event }: Recorded<PatientEvent>, profile: Profile): Promise<void> {
  const updated = await tx.db
    .updateTable('patient')
    .set({ sealed_profile: await sealJson(tx, place(event.patient), profile), changed_at: tx.now })
    .where('bucket', '=', bucketOf(event.patient))
    .where('abha_address', '=', event.patient)
    .executeTakeFirst()
  insistOnOne(updated, 'patient profile')
}

export async function findAllPatients(tx: Tx, limit: number): Promise<readonly Patient[]> {
  const { rows } = await sql<{ abha_address: AbhaAddress; sealed_profile: Buffer; status: string; enrolled_at: Date }>`
    /* all buckets: the operator's list */
    select abha_address, sealed_profile, status, enrolled_at from patient order by enrolled_at, abha_address limit ${limit}`.execute(
    tx.db,
  )
  const patients: Patient[] = []
  for (const row of rows) {
    const patient = await openPatient(tx, row.abha_address, row)
    if (patient !== undefined) patients.push(patient)
  }
  return patients
}

export async function updatePatientStatus(
  tx: Tx,
  { event }: Recorded<PatientEvent | ClosingEvent>,
  from: PatientStatus,
  to: PatientStatus,
): Promise<void> {
  insistOnMove(MOVES, from, to, 'patient')
  const updated = await tx.db
    .updateTable('patient')
    .set({ status: to, changed_at: tx.now })
    .where('bucket', '=', bucketOf(event.patient))
    .where('abha_address', '=', event.patient)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(updated, `patient ${from} to ${to}`)
}

/** HMAC-SHA-256 of a value: equal values meet, and nobody without the key can try numbers. */
function digestOf(indexKey: Uint8Array, kind: IndexKind, value: string): Buffer {
  return createHmac('sha256', indexKey).update(`patient_index\n${kind}\n${value}`).digest()
}

/** False when an ABHA number is taken by another patient. */
export async function insertIndex(
  tx: Tx,
  { event }: Recorded<PatientEvent>,
  indexKey: Uint8Array,
  kind: IndexKind,
  value: string,
): Promise<boolean> {
  const digest = digestOf(indexKey, kind, value)
  const inserted = await tx.db
    .insertInto('patient_index')
    .values({ bucket: toBucket(digest[0] ?? 0), kind, digest, abha_address: event.patient })
    .onConflict((c) => c.doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

/** This value no longer finds the patient; whom else it finds stays found. */
export async function deleteIndex(
  tx: Tx,
  { event }: Recorded<PatientEvent>,
  indexKey: Uint8Array,
  kind: IndexKind,
  value: string,
): Promise<void> {
  const digest = digestOf(indexKey, kind, value)
  await tx.db
    .deleteFrom('patient_index')
    .where('bucket', '=', toBucket(digest[0] ?? 0))
    .where('kind', '=', kind)
    .where('digest', '=', digest)
    .where('abha_address', '=', event.patient)
    .execute()
}

export async function findIndexed(
  tx: Tx,
  indexKey: Uint8Array,
  kind: IndexKind,
  value: string,
): Promise<readonly AbhaAddress[]> {
  const digest = digestOf(indexKey, kind, value)
  const rows = await tx.db
    .selectFrom('patient_index')
    .select('abha_address')
    .where('bucket', '=', toBucket(digest[0] ?? 0))
    .where('kind', '=', kind)
    .where('digest', '=', digest)
    .execute()
  return rows.map((row) => row.abha_address as AbhaAddress)
}

import { sql } from 'kysely'
import { generateDataKey, sealByShare } from '../crypto/envelope.ts'
import type { Tx } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Id } from '../kernel/id.ts'
import { forgetKeyRow, openKeyRow, rememberKeyRow } from './known-keys.ts'
import { endShare, takeShare } from './share-numbers.ts'

/**
 * What a data key seals: everything of ours about the patient, the copy received under one consent artefact, or the private key of one
 * data request.
 */
export type KeyScope = 'patient' | Id<'artefact'> | Id<'hiu-request'>

/** Keys read or made by a transaction, for as long as it lasts: one about a patient seals and opens many things with the same key. */
const keysOfTx = new WeakMap<Tx, Map<string, Uint8Array>>()

function keptKeys(tx: Tx): Map<string, Uint8Array> {
  const kept = keysOfTx.get(tx) ?? new Map<string, Uint8Array>()
  keysOfTx.set(tx, kept)
  return kept
}

const nameOf = (patient: string, scope: KeyScope): string => `${scope}\n${patient}`

/**
 * The patient's 32-byte data key for `scope`, made at first use. After {@link eraseDataKey} a fresh one is made: what the
 * old one sealed stays unreadable for good.
 */
export async function dataKey(tx: Tx, patient: string, scope: KeyScope): Promise<Uint8Array> {
  const existing = await readKey(tx, patient, scope)
  // In a copy of the database that is older than the erasure, the row is still there.
  if (existing === 'destroyed') await eraseDataKey(tx, patient, scope)
  else if (existing !== undefined) return existing
  const key = generateDataKey(tx.random)
  const { number, share } = await takeShare(tx)
  const { wrapId, blob } = await tx.keyWrap.wrap(sealByShare(share, number, key, tx.random))
  const row = { wrapped: blob, key_wrap_id: wrapId, share: number, created_at: tx.now, erased_at: null }
  const inserted = await tx.db
    .insertInto('data_key')
    .values({ bucket: bucketOf(patient), patient: pseudonym(patient), scope, ...row })
    .onConflict((c) => c.columns(['bucket', 'patient', 'scope']).doUpdateSet(row).where('data_key.wrapped', 'is', null))
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows === 1n) {
    keptKeys(tx).set(nameOf(patient, scope), key)
    return key
  }
  // Another transaction made one between our read and our insert: take theirs.
  const theirs = await existingDataKey(tx, patient, scope)
  if (theirs === undefined) throw new Error('a data key was erased while it was being made')
  return theirs
}

/** The data key, or undefined when there is none or it was erased. */
export async function existingDataKey(tx: Tx, patient: string, scope: KeyScope): Promise<Uint8Array | undefined> {
  const key = await readKey(tx, patient, scope)
  return key === 'destroyed' ? undefined : key
}

async function readKey(tx: Tx, patient: string, scope: KeyScope): Promise<Uint8Array | 'destroyed' | undefined> {
  const kept = keptKeys(tx).get(nameOf(patient, scope))
  if (kept !== undefined) return kept
  const row = await tx.db
    .selectFrom('data_key')
    .select(['wrapped', 'share'])
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', pseudonym(patient))
    .where('scope', '=', scope)
    .executeTakeFirst()
  if (!row?.wrapped) return undefined
  const known = { wrapped: row.wrapped, share: row.share }
  const key = await openKeyRow(tx.keyWrap, known)
  if (key === undefined) return 'destroyed'
  keptKeys(tx).set(nameOf(patient, scope), key)
  if (scope === 'patient') rememberKeyRow(tx, patient, known)
  return key
}

/** The patient's key when this transaction has read or made it already. */
export function patientKeyOfTx(tx: Tx, patient: string): Uint8Array | undefined {
  return keptKeys(tx).get(nameOf(patient, 'patient'))
}

/** Keeps a key that this transaction found to be the patient's. */
export function keepPatientKey(tx: Tx, patient: string, key: Uint8Array): void {
  keptKeys(tx).set(nameOf(patient, 'patient'), key)
}

/**
 * Destroys a data key: what it sealed is erased, also in every copy of the database (decision 24). False when there was none.
 */
export async function eraseDataKey(tx: Tx, patient: string, scope: KeyScope): Promise<boolean> {
  const [bucket, name] = [bucketOf(patient), pseudonym(patient)]
  const { rows } = await sql<{ share: number | null }>`
    with old as (
      select share from data_key
      where bucket = ${bucket} and patient = ${name} and scope = ${scope} and wrapped is not null for update
    )
    update data_key set wrapped = null, share = null, erased_at = ${tx.now} from old
    where data_key.bucket = ${bucket} and data_key.patient = ${name} and data_key.scope = ${scope}
    returning old.share`.execute(tx.db)
  keptKeys(tx).delete(nameOf(patient, scope))
  if (scope === 'patient') forgetKeyRow(tx, patient)
  const [erased] = rows
  if (erased === undefined) return false
  if (erased.share !== null) await endShare(tx, erased.share)
  return true
}

/** Destroys every data key about a patient; answers how many. */
export async function eraseDataKeysOf(tx: Tx, patient: string): Promise<number> {
  const keys = await tx.db
    .selectFrom('data_key')
    .select('scope')
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', pseudonym(patient))
    .where('wrapped', 'is not', null)
    .execute()
  for (const { scope } of keys) await eraseDataKey(tx, patient, scope as KeyScope)
  return keys.length
}

/** The key for what is ours about the patient: log events, demographics, own records. */
export async function patientKey(tx: Tx, patient: string): Promise<Uint8Array> {
  return dataKey(tx, patient, 'patient')
}

/** Like {@link patientKey}, but undefined when there is none or it was erased. */
export async function existingPatientKey(tx: Tx, patient: string): Promise<Uint8Array | undefined> {
  return existingDataKey(tx, patient, 'patient')
}

export type PatientPlace = { readonly bucket: number; readonly patient: string }
/** Before everybody. */
export const FIRST_PATIENT: PatientPlace = { bucket: -1, patient: '' }

/** Patients with a key of ours, in a fixed order: the next `limit` after a place. */
export async function patientsWithKeys(tx: Tx, after: PatientPlace, limit: number): Promise<readonly PatientPlace[]> {
  const { rows } = await sql<PatientPlace>`
    /* all buckets: the check of the log walks over everybody */
    select bucket, patient from data_key
    where (bucket, patient) > (${after.bucket}::smallint, ${pseudonym(after.patient)}) and scope = 'patient' and wrapped is not null
    order by bucket, patient limit ${limit}`.execute(tx.db)
  return rows
}

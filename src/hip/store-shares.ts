import { sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { openWith, type Place } from '../crypto/envelope.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type Id } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import { existingPatientKey } from '../vault/data-keys.ts'

/** A profile that a patient showed at a counter, as the exchange passed it on. */
export type ShownProfile = {
  readonly id: Id<'share'>
  readonly abhaAddress: AbhaAddress
  readonly counter: string
  readonly tokenNumber: number
  readonly sharedAt: Date
  readonly expiresAt: Date
  readonly profile: unknown
  /** Set when the desk has taken it: whom of our patients it is. */
  readonly patientReference?: string
}

type Row = {
  readonly id: string
  readonly abha_address: string
  readonly counter: string
  readonly token_number: number
  readonly profile: Uint8Array
  readonly shared_at: Date
  readonly expires_at: Date
  readonly patient_reference: string | null
}

/** Undefined once the patient's key was erased. */
async function openShare(tx: Tx, row: Row): Promise<ShownProfile | undefined> {
  const key = await existingPatientKey(tx, row.abha_address)
  if (key === undefined) return undefined
  const place: Place = { table: 'hip_share', column: 'profile', row: row.id, patient: row.abha_address }
  return {
    id: row.id as Id<'share'>,
    abhaAddress: row.abha_address as AbhaAddress,
    counter: row.counter,
    tokenNumber: row.token_number,
    sharedAt: row.shared_at,
    expiresAt: row.expires_at,
    profile: JSON.parse(new TextDecoder().decode(must(openWith(key, row.profile, place)))) as unknown,
    ...(row.patient_reference === null ? {} : { patientReference: row.patient_reference }),
  }
}

/** Profiles shared since a time that the desk has not taken yet, in the order in which they came. */
export async function waitingShares(tx: Tx, since: Date, limit: number): Promise<readonly ShownProfile[]> {
  const { rows } = await sql<Row>`
    /* all buckets: the queue of the facility's counters */
    select id, abha_address, counter, token_number, profile, shared_at, expires_at, patient_reference from hip_share
    where taken_at is null and expires_at > ${since} order by shared_at, id limit ${limit}`.execute(tx.db)
  const shares: ShownProfile[] = []
  for (const row of rows) {
    const share = await openShare(tx, row)
    if (share !== undefined) shares.push(share)
  }
  return shares
}

/** Reads and locks one, so that two people at the desk do not take it at once. */
export async function lockShare(tx: Tx, id: Id<'share'>): Promise<ShownProfile | undefined> {
  const row = await tx.db
    .selectFrom('hip_share')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && openShare(tx, row)
}

export async function takeShare(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  id: Id<'share'>,
  patientReference: string,
): Promise<void> {
  const result = await tx.db
    .updateTable('hip_share')
    .set({ taken_at: tx.now, patient_reference: pseudonym(patientReference) })
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .where('taken_at', 'is', null)
    .executeTakeFirst()
  insistOnOne(result, 'hip_share')
}

/** The newest place in a queue that a patient got since a time. */
export async function queueNumberOf(tx: Tx, abhaAddress: AbhaAddress, since: Date): Promise<number | undefined> {
  const row = await tx.db
    .selectFrom('hip_share')
    .select('token_number')
    .where('bucket', '=', bucketOf(abhaAddress))
    .where('abha_address', '=', abhaAddress)
    .where('shared_at', '>=', since)
    .orderBy('shared_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.token_number
}

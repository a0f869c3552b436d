import { type Selectable, sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { CareContextTable } from '../db/tables.generated.ts'
import type { Tx } from '../db/tx.ts'
import { pseudonymOf } from '../db/veil.ts'
import { type HiType, parseHiType } from '../fhir/hi-type.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, type Bucket, type FacilityId, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import type { CareContext, ContextPlace } from './care-context.ts'
import type { ContextKey, ContextsLinked, ContextUpdated } from './events.ts'

type Displays = { readonly patientDisplay: string; readonly display: string }

const place = (patient: AbhaAddress, hip: FacilityId, context: ContextKey): Place => ({
  table: 'care_context',
  column: 'sealed_display',
  row: JSON.stringify([hip, context.patientReference, context.careContextReference, context.hiType]),
  patient,
})

/** Linked care contexts of a patient, oldest first; of one facility when `hip` is given. */
export async function findCareContexts(
  tx: Tx,
  patient: AbhaAddress,
  hip?: FacilityId,
): Promise<readonly CareContext[]> {
  let query = tx.db
    .selectFrom('care_context')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
  if (hip !== undefined) query = query.where('hip', '=', hip)
  const rows = (await query.execute()).toSorted(inOrder)
  const contexts: CareContext[] = []
  for (const row of rows) contexts.push(await openContext(tx, patient, row))
  return contexts
}

/** Up to `limit` linked care contexts of a patient, facility by facility and oldest first there, from behind a place in that list. */
export async function careContextsBehind(
  tx: Tx,
  patient: AbhaAddress,
  behind: ContextPlace | undefined,
  limit: number,
): Promise<readonly CareContext[]> {
  let query = tx.db
    .selectFrom('care_context')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
  if (behind !== undefined) {
    const { hip, linkedAt, careContextReference, patientReference, hiType } = behind
    query = query.where(
      sql<boolean>`(hip, linked_at, care_context_reference, patient_reference, hi_type) > (${hip}, ${linkedAt},
        ${pseudonymOf(hip, careContextReference)}, ${pseudonymOf(hip, patientReference)}, ${hiType})`,
    )
  }
  const rows = await query
    .orderBy('hip')
    .orderBy('linked_at')
    .orderBy('care_context_reference')
    .orderBy('patient_reference')
    .orderBy('hi_type')
    .limit(limit)
    .execute()
  const contexts: CareContext[] = []
  for (const row of rows) contexts.push(await openContext(tx, patient, row))
  return contexts
}

/** Facilities with linked care contexts of a patient. */
export async function findHolders(tx: Tx, patient: AbhaAddress): Promise<readonly FacilityId[]> {
  const rows = await tx.db
    .selectFrom('care_context')
    .select('hip')
    .distinct()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .orderBy('hip')
    .execute()
  return rows.map((row) => row.hip as FacilityId)
}

async function openContext(tx: Tx, patient: AbhaAddress, row: Selectable<CareContextTable>): Promise<CareContext> {
  const hiType = parseHiType(row.hi_type)
  if (hiType === undefined) throw new Error(`care_context holds the HI type ${row.hi_type}`)
  const key = { patientReference: row.patient_reference, careContextReference: row.care_context_reference, hiType }
  const hip = row.hip as FacilityId
  const displays = (await openJson(tx, place(patient, hip, key), row.sealed_display)) as Displays | undefined
  return {
    ...key,
    patient,
    hip,
    patientDisplay: displays?.patientDisplay ?? '',
    display: displays?.display ?? '',
    linkedAt: row.linked_at,
  }
}

type InOrder = Pick<Selectable<CareContextTable>, 'linked_at' | 'hip' | 'care_context_reference' | 'hi_type'>

/** Here, not in the database: it knows pseudonyms alone, whose order means nothing. */
function inOrder(a: InOrder, b: InOrder): number {
  const [one, other] = [a, b].map((row) => [row.hip, row.care_context_reference, row.hi_type].join('\n'))
  return a.linked_at.getTime() - b.linked_at.getTime() || ((one ?? '') < (other ?? '') ? -1 : 1)
}

/** Adds links; one that is there already keeps its date and gets the new words. */
export async function saveCareContexts(
  tx: Tx,
  { event }: Recorded<ContextsLinked | ContextUpdated>,
  contexts: readonly (ContextKey & Displays)[],
): Promise<void> {
  for (const context of contexts) {
    const { patientDisplay, display } = context
    const sealed = await sealJson(tx, place(event.patient, event.hip, context), { patientDisplay, display })
    await tx.db
      .insertInto('care_context')
      .values({
        bucket: bucketOf(event.patient),
        patient: event.patient,
        hip: event.hip,
        patient_reference: pseudonymOf(event.hip, context.patientReference),
        care_context_reference: pseudonymOf(event.hip, context.careContextReference),
        hi_type: context.hiType,
        sealed_display: sealed,
        linked_at: tx.now,
        changed_at: tx.now,
      })
      .onConflict((c) =>
        c
          .columns(['bucket', 'patient', 'hip', 'patient_reference', 'care_context_reference', 'hi_type'])
          .doUpdateSet({ sealed_display: sealed, changed_at: tx.now }),
      )
      .execute()
  }
}

/** Marks that a context has new data. */
export async function touchCareContexts(tx: Tx, { event }: Recorded<ContextUpdated>): Promise<void> {
  await tx.db
    .updateTable('care_context')
    .set({ changed_at: tx.now })
    .where('bucket', '=', bucketOf(event.patient))
    .where('patient', '=', event.patient)
    .where('hip', '=', event.hip)
    .where('patient_reference', '=', pseudonymOf(event.hip, event.patientReference))
    .where('care_context_reference', '=', pseudonymOf(event.hip, event.careContextReference))
    .where('hi_type', 'in', [...event.hiTypes] as HiType[])
    .execute()
}

export type Attempt = {
  readonly bucket: Bucket
  readonly kind: 'link-token' | 'text-message'
  readonly subject: string
  readonly facility: FacilityId
}

/** How often `facility` tried this within the last 24 hours. Tries of one kind about one subject wait for one another until the end of `tx`. */
export async function countAttempts(tx: Tx, attempt: Attempt): Promise<number> {
  const name = JSON.stringify([attempt.kind, attempt.subject, attempt.facility])
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx.db)
  const row = await tx.db
    .selectFrom('linking_attempt')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('bucket', '=', attempt.bucket)
    .where('kind', '=', attempt.kind)
    .where('subject', '=', attempt.subject)
    .where('facility', '=', attempt.facility)
    .where('at', '>', new Date(tx.now.getTime() - LIMITS.attemptsWindowMs))
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

/** Forgets tries that count no more. */
export async function deleteOldAttempts(tx: Tx): Promise<void> {
  const before = new Date(tx.now.getTime() - LIMITS.attemptsWindowMs)
  await sql`/* all buckets: the clock decides */ delete from linking_attempt where at <= ${before}`.execute(tx.db)
}

export async function insertAttempt(tx: Tx, _recorded: Recorded<AuditEvent>, attempt: Attempt): Promise<void> {
  await tx.db
    .insertInto('linking_attempt')
    .values({ ...attempt, id: makeId<'attempt'>(tx.now, tx.random, attempt.bucket), at: tx.now })
    .execute()
}

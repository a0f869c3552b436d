import { sql } from 'kysely'
import type { Recorded } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'
import type { EmergencyTexts } from './emergency-text.ts'
import type { EmergencyToldEvent, PatientNotToldEvent } from './events.ts'

/** Emergencies of one facility for one patient wait for one another until the end of `tx`: or each would find that there is room. */
export async function lockEmergencies(tx: Tx, patient: AbhaAddress, hiu: FacilityId): Promise<void> {
  const name = JSON.stringify(['emergency', patient, hiu])
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx.db)
}

export async function findEmergencyTexts(
  tx: Tx,
  patient: AbhaAddress,
  hiu: FacilityId,
): Promise<EmergencyTexts | undefined> {
  const row = await tx.db
    .selectFrom('emergency_text')
    .select(['day_began', 'sent', 'held', 'together_at'])
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('hiu', '=', hiu)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { day_began: dayBegan, sent, held, together_at: togetherAt } = row
  return { dayBegan, sent, held, ...(togetherAt === null ? {} : { togetherAt }) }
}

export async function saveEmergencyTexts(
  tx: Tx,
  { event }: Recorded<EmergencyToldEvent | PatientNotToldEvent>,
  patient: AbhaAddress,
  { dayBegan, sent, held, togetherAt }: EmergencyTexts,
): Promise<void> {
  const state = { day_began: dayBegan, sent, held, together_at: togetherAt ?? null }
  await tx.db
    .insertInto('emergency_text')
    .values({ bucket: bucketOf(patient), patient, hiu: event.hiu, ...state })
    .onConflict((c) => c.columns(['bucket', 'patient', 'hiu']).doUpdateSet(state))
    .execute()
}

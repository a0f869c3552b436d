import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'

/**
 * How many requests of a facility wait for a patient's decision. Two that ask at once wait for one another until the end of `tx`: or each
 * would find room.
 */
export async function countWaiting(tx: Tx, patient: AbhaAddress, hiu: FacilityId): Promise<number> {
  const name = JSON.stringify(['consent-request', patient, hiu])
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx.db)
  const row = await tx.db
    .selectFrom('consent_request')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('hiu', '=', hiu)
    .where('status', '=', 'REQUESTED')
    .where('decide_by', '>', tx.now)
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { openRows } from '../vault/sealed-json.ts'
import type { Subscription } from './subscription.ts'
import { readRow } from './subscription-store.ts'

/** What one HIU asks of one patient and waits for, oldest first, no more than may wait. Whoever asks for the same waits until this transaction ends. */
export async function lockWaitingSubscriptions(
  tx: Tx,
  patient: AbhaAddress,
  hiu: FacilityId,
): Promise<readonly Subscription[]> {
  const name = JSON.stringify(['subscription', patient, hiu])
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx.db)
  const rows = await tx.db
    .selectFrom('subscription')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('status', '=', 'requested')
    .where('hiu', '=', hiu)
    .orderBy('id')
    .limit(LIMITS.requestsWaitingMax)
    .execute()
  return openRows(rows, (row) => readRow(tx, row))
}

/** What counts most comes first, whatever others ask: who is told now, then who asks, then who is told no more; of each the newest. */
export async function subscriptionsByStanding(
  tx: Tx,
  patient: AbhaAddress,
  page: { readonly limit: number; readonly offset: number },
): Promise<{ readonly items: readonly Subscription[]; readonly size: number }> {
  const own = tx.db.selectFrom('subscription').where('bucket', '=', bucketOf(patient)).where('patient', '=', patient)
  const rows = await own
    .selectAll()
    .orderBy(sql`array_position(array['granted', 'requested', 'revoked'], status)`)
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute()
  const counted = await own.select((e) => e.fn.countAll<string>().as('n')).executeTakeFirst()
  return { items: await openRows(rows, (row) => readRow(tx, row)), size: Number(counted?.n ?? 0) }
}

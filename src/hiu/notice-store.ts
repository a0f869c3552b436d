import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { sealedJson } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'

export type EarlyNotice = { readonly message: string; readonly notice: unknown }

/** Keeps a notification whose consent request we do not know yet. */
export async function saveEarlyNotice(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  consentRequest: string,
  message: string,
  notice: object,
): Promise<void> {
  await tx.db
    .insertInto('hiu_early_notice')
    .values({
      bucket: bucketOf(consentRequest),
      consent_request: consentRequest,
      message,
      notice: sealedJson(notice),
      at: tx.now,
    })
    .onConflict((c) => c.columns(['bucket', 'consent_request', 'message']).doNothing())
    .execute()
}

/** Consent requests that notifications were kept for, in every bucket. */
export async function earlyConsentRequests(tx: Tx, limit: number): Promise<readonly string[]> {
  const rows = await tx.db
    .selectFrom('hiu_early_notice')
    .select('consent_request')
    .distinct()
    .where('bucket', '>=', 0)
    .limit(limit)
    .execute()
  return rows.map((row) => row.consent_request)
}

/** Takes out what {@link saveEarlyNotice} kept, oldest first. */
export async function takeEarlyNotices(tx: Tx, consentRequest: string): Promise<readonly EarlyNotice[]> {
  const rows = await tx.db
    .deleteFrom('hiu_early_notice')
    .where('bucket', '=', bucketOf(consentRequest))
    .where('consent_request', '=', consentRequest)
    .returningAll()
    .execute()
  return rows.sort((a, b) => a.at.getTime() - b.at.getTime()).map(({ message, notice }) => ({ message, notice }))
}

/** Early notices that nothing came to explain: dropped after `keptMs`. */
export async function dropEarlyNotices(tx: Tx, before: Date): Promise<void> {
  await tx.db.deleteFrom('hiu_early_notice').where('bucket', '>=', 0).where('at', '<', before).execute()
}

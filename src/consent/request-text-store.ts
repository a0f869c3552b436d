import type { Recorded } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import type { PatientToldEvent } from './events.ts'

export type RequestText = { readonly hiu: string; readonly kind: PatientToldEvent['kind']; readonly toldAt: Date }

/** The texts that a patient was sent since then, or that are planned. */
export async function findRequestTexts(tx: Tx, patient: AbhaAddress, since: Date): Promise<readonly RequestText[]> {
  const rows = await tx.db
    .selectFrom('request_text')
    .select(['hiu', 'kind', 'told_at'])
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('told_at', '>', since)
    .execute()
  return rows.map(({ hiu, kind, told_at }) => ({ hiu, kind: kind as RequestText['kind'], toldAt: told_at }))
}

/** Keeps when it was told, or is to be told: one row for each asker and kind. */
export async function saveRequestText(
  tx: Tx,
  { event }: Recorded<PatientToldEvent>,
  patient: AbhaAddress,
  toldAt: Date,
): Promise<void> {
  await tx.db
    .insertInto('request_text')
    .values({ bucket: bucketOf(patient), patient, hiu: event.hiu, kind: event.kind, told_at: toldAt })
    .onConflict((c) => c.columns(['bucket', 'patient', 'hiu', 'kind']).doUpdateSet({ told_at: toldAt }))
    .execute()
}

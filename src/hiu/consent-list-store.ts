import { sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import type { ListPlace } from '../kernel/list-place.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import type { ConsentStatus } from './hiu.ts'
import { type Artefact, type Consent, openConsent } from './store.ts'

/** Which consents to list. `roles`: asked by staff in these roles; `software` names those that nobody of the staff asked for. */
export type ConsentFilter = {
  readonly patient?: AbhaAddress | undefined
  readonly statuses?: readonly ConsentStatus[] | undefined
  readonly roles?: readonly (StaffRole | 'software')[] | undefined
  /** Those below a place in that list alone. */
  readonly before?: ListPlace | undefined
  readonly limit: number
}

/** Latest first. */
export async function listConsents(tx: Tx, filter: ConsentFilter): Promise<readonly Consent[]> {
  const { patient, statuses, roles, before, limit } = filter
  let query = tx.db.selectFrom('hiu_consent').selectAll()
  query =
    patient === undefined
      ? query.where('bucket', '>=', 0)
      : query.where('bucket', '=', bucketOf(patient)).where('patient', '=', patient)
  if (statuses !== undefined) query = query.where('status', 'in', [...statuses])
  if (roles !== undefined)
    query = query.where((eb) => eb(eb.fn.coalesce('asked_role', eb.val('software')), 'in', [...roles]))
  if (before !== undefined) query = query.where(sql<boolean>`(asked_at, id) < (${before.date}, ${before.id}::uuid)`)
  const rows = await query.orderBy('asked_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
  const consents: Consent[] = []
  for (const row of rows) consents.push(await openConsent(tx, row))
  return consents
}

/** Notes that somebody read what came under a consent: the first time counts. */
export async function markRead(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  { patient, consent }: Pick<Artefact, 'patient' | 'consent'>,
): Promise<void> {
  await tx.db
    .updateTable('hiu_consent')
    .set({ read_at: tx.now })
    .where('bucket', '=', bucketOf(patient))
    .where('id', '=', consent)
    .where('read_at', 'is', null)
    .execute()
}

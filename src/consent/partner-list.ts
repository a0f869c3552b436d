import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import type { ArtefactStatus } from './consent.ts'

/** A consent as a partner's list shows it: who may get from whom, and how it stands. Whose it is stands in the consent itself. */
export type NamedConsent = {
  readonly consentId: Id<'artefact'>
  readonly consentRequestId: string
  readonly hip: string
  readonly hiu: string
  readonly status: ArtefactStatus
  readonly grantedAt: Date
  readonly changedAt: Date
  readonly dataEraseAt: Date
}

/** Consents that name one of these facilities, newest first; `before` is the id that the page before ended with. */
export async function consentsNaming(
  tx: Tx,
  facilities: readonly FacilityId[],
  page: { readonly before?: string; readonly limit: number },
): Promise<readonly NamedConsent[]> {
  const before = page.before ?? null
  const own = [...facilities]
  const { rows } = await sql<{
    id: string
    request: string
    hip: string
    hiu: string
    status: string
    created_at: Date
    changed_at: Date
    data_erase_at: Date
  }>`
    /* all buckets: a partner's list of the consents that name its facilities */
    select id, request, hip, hiu, status, created_at, changed_at, data_erase_at from consent_artefact
    where (hip = any(${own}) or hiu = any(${own})) and (${before}::uuid is null or id < ${before}::uuid)
    order by id desc limit ${page.limit}`.execute(tx.db)
  return rows.map((row) => ({
    consentId: row.id as Id<'artefact'>,
    consentRequestId: row.request,
    hip: row.hip,
    hiu: row.hiu,
    status: row.status as ArtefactStatus,
    grantedAt: row.created_at,
    changedAt: row.changed_at,
    dataEraseAt: row.data_erase_at,
  }))
}

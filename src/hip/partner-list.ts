import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'
import type { FacilityId } from '../kernel/id.ts'
import type { ArtefactStatus } from './artefact.ts'

/** A consent under which this facility shares, or shared, with a partner. */
export type SharedConsent = {
  readonly consentId: string
  readonly hiu: string
  readonly status: ArtefactStatus
  readonly dataEraseAt: Date | null
  readonly receivedAt: Date
  readonly endedAt: Date | null
}

type Page = { readonly before?: string; readonly limit: number }

/** Consents whose receiver is one of these facilities, newest first; `before` is the id that the page before ended with. */
export async function consentsSharedWith(
  tx: Tx,
  receivers: readonly FacilityId[],
  page: Page,
): Promise<readonly SharedConsent[]> {
  const before = page.before ?? null
  const { rows } = await sql<{
    consent_id: string
    hiu: string
    status: string
    erase_at: Date | null
    received_at: Date
    ended_at: Date | null
  }>`
    /* all buckets: a partner's list of the consents under which we share with it */
    select consent_id, hiu, status, erase_at, received_at, ended_at from hip_artefact
    where hiu = any(${[...receivers]}) and (${before}::uuid is null or consent_id < ${before}::uuid)
    order by consent_id desc limit ${page.limit}`.execute(tx.db)
  return rows.map((row) => ({
    consentId: row.consent_id,
    hiu: row.hiu,
    status: row.status as ArtefactStatus,
    dataEraseAt: row.erase_at,
    receivedAt: row.received_at,
    endedAt: row.ended_at,
  }))
}

/** A document that was sent to a partner, or held back; without whose it is, which the consent says. */
export type DisclosureTo = {
  readonly consentId: string
  readonly transactionId: string
  readonly hiu: string
  readonly careContextReference: string
  readonly hiType: string
  readonly status: string
  readonly narrowed: boolean
  readonly sha256: string
  readonly settledAt: Date
  /** The entry of our log that proves it. */
  readonly event: string | null
}

/** What these facilities were sent, newest first; `before` is the event that the page before ended with. */
export async function disclosuresTo(
  tx: Tx,
  receivers: readonly FacilityId[],
  page: Page,
): Promise<readonly DisclosureTo[]> {
  const before = page.before ?? null
  const { rows } = await sql<{
    consent_id: string
    transaction_id: string
    hiu: string
    care_context_reference: string
    hi_type: string
    status: string
    narrowed: boolean
    document_hash: Buffer
    settled_at: Date
    event: string | null
  }>`
    /* all buckets: a partner's list of what we sent it */
    select r.consent_id, r.transaction_id, r.hiu, p.care_context_reference, p.hi_type, p.status, p.narrowed, p.document_hash,
      p.settled_at, p.event
    from hip_page p join hip_request r on r.bucket = p.bucket and r.transaction_id = p.transaction_id
    where p.settled_at is not null and r.hiu = any(${[...receivers]}) and (${before}::uuid is null or p.event < ${before}::uuid)
    order by p.event desc limit ${page.limit}`.execute(tx.db)
  return rows.map((row) => ({
    consentId: row.consent_id,
    transactionId: row.transaction_id,
    hiu: row.hiu,
    careContextReference: row.care_context_reference,
    hiType: row.hi_type,
    status: row.status,
    narrowed: row.narrowed,
    sha256: row.document_hash.toString('hex'),
    settledAt: row.settled_at,
    event: row.event,
  }))
}

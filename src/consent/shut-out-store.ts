import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'

const FIRST = '00000000-0000-0000-0000-000000000000'

/** What may still be used, or granted, by one facility. */
export type OpenOfHiu = {
  readonly artefacts: readonly Id<'artefact'>[]
  readonly requests: readonly Id<'consent-request'>[]
  readonly policies: readonly { readonly id: Id<'approval-policy'>; readonly patient: AbhaAddress }[]
  readonly subscriptions: readonly { readonly id: Id<'subscription'>; readonly patient: AbhaAddress }[]
}

/** The last ids of a batch; what follows has greater ones. */
export type AfterOpen = {
  readonly artefact?: Id<'artefact'> | undefined
  readonly request?: Id<'consent-request'> | undefined
  readonly policy?: Id<'approval-policy'> | undefined
  readonly subscription?: Id<'subscription'> | undefined
}

/** At most `limit` of each kind, beyond `after`; or the one with the id `only`, if it is still open. */
export async function findOpenOfHiu(
  tx: Tx,
  wanted: {
    readonly hiu: FacilityId
    readonly allowedUntil: Date
    readonly after: AfterOpen
    readonly only: string | null
  },
  limit: number,
): Promise<OpenOfHiu> {
  const { hiu, allowedUntil, after, only } = wanted
  const isWanted = sql`(${only}::uuid is null or id = ${only}::uuid)`
  const artefacts = await sql<{ id: string }>`
    /* all buckets: what is allowed to a facility that is shut out, whoever allowed it */
    select id from consent_artefact
    where hiu = ${hiu} and status = 'GRANTED' and data_erase_at > ${tx.now}
      and created_at <= ${allowedUntil} and id > ${after.artefact ?? FIRST}::uuid
      and ${isWanted}
    order by id limit ${limit}`.execute(tx.db)
  const requests = await sql<{ id: string }>`
    /* all buckets: what waits of a facility that is shut out */
    select id from consent_request
    where status = 'REQUESTED' and hiu = ${hiu} and created_at <= ${allowedUntil} and id > ${after.request ?? FIRST}::uuid
      and ${isWanted}
    order by id limit ${limit}`.execute(tx.db)
  const policies = await sql<{ id: string; patient: string }>`
    /* all buckets: standing approvals of a facility that is shut out */
    select id, patient from approval_policy
    where hiu = ${hiu} and enabled and changed_at <= ${allowedUntil} and id > ${after.policy ?? FIRST}::uuid
      and ${isWanted}
    order by id limit ${limit}`.execute(tx.db)
  const subscriptions = await sql<{ id: string; patient: string }>`
    /* all buckets: of whose visits a facility that is shut out hears */
    select id, patient from subscription
    where hiu = ${hiu} and status = 'granted' and changed_at <= ${allowedUntil} and id > ${after.subscription ?? FIRST}::uuid
      and ${isWanted}
    order by id limit ${limit}`.execute(tx.db)
  return {
    artefacts: artefacts.rows.map(({ id }) => id as Id<'artefact'>),
    requests: requests.rows.map(({ id }) => id as Id<'consent-request'>),
    policies: policies.rows.map(({ id, patient }) => ({
      id: id as Id<'approval-policy'>,
      patient: patient as AbhaAddress,
    })),
    subscriptions: subscriptions.rows.map(({ id, patient }) => ({
      id: id as Id<'subscription'>,
      patient: patient as AbhaAddress,
    })),
  }
}

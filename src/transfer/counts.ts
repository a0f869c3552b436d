import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'

export type DataRequestCounts = {
  /** The provider sent everything, or all that it could. */
  readonly delivered: number
  readonly underWay: number
  /** Refused by the provider, or failed on the way. */
  readonly failed: number
}

/** How requests for health information ended at their providers. */
export async function countDataRequests(tx: Tx): Promise<DataRequestCounts> {
  const { rows } = await sql<DataRequestCounts>`
    select
      (count(*) filter (where hip_status in ('TRANSFERRED', 'PARTIAL_TRANSFERRED')))::int as delivered,
      (count(*) filter (where hip_status in ('REQUESTED', 'ACKNOWLEDGED')))::int as "underWay",
      (count(*) filter (where hip_status in ('REFUSED', 'FAILED')))::int as failed
    from data_request
    /* all buckets: the operator's count of transfers */`.execute(tx.db)
  return rows[0] ?? { delivered: 0, underWay: 0, failed: 0 }
}

import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'
import type { RequestStatus } from './consent.ts'

/** How many consent requests stand in each status. */
export async function countRequests(tx: Tx): Promise<Readonly<Record<RequestStatus, number>>> {
  const { rows } = await sql<{ status: RequestStatus; count: number }>`
    select status, count(*)::int as count from consent_request group by status
    /* all buckets: the operator's count of requests */`.execute(tx.db)
  const counts = { REQUESTED: 0, GRANTED: 0, DENIED: 0, REVOKED: 0, EXPIRED: 0 }
  for (const { status, count } of rows) counts[status] = count
  return counts
}

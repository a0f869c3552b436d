import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'

/** How many care contexts are linked; one that holds several HI types counts once. */
export async function countCareContexts(tx: Tx): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(distinct (bucket, patient, hip, patient_reference, care_context_reference))::int as count from care_context
    /* all buckets: the operator's count of links */`.execute(tx.db)
  return rows[0]?.count ?? 0
}

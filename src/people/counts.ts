import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'

/** How many people have an active account at this exchange. */
export async function countPatients(tx: Tx): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from patient where status = 'active'
    /* all buckets: the operator's count of accounts */`.execute(tx.db)
  return rows[0]?.count ?? 0
}

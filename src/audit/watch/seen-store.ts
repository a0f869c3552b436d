import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.generated.ts'
import type { Tx } from '../../db/tx.ts'

export type SeenLog = {
  readonly origin: string
  readonly size: number
  readonly note: string
  readonly grownAt: Date
  readonly answeredAt: Date
}

/** What we saw of one log; undefined when it never answered. */
export async function findSeen(db: Kysely<Tables>, origin: string): Promise<SeenLog | undefined> {
  const row = await db.selectFrom('seen_log').selectAll().where('origin', '=', origin).executeTakeFirst()
  return (
    row && {
      origin: row.origin,
      size: row.size,
      note: row.note,
      grownAt: row.grown_at,
      answeredAt: row.answered_at,
    }
  )
}

/** Keeps a checkpoint that continues what we saw. */
export async function saveSeen(tx: Tx, origin: string, size: number, note: string): Promise<void> {
  const row = { size, note, grown_at: tx.now, answered_at: tx.now }
  await tx.db
    .insertInto('seen_log')
    .values({ origin, ...row })
    .onConflict((c) => c.column('origin').doUpdateSet(row))
    .execute()
}

/** The log answered, with nothing new. */
export async function touchSeen(tx: Tx, origin: string): Promise<void> {
  await tx.db.updateTable('seen_log').set({ answered_at: tx.now }).where('origin', '=', origin).execute()
}

import type { Kysely } from 'kysely'
import type { Tables } from '../../db/tables.generated.ts'
import type { Tx } from '../../db/tx.ts'
import type { NewStamp } from './ask.ts'

type Db = Kysely<Tables>

/** Keeps the time-stamp of the checkpoint of this size; the first one stays. */
export async function saveStamp(tx: Tx, size: number, { authority, token, at }: NewStamp): Promise<void> {
  await tx.db
    .insertInto('log_timestamp')
    .values({ size, authority, token, stamped_at: at })
    .onConflict((c) => c.column('size').doNothing())
    .execute()
}

export type StampRow = { readonly size: number; readonly authority: string; readonly at: Date }

/** Which checkpoints were stamped, the newest first. */
export async function findStamps(db: Db, limit: number): Promise<readonly StampRow[]> {
  const rows = await db
    .selectFrom('log_timestamp')
    .select(['size', 'authority', 'stamped_at'])
    .orderBy('size', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ size, authority, stamped_at: at }) => ({ size, authority, at }))
}

/** The time-stamp of one checkpoint, with the note that it stamps. */
export async function findStamp(
  db: Db,
  size: number,
): Promise<{ readonly note: string; readonly token: Uint8Array } | undefined> {
  return db
    .selectFrom('log_timestamp')
    .innerJoin('log_checkpoint', 'log_checkpoint.size', 'log_timestamp.size')
    .select(['log_checkpoint.note', 'log_timestamp.token'])
    .where('log_timestamp.size', '=', size)
    .executeTakeFirst()
}

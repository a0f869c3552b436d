import { sql } from 'kysely'
import type { KeyShares } from '../crypto/envelope.ts'
import type { Tx } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'

/** Numbers that the database gave to this program and that are not used yet. A restart loses some; there are enough. */
const blocks = new WeakMap<KeyShares, { next: number; readonly end: number }>()

/** A number whose share nobody uses, with that share. */
export async function takeShare(tx: Tx): Promise<{ readonly number: number; readonly share: Uint8Array }> {
  const { shares } = tx.keyWrap
  for (;;) {
    const block = blocks.get(shares)
    if (block === undefined || block.next >= block.end) {
      blocks.set(shares, await takeBlock(tx))
      continue
    }
    const number = block.next++
    const share = shares.read(number)
    // In an old copy of the database, numbers are given out again that were erased since.
    if (share !== undefined) return { number, share }
  }
}

async function takeBlock(tx: Tx): Promise<{ next: number; readonly end: number }> {
  const { shares } = tx.keyWrap
  const { first } = await tx.db
    .insertInto('key_share_block')
    .values({ taken_at: tx.now })
    .returning('first')
    .executeTakeFirstOrThrow()
  const end = first + LIMITS.sharesPerBlock
  if (!shares.reaches(end)) {
    // One program makes shares at a time, or two would make different ones for the same number.
    await sql`select pg_advisory_xact_lock(hashtext('amanat/shares'))`.execute(tx.db)
    if (!shares.reaches(end)) shares.grow(end)
  }
  return { next: first, end }
}

/** Destroys a share when this transaction has committed, and notes it, so that it is done also after a crash in between. */
export async function endShare(tx: Tx, number: number): Promise<void> {
  await tx.db
    .insertInto('key_share_end')
    .values({ share: number, ended_at: tx.now, destroyed_at: null })
    .onConflict((c) => c.column('share').doNothing())
    .execute()
  const { shares } = tx.keyWrap
  tx.afterCommit(() => shares.destroy([number]))
}

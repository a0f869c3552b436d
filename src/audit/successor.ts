import type { Kysely } from 'kysely'
import { formatCheckpoint } from '../crypto/checkpoint.ts'
import { formatNote, type Signer, signNote } from '../crypto/signed-note.ts'
import { rootFromTiles } from '../crypto/tiles.ts'
import type { Tables } from '../db/tables.generated.ts'
import type { Tx } from '../db/tx.ts'
import { LogDamaged, latestCheckpoint, lockSequencer, readTile } from './store.ts'

/** Where the name is kept under which a log goes on after entries were lost (docs/operate/recovery.md). */
const SUFFIX = 'log.suffix'

/** The name of our log: the configured one, or that of its successor after a restore that lost entries. */
export async function nameOfOwnLog(db: Kysely<Tables>, configured: string): Promise<string> {
  const row = await db.selectFrom('setting').select('value').where('name', '=', SUFFIX).executeTakeFirst()
  return row === undefined ? configured : `${configured}/${String(row.value)}`
}

/** Our root of the first `size` entries: what somebody who saw so many must have seen. */
export async function rootAt(db: Kysely<Tables>, size: number): Promise<Uint8Array> {
  return rootFromTiles(size, (tile) => readTile(db, tile))
}

/**
 * Lets the log go on under the name of `next`. Its entries stay as they are; what was signed under the old name is dropped here (whoever
 * has it can verify it with the old key), and the newest tree is signed anew. Under the old name we could only contradict what witnesses saw.
 */
export async function continueUnderNewName(tx: Tx, next: Signer, suffix: string): Promise<void> {
  await lockSequencer(tx)
  const latest = await latestCheckpoint(tx.db)
  if (latest !== undefined && !Buffer.from(await rootAt(tx.db, latest.size)).equals(Buffer.from(latest.root)))
    throw new LogDamaged(`the tree at ${latest.size} is not the one that was signed`)
  await tx.db.deleteFrom('log_cosignature').execute()
  await tx.db.deleteFrom('log_witness').execute()
  await tx.db.deleteFrom('log_checkpoint').execute()
  if (latest !== undefined) {
    const { size, root } = latest
    const text = formatCheckpoint({ origin: next.key.name, size, root })
    const note = formatNote({ text, signatures: [signNote(text, next)] })
    await tx.db.insertInto('log_checkpoint').values({ size, root, note, signed_at: tx.now }).execute()
  }
  const set = { value: JSON.stringify(suffix), changed_at: tx.now }
  await tx.db
    .insertInto('setting')
    .values({ name: SUFFIX, ...set })
    .onConflict((c) => c.column('name').doUpdateSet(set))
    .execute()
}

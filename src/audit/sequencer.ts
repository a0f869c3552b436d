import { formatCheckpoint, parseSignedCheckpoint } from '../crypto/checkpoint.ts'
import { EMPTY_ROOT } from '../crypto/merkle.ts'
import { ed25519Verifier, formatNote, openNote, type Signer, signNote } from '../crypto/signed-note.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, must } from '../kernel/refusal.ts'
import { entryBytes } from './entry.ts'
import { growTree } from './growth.ts'
import {
  isQueueEmpty,
  LogDamaged,
  latestCheckpoint,
  lockSequencer,
  readTile,
  type StoredCheckpoint,
  saveGrowth,
  takeQueued,
} from './store.ts'

/** The log was signed by another key than the one that is configured now. */
export class LogKeyChanged extends Error {
  override readonly name = 'LogKeyChanged'
}

/**
 * Turns everything that is committed and waits into leaves, in order of arrival, and signs a checkpoint for each batch. Safe to call
 * at any time and from several processes; a crash at any point leaves whole batches. Returns how many leaves it appended.
 * @throws LogDamaged, LogKeyChanged: nothing is signed over a tree that is not what we signed before
 */
export async function sequenceNow(machine: Machine, signer: Signer): Promise<number> {
  let appended = 0
  if (await isQueueEmpty(machine.db)) return appended
  for (;;) {
    const batch = await transact(machine, (tx) => sequenceBatch(tx, signer))
    appended += batch
    if (batch < LIMITS.logBatchEntriesMax) return appended
  }
}

/** One batch in the caller's transaction: queue rows become leaves, tiles, bundles and one signed checkpoint. */
export async function sequenceBatch(tx: Tx, signer: Signer): Promise<number> {
  await lockSequencer(tx)
  const queued = await takeQueued(tx, LIMITS.logBatchEntriesMax)
  if (queued.length === 0) return 0
  const before = await latestCheckpoint(tx.db)
  if (before) insistOnOwnCheckpoint(before, signer)
  const entries = queued.map(({ commitment }) => entryBytes(commitment))
  const old = before ?? { size: 0, root: EMPTY_ROOT }
  const growth = await growTree(old, entries, (tile) => readTile(tx.db, tile))
  if ('damaged' in growth) throw new LogDamaged(growth.damaged)
  const text = formatCheckpoint({ origin: signer.key.name, size: growth.size, root: growth.root })
  const note = formatNote({ text, signatures: [signNote(text, signer)] })
  await saveGrowth(
    tx,
    growth,
    queued.map(({ event }) => event),
    note,
  )
  return queued.length
}

function insistOnOwnCheckpoint(before: StoredCheckpoint, signer: Signer): void {
  const { checkpoint, note } = must(parseSignedCheckpoint(before.note))
  if (checkpoint.origin !== signer.key.name || isRefusal(openNote(note, [ed25519Verifier(signer.key)]))) {
    throw new LogKeyChanged(
      `The log in this database is ${checkpoint.origin} and was signed by another key than the configured ${signer.key.name} (${signer.key.keyId}). Restore that key; a log cannot change its name or key.`,
    )
  }
  if (checkpoint.size !== before.size || !Buffer.from(checkpoint.root).equals(before.root)) {
    throw new LogDamaged(`the checkpoint at ${before.size} is not the one that was signed`)
  }
}

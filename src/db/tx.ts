import type { Kysely, Transaction } from 'kysely'
import type { KeyWrap } from '../crypto/envelope.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { Changes } from './changes.ts'
import type { Tables } from './tables.generated.ts'

export type Random = (bytes: number) => Uint8Array

/** What another room does, in the same transaction, when an event happened. Quick; slow work becomes a job. */
export type Reaction = (tx: Tx, event: never) => Promise<void>
export type Reactions = ReadonlyMap<string, readonly Reaction[]>

/** What opens transactions: made once, in `app.ts`. */
export type Machine = {
  readonly db: Kysely<Tables>
  readonly now: () => Date
  readonly random: Random
  readonly keyWrap: KeyWrap
  readonly reactions: Reactions
  /** Tells the job worker that there is something to do. */
  readonly wake: () => void
  readonly changes: Changes
  /** A party of the sandbox, with invented people only: its delivery log keeps whole messages. */
  readonly sandbox?: true
}

/** One transaction, with the only clock and randomness that a command may use. */
export type Tx = {
  readonly db: Transaction<Tables>
  readonly now: Date
  readonly random: Random
  readonly keyWrap: KeyWrap
  readonly reactions: Reactions
  /** Runs after a successful commit, never after a rollback. */
  readonly afterCommit: (run: () => void) => void
  readonly wake: () => void
  readonly changes: Changes
}

/** A row was not in the state that we read: somebody else moved it. The transaction starts anew. */
export class StaleRow extends Error {
  override readonly name = 'StaleRow'
}

/** Insists that an update or insert touched exactly one row. */
export function insistOnOne(
  result: { readonly numUpdatedRows?: bigint; readonly numInsertedOrUpdatedRows?: bigint },
  what: string,
): void {
  const rows = result.numUpdatedRows ?? result.numInsertedOrUpdatedRows
  if (rows !== 1n) throw new StaleRow(`${what}: ${rows ?? 0n} rows in place of one`)
}

/**
 * Runs `work` in one transaction. A refusal is a normal result and commits (what was recorded stays recorded); a throw rolls back.
 * Serialisation failures, deadlocks and {@link StaleRow} start it anew, at most `LIMITS.transactionRetriesMax` times.
 */
export async function transact<T>(machine: Machine, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const after: (() => void)[] = []
    try {
      const result = await machine.db.transaction().execute((db) =>
        work({
          db,
          now: machine.now(),
          random: machine.random,
          keyWrap: machine.keyWrap,
          reactions: machine.reactions,
          afterCommit: (run) => after.push(run),
          wake: machine.wake,
          changes: machine.changes,
        }),
      )
      for (const run of after) run()
      return result
    } catch (error) {
      if (attempt >= LIMITS.transactionRetriesMax || !mayRetry(error)) throw withoutValues(error)
    }
  }
}

/** PostgreSQL repeats values of the row in these parts of an error; errors go into our log, patients' data must not. */
function withoutValues(error: unknown): unknown {
  if (error instanceof Error)
    for (const part of ['detail', 'where', 'hint', 'internalQuery']) Reflect.deleteProperty(error, part)
  return error
}

/** 40001 serialization_failure, 40P01 deadlock_detected (PostgreSQL, appendix A). */
function mayRetry(error: unknown): boolean {
  if (error instanceof StaleRow) return true
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return code === '40001' || code === '40P01'
}

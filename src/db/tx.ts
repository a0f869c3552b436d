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

/** serialization_failure, deadlock_detected (PostgreSQL, appendix A). */
const CROSSED = new Set<unknown>(['40001', '40P01'])
/** query_canceled by the time that a statement has, too_many_connections. */
const OUT_OF_ROOM = new Set<unknown>(['57014', '53300'])

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}

function mayRetry(error: unknown): boolean {
  return error instanceof StaleRow || CROSSED.has(codeOf(error))
}

/**
 * Whether a transaction failed only because too much is asked of the database at once: no connection in time, no end in time, crossed
 * by others again and again. It was rolled back; later the same may succeed.
 */
export function isTooBusy(error: unknown): boolean {
  const code = codeOf(error)
  if (CROSSED.has(code) || OUT_OF_ROOM.has(code)) return true
  // node-postgres gives this fault no code.
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect'
}

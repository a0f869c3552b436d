import type { Kysely } from 'kysely'
import type { Tables } from '../db/tables.generated.ts'
import { readWitnesses } from './witness-store.ts'

/** How the log is doing: for health, metrics, the operator. */
export type LogState = {
  /** Entries in the newest checkpoint. */
  readonly size: number
  readonly signedAt: Date | undefined
  /** How many witnesses have cosigned the newest checkpoint so far. */
  readonly cosignedBy: number
  /** Committed events that are not in a checkpoint yet: more than a few seconds' worth means that the sequencer stands still. */
  readonly waiting: number
  /** Events whose stored row was found to differ from the log, or to be gone. */
  readonly rowFaults: number
  /** `fault` says why a witness does not cosign; null = all is well. */
  readonly witnesses: readonly { readonly name: string; readonly size: number; readonly fault: string | null }[]
}

/** How many entries the newest checkpoint has; none while the log is empty. */
export async function sizeOfLog(db: Kysely<Tables>): Promise<number> {
  const row = await db.selectFrom('log_checkpoint').select('size').orderBy('size', 'desc').limit(1).executeTakeFirst()
  return row?.size ?? 0
}

/** Reads {@link LogState}. */
export async function readLogState(db: Kysely<Tables>): Promise<LogState> {
  const latest = await db
    .selectFrom('log_checkpoint')
    .select(['size', 'signed_at'])
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
  const queue = await db
    .selectFrom('log_queue')
    .select((q) => q.fn.countAll<number>().as('waiting'))
    .executeTakeFirstOrThrow()
  const cosigned = await db
    .selectFrom('log_cosignature')
    .select((q) => q.fn.countAll<number>().as('witnesses'))
    .where('size', '=', latest?.size ?? 0)
    .executeTakeFirstOrThrow()
  const rowFault = await db
    .selectFrom('log_row_fault')
    .select((q) => q.fn.countAll<number>().as('found'))
    .executeTakeFirstOrThrow()
  return {
    size: latest?.size ?? 0,
    signedAt: latest?.signed_at,
    cosignedBy: cosigned.witnesses,
    waiting: queue.waiting,
    rowFaults: rowFault.found,
    witnesses: await readWitnesses(db),
  }
}

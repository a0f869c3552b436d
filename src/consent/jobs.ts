import { type Machine, transact } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import { toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { expireArtefactIfDue, expireRequestIfDue } from './end-commands.ts'
import { findDue } from './store.ts'

/** The notices go out at the end of a sweep; the end itself holds to the millisecond, since every use checks the clock. */
const SWEEP_EVERY_MS = 20_000
const BUCKETS = 256

/**
 * Chore `consent-expiry`: ends requests whose time to decide is over and consents whose `dataEraseAt` has come, shard by shard, each
 * in a transaction of its own.
 */
export function expiryChore(machine: Machine, everyMs: number = SWEEP_EVERY_MS): Chore {
  return { name: 'consent-expiry', everyMs, run: () => sweepExpired(machine) }
}

/** One sweep over all buckets. */
export async function sweepExpired(machine: Machine): Promise<void> {
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const due = await transact(machine, (tx) => findDue(tx, toBucket(bucket), LIMITS.expiryBatchMax))
    for (const id of due.requests) await transact(machine, (tx) => expireRequestIfDue(tx, id))
    for (const id of due.artefacts) await transact(machine, (tx) => expireArtefactIfDue(tx, id))
  }
}

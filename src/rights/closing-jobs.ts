import { type Machine, transact } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import type { JobHandler } from '../jobs/worker.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { accountsDue } from '../people/closing-commands.ts'
import { CLOSE_ACCOUNT_JOB, closeStep, eraseAccountIfDue } from './closing-commands.ts'

const HOUR_MS = 3_600_000

/**
 * Ends what a stopped account had allowed, each step in a transaction of its own: whoever takes the job after a crash goes on where the
 * last step ended. Tried for a month, since what has not ended may still be used elsewhere.
 */
export const closeAccountJob: readonly [kind: string, handler: JobHandler] = [
  CLOSE_ACCOUNT_JOB,
  async (machine, job) => {
    // Written by `closeAccount` only.
    const { patient, actor } = job.payload as { readonly patient: AbhaAddress; readonly actor: Actor }
    try {
      while (await transact(machine, (tx) => closeStep(tx, patient, actor)));
      return { outcome: 'done' }
    } catch (error) {
      return { outcome: 'retry', error: String(error), attemptsMax: LIMITS.lastingAttemptsMax }
    }
  },
]

/** Erases closed accounts whose time of keeping is over, each in a transaction of its own. */
export function closingChore(machine: Machine): Chore {
  return { name: 'closed accounts', everyMs: HOUR_MS, run: () => eraseClosedAccounts(machine) }
}

/** One turn; what is left over is done at the next. */
export async function eraseClosedAccounts(machine: Machine): Promise<void> {
  const due = await transact(machine, (tx) => accountsDue(tx, LIMITS.expiryBatchMax))
  for (const { patient } of due) await transact(machine, (tx) => eraseAccountIfDue(tx, patient))
}

import { type Machine, transact } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import { LIMITS } from '../kernel/limits.ts'
import { accountsDue } from '../people/closing-commands.ts'
import { eraseAccountIfDue } from './closing-commands.ts'

const HOUR_MS = 3_600_000

/** Erases closed accounts whose time of keeping is over, each in a transaction of its own. */
export function closingChore(machine: Machine): Chore {
  return { name: 'closed accounts', everyMs: HOUR_MS, run: () => eraseClosedAccounts(machine) }
}

/** One turn; what is left over is done at the next. */
export async function eraseClosedAccounts(machine: Machine): Promise<void> {
  const due = await transact(machine, (tx) => accountsDue(tx, LIMITS.expiryBatchMax))
  for (const { patient } of due) await transact(machine, (tx) => eraseAccountIfDue(tx, patient))
}

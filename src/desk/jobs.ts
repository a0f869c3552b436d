import { type Machine, transact } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import { LIMITS } from '../kernel/limits.ts'
import { indexNames, type RecordsNeeds } from '../records/commands.ts'
import { endForgottenVisits } from './commands.ts'
import { endUnconfirmedAttending } from './stay-commands.ts'

/** What the desk does by the clock: ends visits that nobody ended, and makes names findable that were registered before they were. */
export function deskChores(machine: Machine, needs: RecordsNeeds): readonly Chore[] {
  return [
    {
      name: 'desk: end forgotten visits',
      everyMs: 60_000,
      run: async () => void (await transact(machine, endForgottenVisits)),
    },
    {
      name: 'desk: end attending in stays that nobody confirmed',
      everyMs: 60_000,
      run: async () => {
        while ((await transact(machine, endUnconfirmedAttending)) >= LIMITS.expiryBatchMax) continue
      },
    },
    {
      name: 'desk: index names',
      everyMs: 3_600_000,
      run: async () => {
        let indexed = 0
        do indexed = await transact(machine, (tx) => indexNames(tx, needs, LIMITS.namesPerTurnMax))
        while (indexed > 0)
      },
    },
  ]
}

import { type Machine, transact } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import type { FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { endDueEmergencies } from './commands.ts'
import type { TellNeeds } from './tell.ts'

const EVERY_MS = 15_000

/** Ends access in emergencies when its time is over. */
export function emergencyChore(
  machine: Machine,
  needs: TellNeeds & { readonly facility: { readonly id: FacilityId } },
): Chore {
  return {
    name: 'end emergencies',
    everyMs: EVERY_MS,
    run: async () => {
      while ((await transact(machine, (tx) => endDueEmergencies(tx, needs))) >= LIMITS.expiryBatchMax) continue
    },
  }
}

import { type Machine, transact } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import { LIMITS } from '../kernel/limits.ts'
import { sweepCodeSetups } from './recovery-commands.ts'
import { sweepSso } from './sso-commands.ts'
import { deleteInvitationsBefore, deleteOldSignIns } from './staff-sign-in-store.ts'

const EVERY_MS = 3_600_000

/** Drops what is over: sign-ins nobody finished, old invitations. Sessions, proofs and counts of guesses go with `sweepProofs`. */
export function staffChores(machine: Machine): readonly Chore[] {
  return [
    {
      name: 'sweep sign-ins of the staff',
      everyMs: EVERY_MS,
      run: () =>
        transact(machine, async (tx) => {
          await deleteOldSignIns(tx)
          await sweepCodeSetups(tx)
          await sweepSso(tx)
          await deleteInvitationsBefore(tx, new Date(tx.now.getTime() - LIMITS.staffInvitationMs))
        }),
    },
  ]
}

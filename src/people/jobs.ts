import type { Tx } from '../db/tx.ts'
import { sweepChallenges } from './passkey-commands.ts'
import { sweepSessions } from './session-commands.ts'
import { sweepSignIns } from './sign-in-commands.ts'
import { sweepGuesses } from './sign-in-throttle.ts'
import { sweepStepUps } from './step-up-commands.ts'

/** Forgets sessions, codes, proofs and counts of guesses whose time is over: part of a party's hourly chore. */
export async function sweepProofs(tx: Tx): Promise<void> {
  await sweepSessions(tx)
  await sweepSignIns(tx)
  await sweepChallenges(tx)
  await sweepStepUps(tx)
  await sweepGuesses(tx)
}

import type { Logger } from 'pino'
import type { Machine } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import { type ForgetAgain, markErased, settleErasures } from '../vault/erasures.ts'
import { type KeysNeeds, noteErasedAgain, rewrapBatch } from './commands.ts'

const SECOND_MS = 1_000
/** In one turn, so that a program that is asked to stop does not wait long. */
const BATCHES_PER_TURN = 10

/** `forget`: what this party deletes again after a restore that brought back what was erased. */
export function keysChores(machine: Machine, needs: KeysNeeds, forget: ForgetAgain, log: Logger): readonly Chore[] {
  return [
    { name: 'keys: destroyed shares to the disk', everyMs: 2 * SECOND_MS, run: () => settleErasures(machine) },
    {
      name: 'keys: wrap anew',
      everyMs: SECOND_MS,
      run: async () => {
        for (let batch = 0; batch < BATCHES_PER_TURN; batch++) if ((await rewrapBatch(machine, needs)) === 0) return
      },
    },
    markOnce(machine, forget, log),
  ]
}

const HOUR_MS = 3_600_000

/** Once after each start: a restored database has rows of keys that were erased since. */
function markOnce(machine: Machine, forget: ForgetAgain, log: Logger): Chore {
  let isDone = false
  return {
    name: 'keys: erasures that a restore forgot',
    everyMs: HOUR_MS,
    run: async () => {
      if (isDone) return
      const marked = await markErased(machine, forget)
      isDone = true
      if (marked === 0) return
      log.warn({ keys: marked }, 'the database is older than these erasures: they were done again')
      await noteErasedAgain(machine, marked)
    },
  }
}

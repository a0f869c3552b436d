import { z } from 'zod'
import { type Machine, transact } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import type { JobHandler } from '../jobs/worker.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { endUnanswered } from './discovery-commands.ts'
import { deleteOldAttempts } from './store.ts'

const SWEEP_EVERY_MS = 3_600_000

const due = z.object({
  transaction: z.string().transform((text) => parseId<'linking-transaction'>(text)),
  step: z.enum(['discover', 'init', 'confirm']),
})

/** Handler of `ANSWER_DUE_JOB`: a HIP's time to answer is over. */
export const answerDue: JobHandler = async (_machine, job) => {
  const { transaction, step } = due.parse(job.payload)
  if (transaction === undefined) return { outcome: 'give-up', error: 'the job names no transaction' }
  const id: Id<'linking-transaction'> = transaction
  return { outcome: 'done', commit: (tx) => endUnanswered(tx, id, step) }
}

/** Chore `linking-attempts`: forgets who tried what more than a day ago. */
export function attemptsChore(machine: Machine): Chore {
  return { name: 'linking-attempts', everyMs: SWEEP_EVERY_MS, run: () => transact(machine, deleteOldAttempts) }
}

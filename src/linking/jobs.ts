import { z } from 'zod'
import type { JobHandler } from '../jobs/worker.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { endUnanswered } from './discovery-commands.ts'

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

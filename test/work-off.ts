import pino from 'pino'
import type { Machine } from '../src/db/tx.ts'
import { claimJobs } from '../src/jobs/queue.ts'
import { type JobHandler, runJob } from '../src/jobs/worker.ts'

/** Runs due jobs of these kinds until there are none; others wait on, as if nobody had looked at them. */
export async function workOffJobs(
  machine: Machine,
  handlers: readonly (readonly [kind: string, handler: JobHandler])[],
): Promise<void> {
  const kinds = new Map(handlers)
  const log = pino({ level: 'silent' })
  for (;;) {
    const jobs = await claimJobs(machine, 1_000)
    const mine = jobs.filter(({ kind }) => kinds.has(kind))
    for (const job of mine) await runJob({ machine, handlers: kinds, log }, job)
    const others = jobs.filter((job) => !mine.includes(job)).map(({ id }) => id)
    if (others.length > 0)
      await machine.db.updateTable('job').set({ claimed_until: null, attempts: 0 }).where('id', 'in', others).execute()
    if (mine.length === 0) return
  }
}

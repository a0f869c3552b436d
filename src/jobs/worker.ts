import type { Logger } from 'pino'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { claimJobs, type Job, retryDelayMs, settleJob } from './queue.ts'

/** What a try came to. `commit` runs in the transaction that settles the job, so both happen or neither. */
export type JobResult =
  | { readonly outcome: 'done'; readonly commit?: (tx: Tx) => Promise<void> }
  /** Try again later, with back-off; when the tries are used up, `whenDead` runs and the job goes to the dead letters. */
  | {
      readonly outcome: 'retry'
      readonly error: string
      readonly whenDead?: (tx: Tx) => Promise<void>
      /** Where it is worth more than `LIMITS.jobAttemptsMax` tries. */
      readonly attemptsMax?: number
    }
  /** More tries would not help (the peer refused): dead letter now. */
  | { readonly outcome: 'give-up'; readonly error: string; readonly commit?: (tx: Tx) => Promise<void> }

export type JobHandler = (machine: Machine, job: Job) => Promise<JobResult>
export type JobHandlers = ReadonlyMap<string, JobHandler>

export type Worker = {
  /** Looks for work now. */
  readonly wake: () => void
  /** Takes no new job, waits for those in flight. */
  readonly stop: () => Promise<void>
}

type WorkerNeeds = {
  readonly machine: Machine
  readonly handlers: JobHandlers
  readonly log: Logger
  readonly pollMs: number
}

/** Runs due jobs, at most `LIMITS.jobsInFlightMax` at once, until stopped. */
export function startWorker(needs: WorkerNeeds): Worker {
  const inFlight = new Set<Promise<void>>()
  let stopping = false
  let wanted = true
  let rouse = (): void => undefined

  const wake = (): void => {
    wanted = true
    rouse()
  }
  const loop = async (): Promise<void> => {
    while (!stopping) {
      wanted = false
      const room = LIMITS.jobsInFlightMax - inFlight.size
      const jobs = room > 0 ? await claimSafely(needs, room) : []
      for (const job of jobs) {
        const run = runJob(needs, job).finally(() => {
          inFlight.delete(run)
          wake()
        })
        inFlight.add(run)
      }
      if (!wanted && !stopping) await restUntil(needs.pollMs, (go) => (rouse = go))
    }
    await Promise.all(inFlight)
  }
  const finished = loop()
  return {
    wake,
    stop: async () => {
      stopping = true
      rouse()
      await finished
    },
  }
}

/** Sleeps until `ms` have passed or the function handed to `onWake` is called. */
function restUntil(ms: number, onWake: (go: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    onWake(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

async function claimSafely(needs: WorkerNeeds, room: number): Promise<readonly Job[]> {
  try {
    return await claimJobs(needs.machine, room)
  } catch (error) {
    needs.log.error({ err: error }, 'could not claim jobs; trying again')
    return []
  }
}

/** One try of one claimed job, to its end. Never throws. Exported for whoever drives jobs by hand. */
export async function runJob(needs: Omit<WorkerNeeds, 'pollMs'>, job: Job): Promise<void> {
  const { machine, log } = needs
  let result: JobResult | undefined
  try {
    const handler = needs.handlers.get(job.kind)
    result = handler
      ? await handler(machine, job)
      : { outcome: 'give-up', error: `no handler for jobs of kind ${job.kind}` }
    const came = result
    await transact(machine, (tx) => settle(tx, job, came))
    if (result.outcome !== 'done')
      log.warn({ job: job.id, kind: job.kind, attempt: job.attempt, reason: result.error }, `job: ${result.outcome}`)
  } catch (error) {
    // A bug or a broken machine, not the peer: the job keeps its place and is tried again.
    log.error({ err: error, job: job.id, kind: job.kind }, 'job broke')
    const attemptsMax = triesOf(result)
    await transact(machine, (tx) => settle(tx, job, { outcome: 'retry', error: String(error), attemptsMax })).catch(
      (again: unknown) =>
        log.error({ err: again, job: job.id }, 'could not settle the job; its lease will run out and it runs again'),
    )
  }
}

/**
 * How many tries a job has that broke. When what broke was writing down what the try came to, there are more, so that the job does not go to
 * the dead letters without what is to be done when it does.
 */
function triesOf(result: JobResult | undefined): number {
  if (result === undefined) return LIMITS.jobAttemptsMax
  const most = result.outcome === 'retry' ? result.attemptsMax : undefined
  return (most ?? LIMITS.jobAttemptsMax) + LIMITS.jobAttemptsMax
}

/** Exported for tests that drive jobs by hand. */
export async function settle(tx: Tx, job: Job, result: JobResult): Promise<void> {
  switch (result.outcome) {
    case 'done':
      await result.commit?.(tx)
      return settleJob(tx, job, { status: 'done' })
    case 'give-up':
      await result.commit?.(tx)
      return settleJob(tx, job, { status: 'dead', error: result.error })
    case 'retry': {
      if (job.attempt >= (result.attemptsMax ?? LIMITS.jobAttemptsMax)) {
        await result.whenDead?.(tx)
        return settleJob(tx, job, { status: 'dead', error: result.error })
      }
      const runAt = new Date(tx.now.getTime() + retryDelayMs(job.attempt, tx.random))
      return settleJob(tx, job, { status: 'waiting', error: result.error, runAt })
    }
  }
}

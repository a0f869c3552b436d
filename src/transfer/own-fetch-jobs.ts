import { z } from 'zod'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import type { JobHandler } from '../jobs/worker.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isWaiting } from './own-fetch.ts'
import { OWN_FETCH_DUE_JOB } from './own-fetch-commands.ts'
import { endOwnFetch, failHolder } from './own-fetch-ends.ts'
import { findDueOwnFetches, findHolders, findOwnFetch } from './own-fetch-store.ts'

type Needs = { readonly exchange: { readonly id: string } }

const SWEEP_EVERY_MS = 30_000
const due = z.object({ fetch: z.string().transform((text) => parseId<'own-fetch'>(text)) })

/** Job `transfer.own-copy-due`: hospitals that sent nothing by the deadline have failed, in the eyes of the patient. */
export function ownFetchJobs(needs: Needs): readonly (readonly [kind: string, handler: JobHandler])[] {
  return [
    [
      OWN_FETCH_DUE_JOB,
      async (_machine, job) => {
        const { fetch: id } = due.parse(job.payload)
        if (id === undefined) return { outcome: 'give-up', error: 'the job names no fetch' }
        return { outcome: 'done', commit: (tx) => endWaiting(tx, needs, id) }
      },
    ],
  ]
}

/** Fails every hospital of the fetch that still waits, if its deadline has come. */
export async function endWaiting(tx: Tx, needs: Needs, id: Id<'own-fetch'>): Promise<void> {
  const own = await findOwnFetch(tx, id, true)
  if (own === undefined || own.deadline > tx.now) return
  for (const holder of await findHolders(tx, id))
    if (isWaiting(holder.status)) await failHolder(tx, needs, own, holder, { code: 'no-answer' })
}

/** Chore `own-copies`: deletes what nobody collected in its time, sealed pages and all. */
export function ownFetchChore(machine: Machine, needs: Needs): Chore {
  return { name: 'own-copies', everyMs: SWEEP_EVERY_MS, run: () => sweepOwnFetches(machine, needs) }
}

/** One sweep, each fetch in a transaction of its own. */
export async function sweepOwnFetches(machine: Machine, needs: Needs): Promise<void> {
  for (const id of await transact(machine, (tx) => findDueOwnFetches(tx, LIMITS.expiryBatchMax)))
    await transact(machine, async (tx) => {
      const own = await findOwnFetch(tx, id, true)
      if (own !== undefined && own.expiresAt <= tx.now) await endOwnFetch(tx, needs, own, 'expired')
    })
}

import { type Machine, transact } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Chore } from '../jobs/schedule.ts'
import type { JobHandler } from '../jobs/worker.ts'
import { type Id, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { endForShutOut, endRequestForShutOut, expireArtefactIfDue, expireRequestIfDue } from './end-commands.ts'
import {
  type RequestTextNeeds,
  TELL_REQUEST_JOB,
  TELL_SEVERAL_JOB,
  tellOfRequest,
  tellOfSeveral,
} from './request-text-commands.ts'
import {
  END_SHUT_OUT_JOB,
  type EndShutOut,
  endPolicyForShutOut,
  endSubscriptionForShutOut,
  openOfShutOut,
} from './shut-out-commands.ts'
import { findDue } from './store.ts'

/** The notices go out at the end of a sweep; the end itself holds to the millisecond, since every use checks the clock. */
const SWEEP_EVERY_MS = 20_000
const BUCKETS = 256

/**
 * Chore `consent-expiry`: ends requests whose time to decide is over and consents whose `dataEraseAt` has come, shard by shard, each
 * in a transaction of its own.
 */
export function expiryChore(machine: Machine, everyMs: number = SWEEP_EVERY_MS): Chore {
  return { name: 'consent-expiry', everyMs, run: () => sweepExpired(machine) }
}

/** One sweep over all buckets. */
export async function sweepExpired(machine: Machine): Promise<void> {
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const due = await transact(machine, (tx) => findDue(tx, toBucket(bucket), LIMITS.expiryBatchMax))
    for (const id of due.requests) await transact(machine, (tx) => expireRequestIfDue(tx, id))
    for (const id of due.artefacts) await transact(machine, (tx) => expireArtefactIfDue(tx, id))
  }
}

/**
 * Ends a batch of what was allowed to a facility that is shut out, each consent in a transaction of its own, and leaves the rest to a next
 * job: whoever takes it after a crash goes on with what is left. Tried for a month, since what has not ended may still be used by holders.
 */
export const endShutOutJob: readonly [kind: string, handler: JobHandler] = [
  END_SHUT_OUT_JOB,
  async (machine, job) => {
    // Written by `endWhatWasAllowed` and here only.
    const order = job.payload as EndShutOut
    try {
      const rest = await endBatch(machine, order)
      if (rest === undefined) return { outcome: 'done' }
      return {
        outcome: 'done',
        commit: async (tx) => void (await enqueue(tx, { kind: END_SHUT_OUT_JOB, payload: rest })),
      }
    } catch (error) {
      return { outcome: 'retry', error: String(error), attemptsMax: LIMITS.lastingAttemptsMax }
    }
  },
]

/** What is left to do after this batch. */
async function endBatch(machine: Machine, order: EndShutOut): Promise<EndShutOut | undefined> {
  const { actor } = order
  const open = await transact(machine, (tx) => openOfShutOut(tx, order))
  for (const id of open.artefacts) await transact(machine, (tx) => endForShutOut(tx, id, actor))
  for (const id of open.requests) await transact(machine, (tx) => endRequestForShutOut(tx, id, actor))
  for (const policy of open.policies) await transact(machine, (tx) => endPolicyForShutOut(tx, policy, actor))
  for (const one of open.subscriptions) await transact(machine, (tx) => endSubscriptionForShutOut(tx, one, actor))
  const [artefact, request, policy] = [open.artefacts.at(-1), open.requests.at(-1), open.policies.at(-1)?.id]
  const subscription = open.subscriptions.at(-1)?.id
  if ([artefact, request, policy, subscription].every((last) => last === undefined)) return undefined
  const { after } = order
  return {
    ...order,
    after: {
      artefact: artefact ?? after.artefact,
      request: request ?? after.request,
      policy: policy ?? after.policy,
      subscription: subscription ?? after.subscription,
    },
  }
}

/** Text messages about requests; each goes into the queue in the transaction that settles its job, so it goes out once. */
export function requestTextJobs(needs: RequestTextNeeds): readonly (readonly [kind: string, handler: JobHandler])[] {
  // Written by `planRequestText` and `tellOfRequest` only.
  const about = (payload: unknown) => (payload as { readonly request: Id<'consent-request'> }).request
  return [
    [
      TELL_REQUEST_JOB,
      async (_machine, job) => ({ outcome: 'done', commit: (tx) => tellOfRequest(tx, needs, about(job.payload)) }),
    ],
    [
      TELL_SEVERAL_JOB,
      async (_machine, job) => ({ outcome: 'done', commit: (tx) => tellOfSeveral(tx, needs, about(job.payload)) }),
    ],
  ]
}

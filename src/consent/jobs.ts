import { type Machine, type Tx, transact } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Chore } from '../jobs/schedule.ts'
import type { JobHandler, JobResult } from '../jobs/worker.ts'
import { type Id, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { TELL_EMERGENCIES_JOB, type TellEmergencies, tellOfEmergencies } from './emergency-text-commands.ts'
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
import type { OpenOfHiu } from './shut-out-store.ts'
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
 * job: whoever takes it after a crash goes on with what is left. One that does not end holds up no other: it gets a job of its own, tried
 * for a month, since holders may still use it.
 */
export const endShutOutJob: readonly [kind: string, handler: JobHandler] = [
  END_SHUT_OUT_JOB,
  async (machine, job) => {
    // Written by `endWhatWasAllowed` and here only.
    const order = job.payload as EndShutOut
    try {
      const open = await transact(machine, (tx) => openOfShutOut(tx, order))
      const failed = await endEach(machine, order, open)
      const [one] = failed
      if (order.only !== undefined && one !== undefined) return again(one.error)
      const rest = order.only === undefined ? restAfter(order, open) : undefined
      const orders = [...(rest ? [rest] : []), ...failed.map(({ id }) => ({ ...order, after: {}, only: id }))]
      return { outcome: 'done', commit: (tx) => enqueueEach(tx, orders) }
    } catch (error) {
      return again(error)
    }
  },
]

const again = (error: unknown): JobResult => ({
  outcome: 'retry',
  error: String(error),
  attemptsMax: LIMITS.lastingAttemptsMax,
})

async function enqueueEach(tx: Tx, orders: readonly EndShutOut[]): Promise<void> {
  for (const payload of orders) await enqueue(tx, { kind: END_SHUT_OUT_JOB, payload })
}

/** Which of them did not end, and why. */
async function endEach(
  machine: Machine,
  { actor }: EndShutOut,
  open: OpenOfHiu,
): Promise<readonly { readonly id: string; readonly error: unknown }[]> {
  const ends: readonly (readonly [id: string, end: (tx: Tx) => Promise<void>])[] = [
    ...open.artefacts.map((id) => [id, (tx: Tx) => endForShutOut(tx, id, actor)] as const),
    ...open.requests.map((id) => [id, (tx: Tx) => endRequestForShutOut(tx, id, actor)] as const),
    ...open.policies.map((one) => [one.id, (tx: Tx) => endPolicyForShutOut(tx, one, actor)] as const),
    ...open.subscriptions.map((one) => [one.id, (tx: Tx) => endSubscriptionForShutOut(tx, one, actor)] as const),
  ]
  const failed: { id: string; error: unknown }[] = []
  for (const [id, end] of ends)
    try {
      await transact(machine, end)
    } catch (error) {
      failed.push({ id, error })
    }
  return failed
}

/** What is left to look for after this batch; undefined when there was nothing in it. */
function restAfter(order: EndShutOut, open: OpenOfHiu): EndShutOut | undefined {
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

/** Text messages about requests, and about many emergencies; each goes into the queue in the transaction that settles its job, so it goes out once. */
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
    [
      TELL_EMERGENCIES_JOB,
      async (machine, { payload }) => {
        try {
          // Written by `tellOfEmergency` only. What was told is held no more: a second time finds nothing to tell.
          await transact(machine, (tx) => tellOfEmergencies(tx, needs, payload as TellEmergencies))
          return { outcome: 'done' }
        } catch (error) {
          // Tried for a month: until then no other is planned for this patient and facility.
          return again(error)
        }
      },
    ],
  ]
}

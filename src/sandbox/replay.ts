import { z } from 'zod'
import { type Outgoing, type Sender, sendOnce } from '../abdm/send.ts'
import type { Tx } from '../db/tx.ts'
import { pushOnce } from '../hip/jobs.ts'
import { readResend } from '../http/message-content.ts'
import type { CallOutcome, Outbound } from '../http/outbound.ts'
import { enqueue, type Job } from '../jobs/queue.ts'
import type { JobHandler } from '../jobs/worker.ts'
import { makeId, toBucket } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'

/** Sends one message of the delivery log once more, by hand of an integrator. */
export const REPLAY_JOB = 'sandbox.replay'

const push = z.object({ push: z.object({ url: z.string(), peer: z.string(), body: z.string() }) })
const outgoing = z.looseObject({ path: z.string(), requestId: z.string() })
const payload = z.object({ message: z.string(), resend: z.unknown() })

/**
 * Puts a message of ours into the queue again: `same` as a retry would send it, with its REQUEST-ID, or `new`, with one of its own. The
 * token and the TIMESTAMP are made when it leaves. A push has no REQUEST-ID: it can only be the same.
 */
export async function askReplay(
  tx: Tx,
  input: { readonly message: string; readonly as: 'same' | 'new' },
): Promise<{ readonly job: string; readonly requestId?: string } | Refusal> {
  const kept = await readResend(tx.db, input.message)
  const isPush = push.safeParse(kept).success
  if (!isPush && !outgoing.safeParse(kept).success)
    return refuse('sandbox/not-kept', 'This message was not sent by this party, was too large, or is older than a day.')
  if (isPush && input.as === 'new')
    return refuse('sandbox/not-kept', 'A data push has no REQUEST-ID that could be new. Send the same again.')
  const old = isPush ? undefined : outgoing.parse(kept)
  const requestId = old && (input.as === 'same' ? old.requestId : makeId<'request'>(tx.now, tx.random, toBucket(0)))
  const resend = old === undefined ? kept : { ...old, requestId }
  const job = await enqueue(tx, { kind: REPLAY_JOB, payload: { message: input.message, resend } })
  return { job, ...(requestId === undefined ? {} : { requestId }) }
}

/** Handler of {@link REPLAY_JOB}: one try. What comes of it stands in the delivery log; it is not repeated. */
export function replayHandler(needs: { readonly outbound: Outbound; readonly sender: Sender }): JobHandler {
  return async (machine, job) => {
    const { message, resend } = payload.parse(job.payload)
    const at = machine.now()
    const asPush = push.safeParse(resend)
    if (asPush.success) {
      await pushOnce(needs.outbound, machine, job, { push: asPush.data.push, at, replayOf: message })
      return { outcome: 'done' }
    }
    const sent = await sendAgain(needs, machine, job, { outgoing: resend as Outgoing, at, replayOf: message })
    return typeof sent === 'string' ? { outcome: 'give-up', error: sent } : { outcome: 'done' }
  }
}

async function sendAgain(
  needs: { readonly outbound: Outbound; readonly sender: Sender },
  machine: Parameters<JobHandler>[0],
  job: Job,
  sent: { readonly outgoing: Outgoing; readonly at: Date; readonly replayOf: string },
): Promise<CallOutcome | string> {
  const address = await needs.sender.address(machine, sent.outgoing)
  if ('unreachable' in address) return address.unreachable
  const outcome = await sendOnce(needs.outbound, machine, job, { ...sent, address })
  if (outcome.kind === 'answered' && outcome.status === 401) needs.sender.tokenRefused()
  return outcome
}

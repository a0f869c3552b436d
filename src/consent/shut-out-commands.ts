import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Actor } from '../kernel/caller.ts'
import type { FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { switchSubscription } from '../linking/subscription-commands.ts'
import type { PartnerEvent } from '../partners/bridge.ts'
import { facilitiesOfBridge } from '../partners/commands.ts'
import { switchPolicy } from './policy-commands.ts'
import { type AfterOpen, findOpenOfHiu, type OpenOfHiu } from './shut-out-store.ts'

/** Job that ends, step by step, what was allowed to a facility that is shut out. */
export const END_SHUT_OUT_JOB = 'consent.end-shut-out'

export type EndShutOut = {
  readonly facility: FacilityId
  /** The operator who shut it out. */
  readonly actor: Actor
  /** What was allowed until then ends, also when the facility is taken back meanwhile: ISO 8601. */
  readonly allowedUntil: string
  /** How far the batches before came. */
  readonly after: AfterOpen
  /** One that did not end with its batch, by its id: tried by itself, so that nothing waits behind it. */
  readonly only?: string
}

/**
 * Reaction to the shutting out of a facility, or of a bridge with all of its own. What was allowed to it ends as if each patient had
 * stopped it: holders are told by the usual message, and send nothing more. Once more later, for what was being decided at that moment.
 */
export async function endWhatWasAllowed(tx: Tx, { type, subject, actor }: PartnerEvent): Promise<void> {
  const facilities =
    type === 'partners.bridge-revoked'
      ? (await facilitiesOfBridge(tx, subject)).map(({ id }) => id)
      : [subject as FacilityId]
  for (const facility of facilities) {
    const allowedUntil = new Date(tx.now.getTime() + LIMITS.shutOutGrantMs).toISOString()
    const payload = { facility, actor, allowedUntil, after: {} } satisfies EndShutOut
    await enqueue(tx, { kind: END_SHUT_OUT_JOB, payload })
    const runAt = new Date(tx.now.getTime() + LIMITS.shutOutAgainMs)
    await enqueue(tx, { kind: END_SHUT_OUT_JOB, payload, runAt })
  }
}

/** What is still open of what had been allowed, a batch of it. */
export async function openOfShutOut(tx: Tx, { facility, allowedUntil, after, only }: EndShutOut): Promise<OpenOfHiu> {
  const wanted = { hiu: facility, allowedUntil: new Date(allowedUntil), after, only: only ?? null }
  return findOpenOfHiu(tx, wanted, LIMITS.expiryBatchMax)
}

/** A standing approval is off, until the patient switches it on again: who is taken back is not trusted by itself. */
export async function endPolicyForShutOut(tx: Tx, policy: OpenOfHiu['policies'][number], actor: Actor): Promise<void> {
  await switchPolicy(tx, { ...policy, enabled: false, actor })
}

/** News of a patient's visits go to it no more, until she switches them on again. */
export async function endSubscriptionForShutOut(
  tx: Tx,
  subscription: OpenOfHiu['subscriptions'][number],
  actor: Actor,
): Promise<void> {
  await switchSubscription(tx, { ...subscription, to: 'revoked', actor })
}

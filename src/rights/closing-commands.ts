import { announce, record } from '../audit/record.ts'
import { denyConsent } from '../consent/commands.ts'
import { expireArtefactIfDue, expireRequestIfDue, revokeConsents } from '../consent/end-commands.ts'
import { policiesOf, switchPolicy } from '../consent/policy-commands.ts'
import { artefactsOf, listRequestsOf, sharedArtefactsOf } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { isRefusal, must, type Refusal } from '../kernel/refusal.ts'
import { denySubscription, subscriptionsOf, switchSubscription } from '../linking/subscription-commands.ts'
import { accountHold, CLOSING_MOVES, type Closing, type ErasedAccountEvent } from '../people/closing.ts'
import { type ClosingNeeds, holdAccount, lockClosedAccount, stopAccount } from '../people/closing-commands.ts'
import { dependantsOf, type IndexNeeds } from '../people/commands.ts'
import { eraseDataKeysOf } from '../vault/data-keys.ts'
import { deleteRowsOfAccount } from './erase-rows.ts'

const PAGE = { limit: LIMITS.pageSizeMax, offset: 0 }
const STEP = { limit: LIMITS.closingStepMax, offset: 0 }
const CHORE: Actor = { kind: 'system', id: 'closed accounts' }

/** What closing would end, as the patient reads it before she decides. */
export type ClosingFacts = {
  /** Facilities that may use records now. */
  readonly sharing: number
  readonly waiting: number
  readonly policies: number
  readonly subscriptions: number
  /** When it would be erased, if she closed it now. */
  readonly keptUntil: string
  /** Names of those for whom she decides: their accounts are closed first. */
  readonly decidesFor: readonly string[]
}

export async function closingFacts(tx: Tx, needs: IndexNeeds, patient: AbhaAddress): Promise<ClosingFacts> {
  const { live } = await sharedArtefactsOf(tx, patient, 0)
  const waiting = await listRequestsOf(tx, patient, { status: 'REQUESTED', ofOthers: true })
  const subscriptions = await subscriptionsOf(tx, patient, { ...PAGE, status: 'granted' })
  return {
    sharing: new Set(live.map(({ hiu }) => hiu)).size,
    waiting: waiting.size,
    policies: (await policiesOf(tx, patient)).filter(({ enabled }) => enabled).length,
    subscriptions: subscriptions.length,
    keptUntil: accountHold(tx.now).until.toISOString(),
    decidesFor: (await dependantsOf(tx, needs, patient)).map(({ name }) => name),
  }
}

/** Job that ends, step by step, what a stopped account had allowed: `{patient, actor}`. */
export const CLOSE_ACCOUNT_JOB = 'close-account'

/**
 * Closes a patient's account (DPDP s.6(4), s.8(7)): everybody is signed out and nothing is given under it any more from now on; all that it
 * allowed ends by a job, and those whom it concerns are told by the usual way; then it is kept, unused, as long as the law demands.
 * `people/decides-for-others` while she is a guardian.
 */
export async function closeAccount(
  tx: Tx,
  needs: ClosingNeeds,
  input: { readonly patient: AbhaAddress; readonly actor: Actor; readonly wish?: string },
): Promise<Closing | Refusal> {
  const stopped = await stopAccount(tx, needs, input)
  if (isRefusal(stopped)) return stopped
  await enqueue(tx, { kind: CLOSE_ACCOUNT_JOB, payload: { patient: input.patient, actor: input.actor } })
  return stopped
}

/**
 * Ends some of what a stopped account had allowed, or, when all has ended, begins to keep it. Safe to call for any account, and by two at
 * once: the one waits for the other. False when nothing is left to do.
 */
export async function closeStep(tx: Tx, patient: AbhaAddress, actor: Actor): Promise<boolean> {
  const closing = await lockClosedAccount(tx, patient)
  if (isRefusal(closing) || closing.status !== 'stopped') return false
  // First what would allow more, then what was allowed.
  const ended =
    (await endPolicies(tx, patient, actor)) ||
    (await endSubscriptions(tx, patient, actor)) ||
    (await endRequests(tx, patient, actor)) ||
    (await endConsents(tx, patient, actor))
  if (!ended) await holdAccount(tx, closing, actor)
  return ended
}

async function endPolicies(tx: Tx, patient: AbhaAddress, actor: Actor): Promise<boolean> {
  const live = (await policiesOf(tx, patient)).filter(({ enabled }) => enabled).slice(0, STEP.limit)
  for (const { id } of live) must(await switchPolicy(tx, { patient, id, enabled: false, actor }))
  return live.length > 0
}

async function endSubscriptions(tx: Tx, patient: AbhaAddress, actor: Actor): Promise<boolean> {
  const granted = await subscriptionsOf(tx, patient, { ...STEP, status: 'granted' })
  for (const { id } of granted) must(await switchSubscription(tx, { patient, id, to: 'revoked', actor }))
  const asked = await subscriptionsOf(tx, patient, { ...STEP, status: 'requested' })
  for (const { id } of asked) must(await denySubscription(tx, { patient, id, reason: '', actor }))
  return granted.length + asked.length > 0
}

async function endRequests(tx: Tx, patient: AbhaAddress, actor: Actor): Promise<boolean> {
  const { items } = await listRequestsOf(tx, patient, { status: 'REQUESTED', page: STEP })
  for (const { id } of items)
    if (!(await expireRequestIfDue(tx, id))) must(await denyConsent(tx, { patient, request: id, reason: '', actor }))
  return items.length > 0
}

async function endConsents(tx: Tx, patient: AbhaAddress, actor: Actor): Promise<boolean> {
  const { items } = await artefactsOf(tx, patient, { status: 'GRANTED', page: STEP })
  // In one order, so that two transactions wait for one another and never in a circle.
  for (const { id } of items.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
    if (!(await expireArtefactIfDue(tx, id))) must(await revokeConsents(tx, { patient, consents: [id], actor }))
  return items.length > 0
}

/** Erases a closed account when no law demands it any more. Safe to call for any: does nothing when it is not due. */
export async function eraseAccountIfDue(tx: Tx, patient: AbhaAddress): Promise<boolean> {
  const closing = await lockClosedAccount(tx, patient)
  if (isRefusal(closing) || closing.status !== 'held' || closing.hold.until > tx.now) return false
  insistOnMove(CLOSING_MOVES, closing.status, 'erased', 'closed account')
  await eraseAccount(tx, patient, {})
  return true
}

/** After a restore of a database from before an erasure: the key is destroyed already, the rows that came back go again. */
export async function eraseAccountAgain(tx: Tx, patient: AbhaAddress): Promise<void> {
  await eraseAccount(tx, patient, { again: true })
}

/** Names nobody in the log: an event about her would make her a new key. */
async function eraseAccount(tx: Tx, patient: AbhaAddress, again: Pick<ErasedAccountEvent, 'again'>): Promise<void> {
  const recorded = await record<ErasedAccountEvent>(tx, { type: 'people.account-erased', actor: CHORE, ...again })
  await deleteRowsOfAccount(tx, recorded, patient)
  await eraseDataKeysOf(tx, patient)
  await announce(tx, recorded)
}

import { announce, type Recorded, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { PROBLEMS } from '../kernel/problems.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { isHip } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { contextsIn, type Group } from './care-context.ts'
import type { TransactionEvent } from './events.ts'
import { addLinks } from './link-commands.ts'
import {
  type Answered,
  awaited,
  choose,
  confirm,
  giveUp,
  type Identifier,
  type LinkingError,
  type LinkOffer,
  type Step,
  type Transaction,
  takeConfirmation,
  takeFound,
  takeOffer,
  withoutSecrets,
} from './transaction.ts'
import {
  findTransaction,
  findTransactionByReference,
  findTransactionBySent,
  insertTransaction,
  updateTransaction,
} from './transaction-store.ts'

/** A step that the HIP has to answer by a time: payload `{transaction, step}`. */
export const ANSWER_DUE_JOB = 'linking.answer-due'

type TransactionId = Id<'linking-transaction'>
/** Who asks, and under which REQUEST-ID; `requester` is the app to be told. */
type Asking = {
  readonly patient: AbhaAddress
  readonly askedByRequest: string
  readonly requester?: FacilityId | undefined
  readonly actor: Actor
}

const requesterOf = (asking: Asking): { readonly requester?: FacilityId } =>
  asking.requester === undefined ? {} : { requester: asking.requester }

const newRequest = (tx: Tx, patient: AbhaAddress): Id<'request'> =>
  makeId<'request'>(tx.now, tx.random, bucketOf(patient))

/** The patient asks a HIP what it has. The HIP has 10 seconds. */
export async function askDiscovery(
  tx: Tx,
  input: Asking & { readonly hip: FacilityId; readonly identifiers: readonly Identifier[] },
): Promise<Transaction | Refusal> {
  const facility = await facilityById(tx, input.hip)
  if (facility === undefined || !isHip(facility)) return refuse('partners/hip-unavailable', undefined, 'hip.id')
  const t: Transaction = {
    id: makeId(tx.now, tx.random, bucketOf(input.patient)),
    patient: input.patient,
    hip: input.hip,
    ...requesterOf(input),
    askedByRequest: input.askedByRequest,
    sentRequest: newRequest(tx, input.patient),
    startedAt: tx.now,
    status: 'asked',
    identifiers: input.identifiers,
    answerBy: new Date(tx.now.getTime() + LIMITS.discoveryAnswerMs),
  }
  const recorded = await record(tx, eventOf('linking.discovery-asked', t, input.actor))
  await insertTransaction(tx, recorded, t)
  await announceStep(tx, recorded, t)
  return t
}

/** The patient chooses what to link. */
export async function askLink(
  tx: Tx,
  input: Asking & { readonly transaction: TransactionId; readonly chosen: readonly Group[] },
): Promise<Transaction | Refusal> {
  const t = await findTransaction(tx, input.transaction)
  if (t === undefined || t.patient !== input.patient)
    return refuse('linking/unknown-transaction', undefined, 'transactionId')
  const step = {
    chosen: input.chosen,
    askedByRequest: input.askedByRequest,
    ...requesterOf(input),
    sentRequest: newRequest(tx, t.patient),
  }
  return advance(tx, t, choose(t, step, tx.now), 'linking.link-asked', input.actor)
}

/** The patient hands over the HIP's one-time password. */
export async function askConfirm(
  tx: Tx,
  input: Asking & { readonly linkReference: string; readonly otp: string },
): Promise<Transaction | Refusal> {
  const t = await findTransactionByReference(tx, input.patient, input.linkReference)
  if (t === undefined) return refuse('linking/unknown-link-reference', undefined, 'linkRefNumber')
  const step = {
    otp: input.otp,
    askedByRequest: input.askedByRequest,
    ...requesterOf(input),
    sentRequest: newRequest(tx, t.patient),
  }
  return advance(tx, t, confirm(t, step, tx.now), 'linking.confirm-asked', input.actor)
}

/** What a HIP's answer comes with. `facilities`: those that the caller speaks for. */
type Answering = { readonly facilities: readonly FacilityId[]; readonly sentRequest: string }

/** The HIP answers discovery. Of a transaction of another HIP nobody learns that it exists. */
export async function answerDiscovery(
  tx: Tx,
  input: Answering & {
    readonly transaction: TransactionId
    readonly answer: Answered<{ readonly found: readonly Group[]; readonly matchedBy: readonly string[] }>
  },
): Promise<Transaction | Refusal> {
  const t = await answered(tx, input.transaction, input.facilities)
  return isRefusal(t)
    ? t
    : settle(tx, t, 'discover', takeFound(t, input.sentRequest, input.answer, tx.now), 'linking.discovery-answered')
}

/** The HIP answers a link request. */
export async function answerLink(
  tx: Tx,
  input: Answering & { readonly transaction: TransactionId; readonly answer: Answered<LinkOffer> },
): Promise<Transaction | Refusal> {
  const t = await answered(tx, input.transaction, input.facilities)
  return isRefusal(t)
    ? t
    : settle(tx, t, 'init', takeOffer(t, input.sentRequest, input.answer, tx.now), 'linking.link-offered')
}

/** The HIP answers a confirmation, which only names our request (protocol sheet 2.2 (11)). */
export async function answerConfirm(
  tx: Tx,
  input: Answering & { readonly answer: Answered<readonly Group[]> },
): Promise<Transaction | Refusal> {
  const sent = parseId<'request'>(input.sentRequest)
  const t = sent === undefined ? undefined : await findTransactionBySent(tx, sent)
  if (t === undefined || !input.facilities.includes(t.hip))
    return refuse('linking/unknown-request', undefined, 'response.requestId')
  const next = takeConfirmation(t, input.sentRequest, input.answer, tx.now)
  if (isRefusal(next) || next.status !== 'linked') return settle(tx, t, 'confirm', next, 'linking.confirm-refused')
  // The links first: whoever hears of them finds the transaction where it stood; then the transaction, whose event tells the app.
  const links = { patient: t.patient, hip: t.hip, contexts: contextsIn(next.linked), via: 'patient' } as const
  const added = await addLinks(tx, links)
  if (isRefusal(added)) {
    await endStep(tx, t, 'confirm', { code: PROBLEMS[added.code].abdm, message: added.detail })
    return added
  }
  return advance(tx, t, next, 'linking.confirmed', { kind: 'facility', id: t.hip })
}

async function answered(tx: Tx, id: TransactionId, facilities: readonly FacilityId[]): Promise<Transaction | Refusal> {
  const t = await findTransaction(tx, id)
  return t === undefined || !facilities.includes(t.hip)
    ? refuse('linking/unknown-transaction', undefined, 'transactionId')
    : t
}

/** Stores what an answer leads to. A late one ends the step too, so that the patient hears of it now. */
async function settle(
  tx: Tx,
  t: Transaction,
  step: Step,
  next: Transaction | Refusal,
  success: TransactionEvent['type'],
): Promise<Transaction | Refusal> {
  if (isRefusal(next)) {
    if (next.code === 'linking/answer-late') await endStep(tx, t, step, noAnswer())
    return next
  }
  return advance(tx, t, next, next.status === 'failed' ? 'linking.failed' : success, { kind: 'facility', id: t.hip })
}

const noAnswer = (): LinkingError => ({
  code: PROBLEMS['linking/no-answer'].abdm,
  message: PROBLEMS['linking/no-answer'].title,
})

/** Ends a step that was not answered in time; nothing when the answer came meanwhile. */
export async function endUnanswered(tx: Tx, id: TransactionId, step: Step): Promise<void> {
  const t = await findTransaction(tx, id)
  const waits = t === undefined ? undefined : awaited(t)
  if (t === undefined || waits?.step !== step || waits.answerBy > tx.now) return
  await endStep(tx, t, step, noAnswer())
}

/** Ends the step under way because the HIP could not be reached, or refused our message. */
export async function endUndelivered(
  tx: Tx,
  id: TransactionId,
  error: { readonly code?: string; readonly message: string },
): Promise<void> {
  const t = await findTransaction(tx, id)
  const waits = t === undefined ? undefined : awaited(t)
  if (t === undefined || waits === undefined) return
  await endStep(tx, t, waits.step, {
    code: error.code ?? PROBLEMS['partners/hip-unavailable'].abdm,
    message: 'The facility could not be reached, or refused the request.',
  })
}

async function endStep(tx: Tx, t: Transaction, step: Step, error: LinkingError): Promise<void> {
  const failed = giveUp(t, step, error)
  if (failed !== undefined) await advance(tx, t, failed, 'linking.failed', { kind: 'system', id: 'exchange' })
}

async function advance(
  tx: Tx,
  t: Transaction,
  next: Transaction | Refusal,
  type: TransactionEvent['type'],
  actor: Actor,
): Promise<Transaction | Refusal> {
  if (isRefusal(next)) return next
  const recorded = await record(tx, eventOf(type, next, actor))
  await updateTransaction(tx, recorded, t, next)
  await announceStep(tx, recorded, next)
  return next
}

function eventOf(type: TransactionEvent['type'], t: Transaction, actor: Actor): TransactionEvent {
  const ending = t.status === 'failed' ? { step: t.step, ...t.error } : {}
  return { type, actor, patient: t.patient, subject: t.id, hip: t.hip, ...ending }
}

async function announceStep(tx: Tx, recorded: Recorded<TransactionEvent>, t: Transaction): Promise<void> {
  const waits = awaited(t)
  if (waits !== undefined)
    await enqueue(tx, { kind: ANSWER_DUE_JOB, payload: { transaction: t.id, step: waits.step }, runAt: waits.answerBy })
  await announce(tx, recorded)
}

/** How a discovery or linking of this patient stands; another patient's answers as if it did not exist. */
export async function readLinking(tx: Tx, patient: AbhaAddress, id: TransactionId): Promise<Transaction | Refusal> {
  const t = await findTransaction(tx, id)
  return t === undefined || t.patient !== patient ? refuse('linking/unknown-transaction') : withoutSecrets(t)
}

/** For the messages to the HIP: with the one-time password. */
export async function readLinkingInFull(tx: Tx, id: TransactionId): Promise<Transaction | undefined> {
  return findTransaction(tx, id)
}

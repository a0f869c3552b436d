import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { enqueue } from '../jobs/queue.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { canMove } from '../kernel/moves.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { type RecordsNeeds, readPatient } from '../records/commands.ts'
import type { FacilityPatient } from '../records/patient.ts'
import { displayOf, type RecordHead } from '../records/record.ts'
import {
  CALL_MOVES,
  contextsOf,
  isLinkedAlready,
  isTokenRefused,
  type LinkCall,
  NOTIFY_RETRY_MS,
  type OfferedContext,
  referencesOf,
} from './link.ts'
import * as store from './store-links.ts'

export type LinkNeeds = RecordsNeeds & {
  readonly facility: { readonly id: FacilityId; readonly name: string }
  readonly exchange: { readonly id: string }
}

export const LINK_JOB = 'hip.link'
export const NOTIFY_JOB = 'hip.notify'
/** `tries`: 1 after a refused token was replaced. */
export type LinkPayload = { readonly patientReference: string; readonly tries: number }
export type NotifyPayload = {
  readonly patientReference: string
  readonly context: OfferedContext
  readonly tries: number
}

type LinkablePatient = FacilityPatient & { readonly abhaAddress: AbhaAddress }

/** Starts to link all care contexts of a patient that are not linked yet; the steps follow as the exchange answers. */
export async function linkPatient(
  tx: Tx,
  needs: LinkNeeds,
  patientReference: string,
): Promise<{ readonly started: true } | Refusal> {
  const patient = await linkable(tx, patientReference)
  if (isRefusal(patient)) return patient
  if ((await store.loadToken(tx, patientReference, patient.abhaAddress)) === undefined)
    await askToken(tx, needs, patient, 0)
  else await enqueue(tx, { kind: LINK_JOB, payload: { patientReference, tries: 0 } satisfies LinkPayload })
  return { started: true }
}

async function linkable(tx: Tx, patientReference: string): Promise<LinkablePatient | Refusal> {
  const patient = await readPatient(tx, patientReference)
  if (isRefusal(patient)) return patient
  const { abhaAddress } = patient
  return abhaAddress === undefined ? refuse('hip/no-abha') : { ...patient, abhaAddress }
}

async function askToken(tx: Tx, needs: LinkNeeds, patient: LinkablePatient, tries: number): Promise<void> {
  await call(tx, needs, 'hip.link-token-asked', {
    kind: 'token',
    patientReference: patient.reference,
    abhaAddress: patient.abhaAddress,
    contexts: [],
    tries,
  })
}

type EventOfCall = 'hip.link-token-asked' | 'hip.link-asked' | 'hip.new-data-told'

/** Records and keeps one call of ours; the reaction of `abdm/` sends it under the same request id. */
async function call(
  tx: Tx,
  needs: LinkNeeds,
  type: EventOfCall,
  made: Omit<LinkCall, 'requestId' | 'status' | 'error'>,
): Promise<void> {
  const requestId = makeId<'request'>(tx.now, tx.random, bucketOf(made.patientReference))
  const recorded = await record(tx, {
    type,
    actor: { kind: 'facility', id: needs.facility.id } as Actor,
    patient: made.abhaAddress,
    subject: requestId,
    patientReference: made.patientReference,
    careContexts: referencesOf(made.contexts),
  })
  await store.insertCall(tx, recorded, { ...made, requestId })
  await announce(tx, recorded)
}

/** Offers the contexts of a patient that are not linked yet: at most 20 of each HI type in one message, so several where there are more. */
export async function offerContexts(
  tx: Tx,
  needs: LinkNeeds,
  { patientReference, tries }: LinkPayload,
  heads: readonly RecordHead[],
): Promise<void> {
  const patient = await linkable(tx, patientReference)
  if (isRefusal(patient)) return
  if ((await store.loadToken(tx, patientReference, patient.abhaAddress)) === undefined)
    return askToken(tx, needs, patient, 0)
  const contexts = contextsOf(heads, await store.linkedContexts(tx, patientReference))
  for (const part of messagesOf(contexts)) {
    await call(tx, needs, 'hip.link-asked', {
      kind: 'contexts',
      patientReference,
      abhaAddress: patient.abhaAddress,
      contexts: part,
      tries,
    })
  }
}

/** Contexts of one message: not more than 20 of any one HI type. */
function messagesOf(contexts: readonly OfferedContext[]): readonly (readonly OfferedContext[])[] {
  const messages: OfferedContext[][] = []
  const seen = new Map<HiType, number>()
  for (const context of contexts) {
    const nth = seen.get(context.hiType) ?? 0
    seen.set(context.hiType, nth + 1)
    const at = Math.floor(nth / LIMITS.careContextsPerMessageMax)
    messages[at] = [...(messages[at] ?? []), context]
  }
  return messages
}

/** What the exchange answered to one of our calls: in its callback, or at once as an error. */
export type CallAnswer =
  | { readonly linkToken?: string }
  | { readonly error: { readonly code?: string | undefined; readonly message: string } }

/** Takes the exchange's answer to a linking call. Unknown and repeated answers change nothing. */
export async function answerCall(tx: Tx, needs: LinkNeeds, requestId: string, answer: CallAnswer): Promise<void> {
  const id = parseId<'request'>(requestId)
  const made = id && (await store.lockCall(tx, id))
  if (made === undefined || !canMove(CALL_MOVES, made.status, 'done')) return
  const { kind } = made
  if ('error' in answer && !(kind === 'contexts' && made.contexts.length === 1 && isLinkedAlready(answer.error.code)))
    return callFailed(tx, needs, made, answer.error)
  switch (kind) {
    case 'token':
      return tokenArrived(tx, needs, made, 'linkToken' in answer ? answer.linkToken : undefined)
    case 'contexts': {
      const recorded = await recordAnswer(tx, needs, 'hip.contexts-linked', made)
      const references = referencesOf(made.contexts)
      await store.insertLinks(tx, recorded, made.patientReference, made.abhaAddress, references)
      await store.endCall(tx, recorded, made, { status: 'done' })
      return announce(tx, recorded)
    }
    case 'notify': {
      const recorded = await recordAnswer(tx, needs, 'hip.new-data-acknowledged', made)
      await store.endCall(tx, recorded, made, { status: 'done' })
      return announce(tx, recorded)
    }
  }
}

async function recordAnswer(tx: Tx, needs: LinkNeeds, type: string, made: LinkCall, more: object = {}) {
  return record(tx, {
    type,
    actor: { kind: 'exchange', id: needs.exchange.id } as Actor,
    patient: made.abhaAddress,
    subject: made.requestId,
    patientReference: made.patientReference,
    careContexts: referencesOf(made.contexts),
    ...more,
  })
}

async function tokenArrived(tx: Tx, needs: LinkNeeds, made: LinkCall, token: string | undefined): Promise<void> {
  if (token === undefined || token === '')
    return callFailed(tx, needs, made, { message: 'The exchange answered without a link token.' })
  const recorded = await recordAnswer(tx, needs, 'hip.link-token-received', made)
  await store.saveToken(
    tx,
    recorded,
    made.patientReference,
    made.abhaAddress,
    token,
    new Date(tx.now.getTime() + LIMITS.linkTokenMs),
  )
  await store.endCall(tx, recorded, made, { status: 'done' })
  await enqueue(tx, {
    kind: LINK_JOB,
    payload: { patientReference: made.patientReference, tries: made.tries } satisfies LinkPayload,
  })
  await announce(tx, recorded)
}

async function callFailed(
  tx: Tx,
  needs: LinkNeeds,
  made: LinkCall,
  error: { readonly code?: string | undefined; readonly message: string },
): Promise<void> {
  const words = `${error.code === undefined ? '' : `${error.code}: `}${error.message}`.slice(
    0,
    LIMITS.answerKeptCharsMax,
  )
  const recorded = await recordAnswer(tx, needs, 'hip.link-failed', made, { kind: made.kind, error: words })
  await store.endCall(tx, recorded, made, { status: 'failed', error: words })
  await announce(tx, recorded)
  if (made.kind === 'contexts') await tryContextsAgain(tx, needs, made, error.code)
  if (made.kind === 'notify') await tryNotifyAgain(tx, made, error.code)
}

/** A refused token is replaced once (asking on would end in the daily limit, ABDM-1027); where some of many contexts are linked already, each is offered alone. */
async function tryContextsAgain(tx: Tx, needs: LinkNeeds, made: LinkCall, code: string | undefined): Promise<void> {
  if (isLinkedAlready(code)) {
    for (const context of made.contexts)
      await call(tx, needs, 'hip.link-asked', { ...made, contexts: [context], tries: 1 })
    return
  }
  if (!isTokenRefused(code) || made.tries > 0) return
  const patient = await linkable(tx, made.patientReference)
  if (isRefusal(patient)) return
  const recorded = await recordAnswer(tx, needs, 'hip.link-failed', made, {
    kind: 'token',
    error: 'The link token was refused; a new one is asked for.',
  })
  await store.deleteToken(tx, recorded, made.patientReference)
  await askToken(tx, needs, patient, 1)
}

async function tryNotifyAgain(tx: Tx, made: LinkCall, code: string | undefined): Promise<void> {
  const [context] = made.contexts
  const delayMs = NOTIFY_RETRY_MS[made.tries]
  if (context === undefined || delayMs === undefined || code === undefined || !/^ABDM-1006\b/.test(code)) return
  const payload: NotifyPayload = { patientReference: made.patientReference, context, tries: made.tries + 1 }
  await enqueue(tx, { kind: NOTIFY_JOB, payload, runAt: new Date(tx.now.getTime() + delayMs) })
}

/** Tells the exchange of new data in a care context, if that is linked. */
export async function tellNewData(
  tx: Tx,
  needs: LinkNeeds,
  { patientReference, context, tries }: NotifyPayload,
): Promise<void> {
  const patient = await linkable(tx, patientReference)
  const linked = await store.linkedContexts(tx, patientReference)
  if (isRefusal(patient) || !linked.has(context.reference)) return
  await call(tx, needs, 'hip.new-data-told', {
    kind: 'notify',
    patientReference,
    abhaAddress: patient.abhaAddress,
    contexts: [context],
    tries,
  })
}

/** Reaction to `records.record-added`. */
export async function noticeNewRecord(
  tx: Tx,
  needs: LinkNeeds,
  event: {
    readonly patient: string
    readonly careContextReference: string
    readonly hiType: HiType
    readonly date: string
  },
): Promise<void> {
  const { careContextReference: reference, hiType } = event
  await tellNewData(tx, needs, {
    patientReference: event.patient,
    context: { reference, hiType, display: displayOf(hiType, new Date(event.date)) },
    tries: 0,
  })
}

/** What `abdm/` needs to send a call of ours: the call, the patient, and the token where it has one. */
export async function readCall(
  tx: Tx,
  requestId: Id<'request'>,
): Promise<{ readonly call: LinkCall; readonly patient: FacilityPatient; readonly token?: string } | undefined> {
  const made = await store.lockCall(tx, requestId)
  const patient = made && (await readPatient(tx, made.patientReference))
  if (made === undefined || patient === undefined || isRefusal(patient)) return undefined
  const token = await store.loadToken(tx, made.patientReference, made.abhaAddress)
  return { call: made, patient, ...(token === undefined ? {} : { token }) }
}

/** How many care contexts of a patient are linked, and our latest calls about them. */
export async function readLinks(
  tx: Tx,
  patientReference: string,
): Promise<{ readonly count: number; readonly calls: readonly LinkCall[] }> {
  const count = await store.countLinked(tx, patientReference)
  return { count, calls: await store.listCalls(tx, patientReference, LIMITS.pageSizeDefault) }
}

/** A page of the linked care contexts of a patient by reference; `next` is the last one's, when there are more behind it. */
export async function pageOfLinked(
  tx: Tx,
  patientReference: string,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<{ readonly linked: readonly string[]; readonly next?: string }> {
  const all = [...(await store.linkedContexts(tx, patientReference))].sort()
  const rest = after === undefined ? all : all.filter((reference) => reference > after)
  const linked = rest.slice(0, limit)
  const last = linked.at(-1)
  return { linked, ...(last === undefined || rest.length === linked.length ? {} : { next: last }) }
}

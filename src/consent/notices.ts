import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import { bucketOfId, type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { Artefact, ConsentRequest } from './consent.ts'
import { type Notice } from './consent.ts'
import type { AcknowledgedEvent, NoticeFailedEvent } from './events.ts'
import { findArtefact, findNoticesOfMessage, findNoticesOfRequest, findRequest, updateNotice } from './store.ts'

type Told = { readonly party: 'hip' | 'hiu'; readonly facility: FacilityId; readonly status: Notice['status'] }

/** One message to one facility, about these artefacts, or about the request as a whole when there are none. */
export function makeNotices(
  tx: Tx,
  request: Id<'consent-request'>,
  told: Told,
  artefacts: readonly Id<'artefact'>[],
): readonly Notice[] {
  const bucket = bucketOfId(request)
  const message = makeId<'message'>(tx.now, tx.random, bucket)
  const make = (artefact?: Id<'artefact'>): Notice => ({
    id: makeId<'notice'>(tx.now, tx.random, bucket),
    message,
    request,
    ...told,
    createdAt: tx.now,
    ...(artefact === undefined ? {} : { artefact }),
  })
  return artefacts.length === 0 ? [make()] : artefacts.map((artefact) => make(artefact))
}

/** Tells HIP and HIU of one artefact that it ended. */
export function noticesOfEnd(tx: Tx, artefact: Artefact, status: 'REVOKED' | 'EXPIRED'): readonly Notice[] {
  return [
    ...makeNotices(tx, artefact.request, { party: 'hip', facility: artefact.hip, status }, [artefact.id]),
    ...makeNotices(tx, artefact.request, { party: 'hiu', facility: artefact.hiu, status }, [artefact.id]),
  ]
}

export function noticesOfRequestEnd(tx: Tx, request: ConsentRequest, status: 'DENIED' | 'EXPIRED'): readonly Notice[] {
  return makeNotices(tx, request.id, { party: 'hiu', facility: request.asked.hiu, status }, [])
}

/** What a facility answered to one or more notices. */
export type Acknowledgement = {
  readonly party: 'hip' | 'hiu'
  /** The facilities that the caller is. */
  readonly facilities: readonly FacilityId[]
  /** `response.requestId`: which message it answers. */
  readonly requestId: string
  /** `OK` in any case acknowledges; anything else says that the facility did not take note. */
  readonly items: readonly { readonly status: string; readonly consentId: Id<'artefact'> }[]
  readonly error?: { readonly code: string; readonly message: string }
}

/**
 * Takes note of an acknowledgement. By the message it answers; where a peer names a wrong one, by the consent and its present
 * status. Again and late is fine. Only the facility that was told may acknowledge: for others the consent does not exist.
 */
export async function acknowledgeNotices(tx: Tx, input: Acknowledgement): Promise<true | Refusal> {
  const found: { readonly notice: Notice; readonly failure: string | undefined }[] = []
  const fault = input.error === undefined ? undefined : `${input.error.code}: ${input.error.message}`
  for (const item of input.items) {
    const notices = await noticesFor(tx, input, item.consentId)
    if (isRefusal(notices)) return notices
    const failure = fault ?? (item.status.toUpperCase() === 'OK' ? undefined : `answered ${item.status}`)
    for (const notice of notices) found.push({ notice, failure })
  }
  if (input.items.length === 0) {
    const notices = (await noticesOfMessage(tx, input.requestId)).filter((notice) => isOwn(notice, input))
    if (notices.length === 0) return refuse('consent/unknown-notice', undefined, 'response.requestId')
    for (const notice of notices)
      found.push({ notice, failure: fault ?? (input.party === 'hiu' ? undefined : 'answered nothing') })
  }
  for (const { notice, failure } of found) await settleNotice(tx, notice, failure)
  return true
}

function isOwn(notice: Notice, input: Acknowledgement): boolean {
  return notice.party === input.party && input.facilities.includes(notice.facility)
}

async function noticesOfMessage(tx: Tx, requestId: string): Promise<readonly Notice[]> {
  return /^[0-9a-f-]{36}$/i.test(requestId) ? findNoticesOfMessage(tx, requestId.toLowerCase() as Id<'message'>) : []
}

/** The notices that an item of an acknowledgement means. `consentId` may also be the request's (a HIU answering a denial). */
async function noticesFor(
  tx: Tx,
  input: Acknowledgement,
  consentId: Id<'artefact'>,
): Promise<readonly Notice[] | Refusal> {
  const about = (await findAbout(tx, consentId)) ?? { request: undefined, artefact: undefined, status: undefined }
  const all = about.request === undefined ? [] : await findNoticesOfRequest(tx, about.request)
  const own = all.filter((notice) => isOwn(notice, input) && notice.artefact === about.artefact)
  if (own.length === 0) return refuse('consent/unknown-artefact', undefined, 'acknowledgement.consentId')
  const answered = own.filter((notice) => notice.message === input.requestId.toLowerCase())
  return answered.length > 0 ? answered : own.filter((notice) => notice.status === about.status)
}

type About = {
  readonly request: Id<'consent-request'>
  readonly artefact: Id<'artefact'> | undefined
  readonly status: string
}

async function findAbout(tx: Tx, id: Id<'artefact'>): Promise<About | undefined> {
  const artefact = await findArtefact(tx, id)
  if (artefact !== undefined) return { request: artefact.request, artefact: id, status: artefact.status }
  const request = await findRequest(tx, id as unknown as Id<'consent-request'>)
  return request && { request: request.id, artefact: undefined, status: request.status }
}

/** Records what came of one notice, unless that is known already. */
async function settleNotice(tx: Tx, notice: Notice, failure: string | undefined): Promise<void> {
  if (notice.acknowledgedAt !== undefined || (failure !== undefined && notice.failure !== undefined)) return
  const request = await findRequest(tx, notice.request)
  if (request === undefined) return
  const about = {
    actor: { kind: 'facility', id: notice.facility } satisfies Actor,
    patient: request.asked.patient,
    subject: notice.artefact ?? notice.request,
    party: notice.party,
    facility: notice.facility,
    status: notice.status,
  }
  if (failure === undefined) {
    const recorded = await record(tx, { type: 'consent.artefact-acknowledged', ...about } satisfies AcknowledgedEvent)
    await updateNotice(tx, recorded, notice, { acknowledged: true })
    return announce(tx, recorded)
  }
  const reason = failure.slice(0, LIMITS.textCharsMax)
  const recorded = await record(tx, { type: 'consent.notice-failed', ...about, reason } satisfies NoticeFailedEvent)
  await updateNotice(tx, recorded, notice, { failure: reason })
  await announce(tx, recorded)
}

/** Failure reaction `consent-notice`: the message could not be delivered for good. A later acknowledgement mends it. */
export async function noticeUndelivered(tx: Tx, message: string, error: { readonly message: string }): Promise<void> {
  for (const notice of await noticesOfMessage(tx, message))
    await settleNotice(tx, notice, `not delivered: ${error.message}`)
}

/**
 * What this event made ready to be told: the notices of one request with this status, about these artefacts. Providers first: the
 * sooner they acknowledge, the sooner data can flow.
 */
export async function noticesToSend(
  tx: Tx,
  request: Id<'consent-request'>,
  status: Notice['status'],
  artefact: Id<'artefact'> | 'all' | undefined,
): Promise<readonly Notice[]> {
  const all = await findNoticesOfRequest(tx, request)
  return all
    .filter((notice) => notice.status === status && (artefact === 'all' || notice.artefact === artefact))
    .sort((a, b) => (a.party < b.party ? -1 : a.party > b.party ? 1 : 0))
}

/** Whether the provider acknowledged that this consent was granted: without it no data request is routed. */
export async function isGrantAcknowledged(tx: Tx, artefact: Artefact): Promise<boolean> {
  const notices = await findNoticesOfRequest(tx, artefact.request)
  return notices.some(
    (n) => n.artefact === artefact.id && n.party === 'hip' && n.status === 'GRANTED' && n.acknowledgedAt !== undefined,
  )
}

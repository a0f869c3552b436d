import type { z } from 'zod'
import type { ConsentNeeds } from '../consent/commands.ts'
import type { Artefact } from '../consent/consent.ts'
import { type Notice } from '../consent/consent.ts'
import type {
  DeniedEvent,
  EmergencyAnswered,
  EndedEvent,
  GrantedEvent,
  PatientNotToldEvent,
  RequestExpiredEvent,
  RequestedEvent,
} from '../consent/events.ts'
import { acknowledgeNotices, noticesToSend, noticeUndelivered } from '../consent/notices.ts'
import { autoApprove } from '../consent/reactions.ts'
import { artefactById } from '../consent/readers.ts'
import { planRequestText } from '../consent/request-text-commands.ts'
import { endWhatWasAllowed } from '../consent/shut-out-commands.ts'
import type { Reaction, Tx } from '../db/tx.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { must, refuse } from '../kernel/refusal.ts'
import { isOwnApp } from '../partners/own-app.ts'
import { requestUndelivered, transferById } from '../transfer/commands.ts'
import type { ProviderEvent } from '../transfer/transfer.ts'
import { type consentOnInit, type hipConsentNotify, type hiuConsentNotify, toldFields } from './consent-messages.ts'
import type { dataOnRequest } from './data-messages.ts'
import { errorOf } from './rules.ts'
import { type FailureReaction, sendToFacility } from './send.ts'

/** Failure tags of the messages sent here, and what happens when one cannot be delivered for good. */
export const CONSENT_FAILURES: ReadonlyMap<string, FailureReaction> = new Map<string, FailureReaction>([
  ['consent-notice', noticeUndelivered],
  ['data-request', requestUndelivered],
])

/**
 * The exchange's events of consent and transfer as ABDM callbacks. In the order in which they are to run: a HIU hears the id of its
 * request before it hears that a standing approval granted it.
 */
export function consentReactions(needs: ConsentNeeds): readonly (readonly [type: string, reaction: Reaction])[] {
  return [
    ['consent.requested', tellAccepted],
    ['consent.requested', autoApprove(needs)],
    ['consent.requested', planRequestText],
    ['consent.patient-not-told', tellNotTold],
    ['consent.granted', (tx: Tx, event: GrantedEvent) => tell(tx, event.subject, 'GRANTED', 'all')],
    ['consent.denied', (tx: Tx, event: DeniedEvent) => tell(tx, event.subject, 'DENIED', undefined, event.reason)],
    ['consent.request-expired', (tx: Tx, event: RequestExpiredEvent) => tell(tx, event.subject, 'EXPIRED', undefined)],
    ['consent.revoked', (tx: Tx, event: EndedEvent) => tell(tx, event.request, 'REVOKED', event.subject)],
    ['consent.expired', (tx: Tx, event: EndedEvent) => tell(tx, event.request, 'EXPIRED', event.subject)],
    ['partners.bridge-revoked', endWhatWasAllowed],
    ['partners.facility-shut-out', endWhatWasAllowed],
    ['transfer.declined', tellRequestFailed],
    ['transfer.undelivered', tellRequestFailed],
  ]
}

/**
 * Messages to a HIU about one request keep their order; so do those to a HIP about one consent: REVOKED never overtakes GRANTED. All are
 * lasting: who was away must still hear how a consent stands. Until it hears of the end it shares, or keeps what it should erase; and what
 * was granted should come to something.
 */
const laneOfRequest = (request: string): string => `consent-request:${request}`
const laneOfConsent = (consent: string): string => `consent:${consent}`

async function tellAccepted(tx: Tx, event: RequestedEvent): Promise<void> {
  const body: z.input<typeof consentOnInit> = {
    consentRequest: { id: event.subject },
    ...(event.isPatientTold === undefined ? {} : toldFields(event.isPatientTold ? 'told' : 'only-on-paper')),
    response: { requestId: event.requestId },
  }
  await sendToFacility(tx, {
    facility: event.hiu as FacilityId,
    as: 'hiu',
    path: '/api/v3/hiu/consent/request/on-init',
    body,
    lane: laneOfRequest(event.subject),
    lasting: true,
  })
}

/**
 * Answers an emergency again, when it turned out later that the patient was not told. That nobody hears of one emergency stood in its
 * answer already.
 */
async function tellNotTold(tx: Tx, event: PatientNotToldEvent): Promise<void> {
  const { emergencies = [], because, kind, hiu } = event
  if (kind === 'emergency' && because === 'nobody-hears') return
  const told = toldFields(because === 'undelivered' ? 'not-told' : 'only-on-paper')
  for (const { requestId, answered } of emergencies) await answerAgain(tx, hiu as FacilityId, requestId, answered, told)
}

async function answerAgain(
  tx: Tx,
  facility: FacilityId,
  requestId: string,
  answered: EmergencyAnswered,
  told: ReturnType<typeof toldFields>,
): Promise<void> {
  const body: z.input<typeof consentOnInit> = {
    ...('request' in answered
      ? { consentRequest: { id: answered.request } }
      : { error: errorOf(refuse(answered.why)) }),
    ...told,
    response: { requestId },
  }
  await sendToFacility(tx, {
    facility,
    as: 'hiu',
    path: '/api/v3/hiu/consent/request/on-init',
    body,
    ...('request' in answered ? { lane: laneOfRequest(answered.request) } : {}),
    lasting: true,
  })
}

/** Sends the notices that the command made in this transaction. `artefact`: one, all, or none (about the request as a whole). */
async function tell(
  tx: Tx,
  request: string,
  status: Notice['status'],
  artefact: string | undefined,
  reason?: string,
): Promise<void> {
  const notices = await noticesToSend(
    tx,
    request as Id<'consent-request'>,
    status,
    artefact as Id<'artefact'> | 'all' | undefined,
  )
  const messages = Map.groupBy(notices, (notice) => notice.message)
  for (const group of messages.values()) {
    const [first] = group
    if (first === undefined) continue
    await (first.party === 'hip' ? tellHip(tx, first) : tellHiu(tx, first, group, reason))
  }
}

async function tellHiu(tx: Tx, notice: Notice, group: readonly Notice[], reason: string | undefined): Promise<void> {
  // The own patient app has heard of it by the reaction that brings us here.
  if (isOwnApp(notice.facility)) return acknowledgeOwn(tx, notice)
  const body: z.input<typeof hiuConsentNotify> = {
    notification: {
      consentRequestId: notice.request,
      status: notice.status,
      consentArtefacts: group.flatMap(({ artefact }) => (artefact === undefined ? [] : [{ id: artefact }])),
      ...(reason === undefined ? {} : { reason }),
    },
  }
  await sendToFacility(tx, {
    facility: notice.facility,
    as: 'hiu',
    path: '/api/v3/hiu/consent/request/notify',
    body,
    requestId: notice.message,
    lane: laneOfRequest(notice.request),
    failure: { kind: 'consent-notice', id: notice.message },
    lasting: true,
  })
}

async function acknowledgeOwn(tx: Tx, { facility, message }: Notice): Promise<void> {
  must(await acknowledgeNotices(tx, { party: 'hiu', facilities: [facility], requestId: message, items: [] }))
}

async function tellHip(tx: Tx, notice: Notice): Promise<void> {
  const artefact = notice.artefact && (await artefactById(tx, notice.artefact))
  if (artefact === undefined) throw new Error(`notice ${notice.id} is about no artefact`)
  await sendToFacility(tx, {
    facility: notice.facility,
    as: 'hip',
    path: '/api/v3/consent/request/hip/notify',
    body: hipNotifyBody(artefact, notice.status),
    requestId: notice.message,
    lane: laneOfConsent(artefact.id),
    failure: { kind: 'consent-notice', id: notice.message },
    lasting: true,
  })
}

/** Detail and signature on every status: both known clients refuse a notification without them (protocol sheet 2.4). */
function hipNotifyBody(artefact: Artefact, status: string): z.input<typeof hipConsentNotify> {
  const { id: consentId, detail: consentDetail, signature } = artefact
  return { notification: { status, consentId, consentDetail, signature, grantAcknowledgement: false } }
}

/** A routed data request came to nothing: the HIU hears it as the error of its own call. */
async function tellRequestFailed(tx: Tx, event: ProviderEvent): Promise<void> {
  const request = await transferById(tx, event.subject as Id<'transaction'>)
  if (request === undefined) return
  const code = event.error?.code
  const body: z.input<typeof dataOnRequest> = {
    error: {
      code: code === undefined || code === '' ? 'ABDM-1028' : code,
      message: `The HIP could not serve this request: ${event.error?.message ?? 'no reason given'}`,
    },
    response: { requestId: request.hiuRequestId },
  }
  await sendToFacility(tx, {
    facility: request.hiu,
    as: 'hiu',
    path: '/api/v3/hiu/health-information/on-request',
    body,
    lane: laneOfTransfer(request.id),
  })
}

/** What a HIU hears about one transfer keeps its order. */
export const laneOfTransfer = (transaction: string): string => `transfer:${transaction}`

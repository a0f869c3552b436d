import type { z } from 'zod'
import type { Reaction, Tx } from '../db/tx.ts'
import { type ArtefactNeeds, noteFetchUndelivered } from '../hiu/artefacts.ts'
import { noteConsentUndelivered } from '../hiu/commands.ts'
import type { CopyHeldEvent } from '../hiu/copy.ts'
import { noteAttestationRefused } from '../hiu/erase.ts'
import type {
  ArtefactToldEvent,
  ConsentAskedEvent,
  DataAskedEvent,
  ErasedEvent,
  NoticeEvent,
  StatusAskedEvent,
  SubscriptionAskedEvent,
  SubscriptionChangedEvent,
  SubscriptionNewsEvent,
  TransferEndedEvent,
  ViewEvent,
} from '../hiu/hiu.ts'
import { noteRequestUndelivered, readOutgoingRequest } from '../hiu/requests.ts'
import { noteSubscriptionUndelivered } from '../hiu/subscriptions.ts'
import { PURPOSES, type PurposeCode } from '../policy/purpose.ts'
import type { consentFetch, consentInit, consentStatus, HiuOnNotifyBody } from './consent-messages.ts'
import type { DataNotifyBody, dataRequest } from './data-messages.ts'
import { wireStanding } from './look-reactions.ts'
import { type FailureReaction, sendNative, sendToExchange } from './send.ts'
import type { subscriptionEventOnNotify, subscriptionInit, subscriptionOnNotify } from './subscription-messages.ts'
import { wireDate } from './wire.ts'

export type HiuReactionNeeds = ArtefactNeeds & {
  readonly facility: { readonly name: string }
  /** Whether the exchange is an Amanat exchange, which takes reports of accesses and erasures. */
  readonly reportsToExchange: boolean
}

const FAILURES = {
  consent: 'hiu-consent',
  fetch: 'hiu-fetch',
  data: 'hiu-data',
  erasure: 'hiu-erasure',
  subscription: 'hiu-subscription',
} as const

const REF_URI = 'www.abdm.gov.in'
const wirePurpose = (code: PurposeCode) => ({ text: PURPOSES[code], code, refUri: REF_URI })
/** Messages about one consent keep their order. */
const lane = (subject: string): string => `hiu:${subject}`

/** What this facility sends as HIU: every message follows from an event of `hiu/`, in its transaction. */
export function hiuReactions(needs: HiuReactionNeeds): readonly (readonly [type: string, reaction: Reaction])[] {
  return [
    ['hiu.consent-asked', (tx: Tx, event: ConsentAskedEvent) => sendInit(tx, needs, event)],
    ['hiu.status-asked', (tx: Tx, event: StatusAskedEvent) => sendStatus(tx, needs, event)],
    ['hiu.notice-received', (tx: Tx, event: NoticeEvent) => acknowledge(tx, needs, event)],
    ['hiu.artefact-told', (tx: Tx, event: ArtefactToldEvent) => sendFetch(tx, needs, event)],
    ['hiu.data-asked', (tx: Tx, event: DataAskedEvent) => sendRequest(tx, needs, event)],
    ['hiu.transfer-ended', (tx: Tx, event: TransferEndedEvent) => sendEnd(tx, needs, event)],
    ['hiu.record-viewed', (tx: Tx, event: ViewEvent) => reportAccess(tx, needs, event)],
    ['hiu.record-exported', (tx: Tx, event: ViewEvent) => reportAccess(tx, needs, event)],
    ['hiu.copy-held', (tx: Tx, event: CopyHeldEvent) => reportKept(tx, needs, event)],
    ['hiu.copy-erased', (tx: Tx, event: ErasedEvent) => reportErasure(tx, needs, event)],
    ['hiu.subscription-asked', (tx: Tx, event: SubscriptionAskedEvent) => sendSubscription(tx, needs, event)],
    [
      'hiu.subscription-changed',
      (tx: Tx, event: SubscriptionChangedEvent) => acknowledgeSubscription(tx, needs, event),
    ],
    ['hiu.subscription-event', (tx: Tx, event: SubscriptionNewsEvent) => acknowledgeNews(tx, needs, event)],
  ] as const satisfies readonly (readonly [string, (tx: Tx, event: never) => Promise<void>])[]
}

/** What happens when a message of the HIU cannot be delivered for good. */
export function hiuFailures(needs: HiuReactionNeeds): readonly (readonly [kind: string, reaction: FailureReaction])[] {
  return [
    [FAILURES.consent, (tx, id, error) => noteConsentUndelivered(tx, needs, id, error)],
    [FAILURES.fetch, (tx, id, error) => noteFetchUndelivered(tx, needs, id, error)],
    [FAILURES.data, (tx, id, error) => noteRequestUndelivered(tx, needs, id, error)],
    [FAILURES.erasure, (tx, id, error) => noteAttestationRefused(tx, needs, id, error)],
    [FAILURES.subscription, (tx, id, error) => noteSubscriptionUndelivered(tx, needs, id, error)],
  ]
}

async function sendInit(
  tx: Tx,
  needs: HiuReactionNeeds,
  { subject, asked, emergency }: ConsentAskedEvent,
): Promise<void> {
  const { requester } = asked
  const body: z.input<typeof consentInit> = {
    consent: {
      purpose: wirePurpose(asked.purpose),
      patient: { id: asked.patient },
      hiu: { id: needs.facility.id, name: needs.facility.name },
      ...(asked.hip === undefined ? {} : { hip: asked.hip }),
      ...(asked.careContexts.length === 0 ? {} : { careContexts: [...asked.careContexts] }),
      requester: {
        name: requester.name,
        identifier: {
          type: 'REGNO',
          value: requester.registrationNumber ?? '',
          system: requester.registrationSystem ?? '',
        },
      },
      hiTypes: [...asked.hiTypes],
      permission: {
        accessMode: asked.accessMode,
        dateRange: asked.range,
        dataEraseAt: asked.dataEraseAt,
        frequency: asked.frequency,
      },
    },
  }
  const failure = { kind: FAILURES.consent, id: subject }
  if (emergency !== undefined) {
    const order = { ...body, emergency }
    // The patient is told by the exchange, however late; at the end of the access by us, too, when it has said nothing by then.
    const from = needs.facility.id
    await sendNative(tx, { from, path: '/v1/emergencies', body: order, requestId: subject, failure, lasting: true })
    return
  }
  await sendToExchange(tx, {
    from: needs.facility.id,
    as: 'hiu',
    path: '/consent/v3/request/init',
    body,
    requestId: subject,
    failure,
  })
}

async function sendStatus(tx: Tx, needs: HiuReactionNeeds, event: StatusAskedEvent): Promise<void> {
  const body: z.input<typeof consentStatus> = { consentRequestId: event.exchangeId }
  await sendToExchange(tx, { from: needs.facility.id, as: 'hiu', path: '/consent/v3/request/status', body })
}

async function acknowledge(tx: Tx, needs: HiuReactionNeeds, event: NoticeEvent): Promise<void> {
  const body: HiuOnNotifyBody = {
    acknowledgement: event.artefacts.map((consentId) => ({ status: 'OK', consentId })),
    response: { requestId: event.message },
  }
  await sendToExchange(tx, {
    from: needs.facility.id,
    as: 'hiu',
    path: '/consent/v3/request/hiu/on-notify',
    body,
    lane: lane(event.subject),
  })
}

async function sendFetch(tx: Tx, needs: HiuReactionNeeds, event: ArtefactToldEvent): Promise<void> {
  const body: z.input<typeof consentFetch> = { consentId: event.subject }
  const failure = { kind: FAILURES.fetch, id: event.fetchRequest }
  await sendToExchange(tx, {
    from: needs.facility.id,
    as: 'hiu',
    path: '/consent/v3/fetch',
    body,
    requestId: event.fetchRequest,
    failure,
    // What the patient granted should come to something, also where we are switched off for a while.
    lasting: true,
  })
}

async function sendRequest(tx: Tx, needs: HiuReactionNeeds, event: DataAskedEvent): Promise<void> {
  const { consentId, range, dataPushUrl, keyMaterial } = await readOutgoingRequest(tx, needs, event.request)
  const body: z.input<typeof dataRequest> = {
    hiRequest: {
      consent: { id: consentId },
      dateRange: { from: wireDate(range.from), to: wireDate(range.to) },
      dataPushUrl,
      keyMaterial,
    },
  }
  const failure = { kind: FAILURES.data, id: event.request }
  const path = '/data-flow/v3/health-information/request'
  await sendToExchange(tx, { from: needs.facility.id, as: 'hiu', path, body, requestId: event.request, failure })
}

/** Without a transaction there is nobody to be told: the exchange never took the request. */
async function sendEnd(tx: Tx, needs: HiuReactionNeeds, event: TransferEndedEvent): Promise<void> {
  if (event.transaction === undefined) return
  const body: DataNotifyBody = {
    notification: {
      consentId: event.subject,
      transactionId: event.transaction,
      doneAt: wireDate(tx.now),
      notifier: { type: 'HIU', id: needs.facility.id },
      statusNotification: {
        sessionStatus: event.sessionStatus,
        hipId: event.hip,
        statusResponses: event.contexts.map((context) => ({ ...context })),
      },
    },
  }
  const path = '/data-flow/v3/health-information/notify'
  await sendToExchange(tx, { from: needs.facility.id, as: 'hiu', path, body, lane: lane(event.subject) })
}

async function reportAccess(tx: Tx, needs: HiuReactionNeeds, event: ViewEvent): Promise<void> {
  if (!needs.reportsToExchange) return
  const { subject: consentId, at, person, purpose, hiType, careContextReference, standing } = event
  const what = [{ hiType, careContextReference }]
  const asFile = event.type === 'hiu.record-exported' ? { asFile: true } : {}
  const body = { consentId, at, person, purpose, what, ...wireStanding(standing), ...asFile }
  await sendNative(tx, { from: needs.facility.id, path: '/v1/accesses', body, lasting: true })
}

async function reportKept(tx: Tx, needs: HiuReactionNeeds, event: CopyHeldEvent): Promise<void> {
  if (!needs.reportsToExchange) return
  const { subject: consentId, until, reason, law } = event
  const body = { consentId, until, reason, law }
  await sendNative(tx, { from: needs.facility.id, path: '/v1/retentions', body, lasting: true })
}

async function reportErasure(tx: Tx, needs: HiuReactionNeeds, event: ErasedEvent): Promise<void> {
  if (!needs.reportsToExchange) return
  const { subject: consentId, erasedAt, reason, documents, sha256 } = event
  const failure = { kind: FAILURES.erasure, id: consentId }
  await sendNative(tx, {
    from: needs.facility.id,
    path: '/v1/erasures',
    body: { consentId, erasedAt, reason, documents, sha256 },
    failure,
    lasting: true,
  })
}

async function sendSubscription(
  tx: Tx,
  needs: HiuReactionNeeds,
  { subject, terms }: SubscriptionAskedEvent,
): Promise<void> {
  const body: z.input<typeof subscriptionInit> = {
    subscription: {
      purpose: wirePurpose(terms.purpose),
      patient: { id: terms.patient },
      hiu: { id: needs.facility.id, name: needs.facility.name },
      ...(terms.hips.length === 0 ? {} : { hips: terms.hips.map((id) => ({ id })) }),
      categories: [...terms.categories],
      period: terms.period,
    },
  }
  const failure = { kind: FAILURES.subscription, id: subject }
  await sendToExchange(tx, {
    from: needs.facility.id,
    as: 'hiu',
    path: '/subscription-requests/v3/init',
    body,
    requestId: subject,
    failure,
  })
}

async function acknowledgeSubscription(
  tx: Tx,
  needs: HiuReactionNeeds,
  event: SubscriptionChangedEvent,
): Promise<void> {
  if (event.notice === undefined) return
  const body: z.input<typeof subscriptionOnNotify> = {
    acknowledgement: { status: 'OK', subscriptionRequestId: event.notice.subscriptionRequest },
    response: { requestId: event.notice.message },
  }
  await sendToExchange(tx, {
    from: needs.facility.id,
    as: 'hiu',
    path: '/subscription-requests/v3/hiu/on-notify',
    body,
  })
}

async function acknowledgeNews(tx: Tx, needs: HiuReactionNeeds, event: SubscriptionNewsEvent): Promise<void> {
  const body: z.input<typeof subscriptionEventOnNotify> = {
    acknowledgement: { status: 'OK', eventId: event.eventId },
    response: { requestId: event.message },
  }
  await sendToExchange(tx, {
    from: needs.facility.id,
    as: 'hiu',
    path: '/subscription-requests/v3/hiu/care-context/on-notify',
    body,
  })
}

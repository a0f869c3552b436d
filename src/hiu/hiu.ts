import type { AuditEvent } from '../audit/record.ts'
import type { Emergency, Heard } from '../consent/emergency.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import type { Frequency } from '../policy/frequency.ts'
import type { Period } from '../policy/period.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import type { Standing } from '../records/rules.ts'

export type CareContextRef = { readonly patientReference: string; readonly careContextReference: string }
export type AccessMode = 'VIEW' | 'STORE' | 'QUERY' | 'STREAM'

/** What this facility asks a patient for, and what an artefact gives in the same words. */
export type Terms = {
  readonly purpose: PurposeCode
  readonly hiTypes: readonly HiType[]
  /** Dates of the records. */
  readonly range: Period
  /** End of the consent: no request, no view, no copy after it. */
  readonly dataEraseAt: Date
  readonly frequency: Frequency
  readonly accessMode: AccessMode
  readonly hip?: { readonly id: FacilityId; readonly name?: string }
  /** Empty = any. */
  readonly careContexts: readonly CareContextRef[]
}

/** The person who asks, as the patient will read it. */
export type Requester = {
  readonly name: string
  readonly registrationNumber?: string
  /** Who keeps the register: `https://www.nmc.org.in`. */
  readonly registrationSystem?: string
}

export type ConsentAsk = Terms & { readonly patient: AbhaAddress; readonly requester: Requester }

/** The person of the staff who asked, and from which template: ours alone, never on the wire. */
export type AskedBy = {
  readonly staff: Id<'staff'>
  readonly role: StaffRole
  readonly template: string
  /** Set when there is no time to ask: goes to the exchange as an emergency. */
  readonly emergency?: Pick<Emergency, 'reason' | 'words'>
}

type RangeText = { readonly from: string; readonly to: string }
/** {@link Terms} as JSON: dates as ISO text. In the log, sealed in rows, and nearly as it goes on the wire. */
export type TermsText = Omit<Terms, 'range' | 'dataEraseAt'> & {
  readonly range: RangeText
  readonly dataEraseAt: string
}
export type AskText = TermsText & { readonly patient: AbhaAddress; readonly requester: Requester }

const rangeText = ({ from, to }: Period): RangeText => ({ from: from.toISOString(), to: to.toISOString() })
const rangeOf = ({ from, to }: RangeText): Period => ({ from: new Date(from), to: new Date(to) })

export function writeTerms<T extends Terms>(
  terms: T,
): Omit<T, 'range' | 'dataEraseAt'> & Pick<TermsText, 'range' | 'dataEraseAt'> {
  return { ...terms, range: rangeText(terms.range), dataEraseAt: terms.dataEraseAt.toISOString() }
}

export function readTerms<T extends TermsText>(
  text: T,
): Omit<T, 'range' | 'dataEraseAt'> & Pick<Terms, 'range' | 'dataEraseAt'> {
  return { ...text, range: rangeOf(text.range), dataEraseAt: new Date(text.dataEraseAt) }
}

export type ConsentStatus = 'asked' | 'requested' | 'granted' | 'denied' | 'expired' | 'revoked' | 'failed'
export type ArtefactStatus = 'told' | 'checking' | 'granted' | 'refused' | 'failed' | 'revoked' | 'expired'
export type RequestStatus =
  | 'asked'
  | 'acknowledged'
  | 'receiving'
  | 'complete'
  | 'incomplete'
  | 'failed'
  | 'erased'
  /** Refused for a reason that passes; it will be asked again. */
  | 'postponed'
  /** Asked again by a later request. */
  | 'replaced'
export type SubscriptionStatus = 'asked' | 'requested' | 'granted' | 'denied' | 'revoked' | 'failed'

/**
 * Every legal move. `denied`, `expired` and `revoked` are final: a notification that comes late never brings them back. `failed` is
 * not, where the exchange may have acted on a message that we gave up as lost.
 */
export const MOVES = {
  consent: {
    asked: { accept: 'requested', fail: 'failed' },
    failed: { accept: 'requested' },
    requested: { grant: 'granted', deny: 'denied', expire: 'expired', revoke: 'revoked' },
    granted: { deny: 'denied', 'expire-last': 'expired', 'revoke-last': 'revoked' },
    denied: {},
    expired: {},
    revoked: {},
  },
  artefact: {
    told: { fetched: 'checking', fail: 'failed', revoke: 'revoked', expire: 'expired' },
    failed: { refetch: 'told', fetched: 'checking', revoke: 'revoked', expire: 'expired' },
    checking: { accept: 'granted', refuse: 'refused', revoke: 'revoked', expire: 'expired' },
    granted: { revoke: 'revoked', expire: 'expired' },
    refused: { revoke: 'revoked', expire: 'expired' },
    revoked: {},
    expired: {},
  },
  request: {
    asked: {
      acknowledge: 'acknowledged',
      page: 'receiving',
      postpone: 'postponed',
      fail: 'failed',
      overdue: 'incomplete',
      erase: 'erased',
    },
    postponed: { again: 'replaced', fail: 'failed', erase: 'erased' },
    replaced: {},
    acknowledged: {
      page: 'receiving',
      fail: 'failed',
      'provider-done': 'incomplete',
      overdue: 'incomplete',
      erase: 'erased',
    },
    receiving: {
      'last-page': 'complete',
      fail: 'failed',
      'provider-done': 'incomplete',
      overdue: 'incomplete',
      erase: 'erased',
    },
    incomplete: { 'last-page': 'complete', erase: 'erased' },
    complete: { erase: 'erased' },
    failed: { erase: 'erased' },
    erased: {},
  },
  subscription: {
    asked: { accept: 'requested', fail: 'failed' },
    failed: { accept: 'requested' },
    requested: { grant: 'granted', deny: 'denied', revoke: 'revoked' },
    granted: { revoke: 'revoked', deny: 'denied' },
    denied: {},
    revoked: {},
  },
} as const satisfies {
  readonly consent: Record<ConsentStatus, Readonly<Record<string, ConsentStatus>>>
  readonly artefact: Record<ArtefactStatus, Readonly<Record<string, ArtefactStatus>>>
  readonly request: Record<RequestStatus, Readonly<Record<string, RequestStatus>>>
  readonly subscription: Record<SubscriptionStatus, Readonly<Record<string, SubscriptionStatus>>>
}

/** Where `move` leads from `from`; undefined when it is not legal there. */
export function next<Machine extends keyof typeof MOVES, S extends string>(
  machine: Machine,
  from: S & keyof (typeof MOVES)[Machine],
  move: string,
): S | undefined {
  const moves: Readonly<Record<string, string>> = MOVES[machine][from] as never
  return moves[move] as S | undefined
}

export const EVENTS = {
  'hiu.consent-asked': 'The facility asked a patient for consent, through the exchange.',
  'hiu.consent-accepted': 'The exchange took the consent request and gave it an id.',
  'hiu.consent-failed': 'The exchange refused the consent request, or could not be reached.',
  'hiu.patient-not-told': 'The exchange says of an emergency, after it had answered, that it did not tell the patient.',
  'hiu.consent-moved': 'The patient granted, denied or revoked a consent request, or its time ran out.',
  'hiu.status-asked': 'The facility asked the exchange where a consent request stands.',
  'hiu.notice-received':
    'The exchange told the facility of a decision about a consent request; the facility acknowledges it.',
  'hiu.notice-kept': 'A notification named a consent request that is not known yet; it is kept for an hour.',
  'hiu.notice-ignored': 'A notification came after a final one and changed nothing.',
  'hiu.artefact-told': 'The facility learned of a consent artefact and fetches it.',
  'hiu.artefact-fetched': 'A consent artefact arrived; its signature is not checked yet.',
  'hiu.artefact-granted': 'The signature of a consent artefact is right; the facility may ask for data under it.',
  'hiu.artefact-refused':
    'A consent artefact is not signed by the exchange, or is not what was asked for; it is never used.',
  'hiu.artefact-failed': 'A consent artefact could not be fetched.',
  'hiu.artefact-ended': 'A consent artefact was revoked or has expired.',
  'hiu.data-asked': 'The facility asked for the data of a consent, with keys made for this request alone.',
  'hiu.data-acknowledged': 'The exchange passed the data request on and named its transaction.',
  'hiu.data-postponed':
    'The exchange refused a data request for a reason that passes; it is asked again, with new keys, at the time named.',
  'hiu.data-failed': 'The exchange refused a data request, or could not be reached.',
  'hiu.page-received': 'A page of sealed documents arrived and was stored as it came.',
  'hiu.page-conflict': 'A second page of the same number had other content; the first was kept.',
  'hiu.page-refused': 'A page arrived that belongs to no open request; it was not stored.',
  'hiu.page-opened': 'A page was opened, each document checked, and kept, quarantined or reported as broken.',
  'hiu.transfer-asked': 'The facility asked the exchange how a transfer stands of which no page came for a while.',
  'hiu.transfer-ended':
    'All pages of a data request came, its provider sends no more, or its time ran out; the exchange is told how it went.',
  'hiu.key-destroyed': 'The private key of a data request expired and was destroyed.',
  'hiu.record-viewed': 'A person looked at a document of a patient.',
  'hiu.record-exported': 'The records office took a document of a patient that another facility sent out as a file.',
  'hiu.view-denied': 'A person wanted to look at a document and the gate said no.',
  'hiu.copy-erased': 'The copy received under a consent was erased with its key; the exchange is told.',
  'hiu.copy-stopped-again':
    'After a restore of an older database: the key of a copy was destroyed already, so the copy was stopped and erased again.',
  'hiu.copy-held': 'A consent ended and a law keeps its copy, sealed and unread, until a day; the exchange is told.',
  'hiu.copy-claimed': 'A legal claim was put on a copy: it outlives its consent until a day.',
  'hiu.claim-lifted': 'A legal claim on a copy was lifted.',
  'hiu.attestation-refused': 'The exchange did not take the attestation of an erasure.',
  'hiu.subscription-asked': 'The facility asked to be told of new records of a patient.',
  'hiu.subscription-changed': 'The exchange told the facility where a subscription stands.',
  'hiu.subscription-event': 'A subscription brought news of records.',
} as const

type About = AuditEvent & { readonly patient: AbhaAddress; readonly subject: string }

/** What an event says of a request to the exchange is what `abdm/hiu-reactions.ts` sends. */
export type ConsentAskedEvent = About & {
  readonly type: 'hiu.consent-asked'
  readonly subject: Id<'hiu-consent'>
  readonly asked: AskText
  /** Why there was no time to ask. */
  readonly emergency?: Emergency
}
export type ConsentChangedEvent = About & {
  readonly type: 'hiu.consent-accepted' | 'hiu.consent-failed' | 'hiu.patient-not-told'
  readonly exchangeId?: string
  readonly reason?: string
  /** Of an emergency, when the exchange said so or took it. */
  readonly heard?: Heard
}
export type StatusAskedEvent = About & { readonly type: 'hiu.status-asked'; readonly exchangeId: string }
export type NoticeEvent = About & {
  readonly type: 'hiu.notice-received' | 'hiu.notice-ignored'
  readonly status: string
  readonly artefacts: readonly string[]
  /** REQUEST-ID of the notification. */
  readonly message: string
  readonly reason?: string
}
/** `subject` is the artefact in all that follow. */
export type ArtefactToldEvent = About & { readonly type: 'hiu.artefact-told'; readonly fetchRequest: Id<'request'> }
export type ArtefactEvent = About & {
  readonly type:
    | 'hiu.artefact-fetched'
    | 'hiu.artefact-granted'
    | 'hiu.artefact-refused'
    | 'hiu.artefact-failed'
    | 'hiu.artefact-ended'
  readonly status?: ArtefactStatus
  readonly detailSha256?: string
  readonly reason?: string
  /** Which field of a refused artefact is at fault. */
  readonly field?: string
}
export type DataAskedEvent = About & {
  readonly type: 'hiu.data-asked'
  readonly request: Id<'hiu-request'>
  readonly range: { readonly from: string; readonly to: string }
  readonly how: 'automatic' | 'by hand' | 'again'
  /** The refused request that this one asks again. */
  readonly replaces?: Id<'hiu-request'>
}
export type DataEvent = About & {
  readonly type:
    | 'hiu.data-acknowledged'
    | 'hiu.data-postponed'
    | 'hiu.data-failed'
    | 'hiu.key-destroyed'
    | 'hiu.transfer-asked'
  readonly request: Id<'hiu-request'>
  readonly transaction?: string
  readonly reason?: string
  readonly againAt?: string
}
export type PageEvent = About & {
  readonly type: 'hiu.page-received' | 'hiu.page-conflict' | 'hiu.page-refused' | 'hiu.page-opened'
  readonly request: Id<'hiu-request'>
  readonly page: number
  readonly contentSha256?: string
  readonly entries?: readonly {
    readonly careContext: string
    readonly status: string
    readonly sha256?: string
    readonly reason?: string
  }[]
  readonly reason?: string
}
export type TransferEndedEvent = About & {
  readonly type: 'hiu.transfer-ended'
  readonly request: Id<'hiu-request'>
  readonly transaction?: string
  readonly hip: FacilityId
  readonly sessionStatus: 'RECEIVED' | 'FAILED'
  /** What the provider had told the exchange, when that ended it. */
  readonly provider?: 'FAILED' | 'TRANSFERRED'
  readonly contexts: readonly {
    readonly careContextReference: string
    readonly hiStatus: 'OK' | 'ERRORED'
    readonly description?: string
  }[]
}
export type ViewEvent = About & {
  readonly type: 'hiu.record-viewed' | 'hiu.record-exported' | 'hiu.view-denied'
  readonly document: Id<'hiu-document'>
  readonly person: { readonly name: string; readonly role: string }
  readonly purpose: PurposeCode
  readonly hiType: HiType
  readonly careContextReference: string
  readonly standing?: Standing
  readonly at: string
  readonly policyVersion: string
  readonly rules: readonly string[]
}
export type ErasureReason = 'REVOKED' | 'EXPIRED' | 'DENIED'
export type ErasedEvent = About & {
  readonly type: 'hiu.copy-erased'
  readonly reason: ErasureReason
  readonly documents: number
  readonly pages: number
  readonly sha256: readonly string[]
  readonly erasedAt: string
  /** Attested once more, after the exchange had refused it. */
  readonly again?: true
}
export type AttestationRefusedEvent = About & { readonly type: 'hiu.attestation-refused'; readonly reason: string }
export type SubscriptionAskedEvent = About & {
  readonly type: 'hiu.subscription-asked'
  readonly subject: Id<'hiu-subscription'>
  readonly terms: SubscriptionTermsText
}
export type SubscriptionChangedEvent = About & {
  readonly type: 'hiu.subscription-changed'
  readonly subject: Id<'hiu-subscription'>
  readonly status: SubscriptionStatus
  /** Set when it is a notification, which is acknowledged. */
  readonly notice?: { readonly subscriptionRequest: string; readonly message: string }
  readonly reason?: string
}
export type SubscriptionNewsEvent = About & {
  readonly type: 'hiu.subscription-event'
  readonly eventId: string
  readonly message: string
  readonly category: 'LINK' | 'DATA'
  readonly hip: FacilityId
  readonly contexts: readonly { readonly hiType: HiType; readonly careContexts: readonly CareContextRef[] }[]
}

export type SubscriptionTerms = {
  readonly patient: AbhaAddress
  readonly purpose: PurposeCode
  readonly hips: readonly FacilityId[]
  readonly categories: readonly ('LINK' | 'DATA')[]
  readonly period: Period
}

export type SubscriptionTermsText = Omit<SubscriptionTerms, 'period'> & { readonly period: RangeText }

export function writeSubscription(terms: SubscriptionTerms): SubscriptionTermsText {
  return { ...terms, period: rangeText(terms.period) }
}

export function readSubscription(text: SubscriptionTermsText): SubscriptionTerms {
  return { ...text, period: rangeOf(text.period) }
}

/** Why a transfer or one of its parts is not as it should be; shown to staff, never health data. */
export type PageFinding = { readonly entry?: number; readonly severity: 'error' | 'warning'; readonly says: string }

/** One page of a transfer as it stands. */
export type PageState = {
  readonly number: number
  readonly status: 'stored' | 'opened' | 'failed'
  readonly receivedAt: Date
  readonly findings: readonly PageFinding[]
}

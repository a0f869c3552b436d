import type { AuditEvent } from '../audit/record.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import type { Period } from '../policy/period.ts'

/**
 * How far one hospital is with the patient's own copy. `asking`: it has not said yet that it knows the patient's consent. `partial`: it
 * sends no more, and not everything came. `empty`: it says that it is done, and sent nothing. `stopped`: the consent ended meanwhile.
 */
export type HolderStatus =
  | 'asking'
  | 'requested'
  | 'preparing'
  | 'receiving'
  | 'complete'
  | 'partial'
  | 'empty'
  | 'failed'
  | 'stopped'

export type HolderVerb = 'request' | 'take' | 'page' | 'last-page' | 'nothing' | 'cut-short' | 'fail' | 'stop'

/** Every legal move. Pages are welcome as long as they can be collected: also late, and after the hospital had given up. */
export const MOVES = {
  asking: { request: 'requested', fail: 'failed', stop: 'stopped' },
  requested: {
    take: 'preparing',
    page: 'receiving',
    'last-page': 'complete',
    nothing: 'empty',
    fail: 'failed',
    stop: 'stopped',
  },
  preparing: { page: 'receiving', 'last-page': 'complete', nothing: 'empty', fail: 'failed', stop: 'stopped' },
  receiving: { page: 'receiving', 'last-page': 'complete', 'cut-short': 'partial', stop: 'stopped' },
  partial: { page: 'partial', 'last-page': 'complete', stop: 'stopped' },
  empty: { page: 'receiving', 'last-page': 'complete', stop: 'stopped' },
  failed: { page: 'receiving', 'last-page': 'complete', stop: 'stopped' },
  complete: { stop: 'stopped' },
  stopped: {},
} as const satisfies Record<HolderStatus, Readonly<Partial<Record<HolderVerb, HolderStatus>>>>

/** The status after `verb`, or undefined when it brings nothing new. */
export function moveHolder(status: HolderStatus, verb: HolderVerb): HolderStatus | undefined {
  const moves: Readonly<Partial<Record<HolderVerb, HolderStatus>>> = MOVES[status]
  return moves[verb]
}

/** Why nothing, or not everything, came from a hospital. */
export type HolderFault =
  /** It does not take part in the network at present. */
  | 'inactive'
  /** It could not be reached. */
  | 'unreachable'
  /** It did not take note of the patient's consent. */
  | 'consent-refused'
  /** It answered the request with an error. */
  | 'declined'
  /** It reported that sending failed. */
  | 'sending-failed'
  /** It said nothing, or sent nothing, by the deadline. */
  | 'no-answer'
  /** The exchange's own rules did not let the request through. */
  | 'not-permitted'
  /** More came than is kept for one page. */
  | 'too-much'

export type HolderReason = { readonly code: HolderFault; readonly says?: string }

/** What the patient's page made of one entry. Words of a list, so that nothing of a document can travel in them. */
export const OPENING_FAULTS = ['not-authentic', 'bad-key', 'by-link', 'not-readable'] as const
export type OpeningFault = (typeof OPENING_FAULTS)[number]
export type Opening = { readonly careContextReference: string; readonly fault?: OpeningFault }

export type Holder = {
  readonly fetch: Id<'own-fetch'>
  readonly hip: FacilityId
  readonly status: HolderStatus
  readonly artefact?: Id<'artefact'>
  readonly transaction?: Id<'transaction'>
  readonly pagesAnnounced?: number
  readonly pagesReceived: number
  readonly entriesReceived: number
  readonly reason?: HolderReason
  readonly outcomes: readonly Opening[]
  readonly reportedAt?: Date
  readonly changedAt: Date
}

/** The HIU's half of the key agreement as it is passed on, in JSON. */
export type PassedKey = {
  readonly cryptoAlg: string
  readonly curve: string
  readonly dhPublicKey: { readonly expiry: string; readonly parameters?: string; readonly keyValue: string }
  readonly nonce: string
}

/** One look of a patient at her own records: asked by one page, with the key of that page. */
export type OwnFetch = {
  readonly id: Id<'own-fetch'>
  readonly patient: AbhaAddress
  readonly key: PassedKey
  readonly dateRange?: Period
  readonly startedAt: Date
  readonly deadline: Date
  readonly expiresAt: Date
  readonly lastSeq: number
}

/** Whether a hospital may still send something that this page waits for. */
export function isWaiting(status: HolderStatus): boolean {
  return status === 'asking' || status === 'requested' || status === 'preparing' || status === 'receiving'
}

/** How many pages a hospital announced; absent and 0 mean one. */
export function announced(pageCount: number | null | undefined): number {
  return Math.max(1, pageCount ?? 1)
}

/** How the recipient's side of the transfer ended, given what the page could open; undefined while it is still open. */
export function endOf(
  status: HolderStatus,
  outcomes: readonly Opening[],
): 'RECEIVED' | 'PARTIAL_TRANSFERRED' | 'FAILED' {
  const opened = outcomes.filter(({ fault }) => fault === undefined).length
  if (opened === 0) return status === 'empty' ? 'RECEIVED' : 'FAILED'
  return status === 'complete' && opened === outcomes.length ? 'RECEIVED' : 'PARTIAL_TRANSFERRED'
}

/** What the log says of a patient's own copy, each in one sentence. */
export const EVENTS = {
  'transfer.own-copy-asked': 'A patient asked hospitals for her own copy of her records, sealed for her own page.',
  'transfer.own-copy-requested': 'The request for a patient’s own copy was routed to one hospital.',
  'transfer.own-copy-page-received':
    'A sealed page of a patient’s own copy came; the exchange cannot open it and keeps it for minutes.',
  'transfer.own-copy-page-refused': 'A page was pushed for a patient’s own copy and was not taken.',
  'transfer.own-copy-collected': 'The patient’s page collected sealed pages of her own copy.',
  'transfer.own-copy-opened':
    'The patient’s page said which documents it could open; what it had collected was deleted.',
  'transfer.own-copy-exported': 'The patient took her own copy out of the page, as files or on paper.',
  'transfer.own-copy-moved': 'What became of a patient’s own copy at one hospital.',
  'transfer.own-copy-ended': 'The mailbox of a patient’s own copy was emptied and closed.',
} as const

type About = AuditEvent & { readonly patient: string; readonly subject: string }

/** `subject` is the fetch. */
export type OwnCopyAsked = About & {
  readonly type: 'transfer.own-copy-asked'
  readonly hips: readonly string[]
  readonly hiTypes: readonly string[]
  /** The consents that it rests on, made now or earlier. */
  readonly consents: readonly string[]
}
/** `subject` is the transaction. */
export type OwnCopyRequested = About & {
  readonly type: 'transfer.own-copy-requested'
  readonly fetch: string
  readonly hip: string
  readonly consent: string
}
export type OwnCopyPage = About & {
  readonly type: 'transfer.own-copy-page-received' | 'transfer.own-copy-page-refused'
  readonly hip: string
  readonly page: number
  readonly contentSha256: string
  readonly bytes: number
  readonly code?: string
}
export type OwnCopyCollected = About & {
  readonly type: 'transfer.own-copy-collected'
  readonly pages: readonly { readonly hip: string; readonly page: number }[]
  readonly consents: readonly string[]
}
export type OwnCopyOpened = About & {
  readonly type: 'transfer.own-copy-opened'
  readonly hip: string
  readonly opened: number
  readonly faults: readonly string[]
}
/** In which form a patient takes her copy out of the page. */
export const EXPORT_FORMS = ['fhir', 'print'] as const
export type OwnCopyExported = AuditEvent & {
  readonly type: 'transfer.own-copy-exported'
  readonly patient: string
  readonly form: (typeof EXPORT_FORMS)[number]
}
export type OwnCopyMoved = About & {
  readonly type: 'transfer.own-copy-moved'
  readonly hip: string
  readonly status: HolderStatus
  readonly reason?: HolderReason
}
export type OwnCopyEnded = About & {
  readonly type: 'transfer.own-copy-ended'
  readonly why: 'expired' | 'replaced' | 'closed'
  /** Sealed pages that nobody collected. */
  readonly uncollected: number
}

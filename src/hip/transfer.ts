import { parseNonce } from '../crypto/key-agreement.ts'
import { parsePeerKey } from '../crypto/key-material.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { decide } from '../policy/decide.ts'
import type { Decision } from '../policy/gate.ts'
import { isInside, type Period } from '../policy/period.ts'
import type { HeldArtefact } from './artefact.ts'

/** The public half of the requester's keys, as it came. */
export type RequesterKeys = { readonly keyValue: string; readonly nonce: string; readonly expiry: string }

export type DataRequest = {
  readonly transactionId: Id<'transaction'>
  readonly consentId: Id<'artefact'>
  readonly range: Period
  readonly pushUrl: string
  readonly keys: RequesterKeys
}

/** A request that we serve. */
export type Transfer = DataRequest & {
  readonly patient: AbhaAddress
  readonly hiu: FacilityId | ''
  readonly status: 'collecting' | 'sending' | 'ended' | 'refused'
  readonly deadline: Date
  readonly pageCount?: number
  /** Why nothing, or not all, came of a care context. */
  readonly omissions: Omissions
  readonly outcome?: Outcome
}
export type Omissions = Readonly<Record<string, string>>
export type Outcome = 'TRANSFERRED' | 'FAILED'

export const TRANSFER_MOVES = {
  none: ['collecting', 'refused'],
  collecting: ['sending', 'ended'],
  sending: ['ended'],
  ended: [],
  refused: [],
} as const satisfies Record<string, readonly Transfer['status'][]>

/** `sending`: a try was made, and the requester may have the page whatever we heard. */
export const PAGE_MOVES = {
  waiting: ['sending', 'withheld', 'failed'],
  sending: ['sent', 'failed', 'withheld'],
  sent: [],
  failed: [],
  withheld: [],
} as const satisfies Record<string, readonly string[]>

export type PageStatus = keyof typeof PAGE_MOVES

/** Whether nothing more happens to a page. */
export function isSettled(status: PageStatus): boolean {
  return PAGE_MOVES[status].length === 0
}

export type Page = {
  readonly number: number
  readonly careContextReference: string
  readonly hiType: HiType
  readonly status: PageStatus
  readonly narrowed: boolean
  /** SHA-256 of the document in it. */
  readonly documentHash: Uint8Array
  readonly error?: string
}

/** Clocks of exchange and facility differ a little; the exchange counts first. */
const FREQUENCY_TOLERANCE_MS = 60_000

/**
 * Whether a request may be served, and how much of it: consent held, in force, range inside, keys usable, and the gate. `earlier`: when
 * data was requested under this consent before.
 */
export function judge(
  request: DataRequest,
  held: HeldArtefact | undefined,
  facility: FacilityId,
  earlier: readonly Date[],
  now: Date,
): Decision | Refusal {
  const fault = faultOfConsent(held, now) ?? faultOfRange(request, held) ?? faultOfKeys(request.keys, now)
  if (fault !== undefined) return fault
  const counted = earlier.map((at) => new Date(at.getTime() - FREQUENCY_TOLERANCE_MS))
  const decision = askGate(request, held, facility, counted, now)
  if (decision.outcome !== 'deny') return decision
  return refuse('hip/not-permitted', decision.explain.map(({ says }) => says).join(' '))
}

/** Asked again before every page: whether the consent is still in force and the time not over. */
export function mayStillSend(
  transfer: Transfer,
  held: HeldArtefact | undefined,
  facility: FacilityId,
  now: Date,
): true | Refusal {
  const fault = faultOfConsent(held, now)
  if (fault !== undefined) return fault
  if (transfer.deadline <= now) return refuse('hip/too-late')
  const decision = askGate(transfer, held, facility, [], now)
  return decision.outcome === 'deny'
    ? refuse('hip/not-permitted', decision.explain.map(({ says }) => says).join(' '))
    : true
}

function faultOfConsent(held: HeldArtefact | undefined, now: Date): Refusal | undefined {
  if (held === undefined) return refuse('hip/unknown-artefact', undefined, 'hiRequest.consent.id')
  switch (held.status) {
    case 'GRANTED':
      return held.detail.permission.dataEraseAt <= now ? refuse('hip/artefact-expired') : undefined
    case 'REVOKED':
      return refuse('hip/artefact-ended')
    case 'EXPIRED':
      return refuse('hip/artefact-expired')
  }
}

function faultOfRange({ range }: DataRequest, held: HeldArtefact | undefined): Refusal | undefined {
  const permitted = held?.detail?.permission.dateRange
  return permitted !== undefined && isInside(range, permitted)
    ? undefined
    : refuse('hip/outside-range', undefined, 'hiRequest.dateRange')
}

function faultOfKeys(keys: RequesterKeys, now: Date): Refusal | undefined {
  const expiry = new Date(keys.expiry)
  if (!(expiry > now))
    return refuse(
      'hip/key-expired',
      `The key expired at ${expiry.toISOString()}.`,
      'hiRequest.keyMaterial.dhPublicKey.expiry',
    )
  const key = parsePeerKey(keys.keyValue)
  if (isRefusal(key)) return key
  const nonce = parseNonce(keys.nonce)
  return isRefusal(nonce) ? nonce : undefined
}

/** The gate over the one fact that a HIP has: the artefact. Its HIU is as the exchange vouches for it in the signed detail. */
export function askGate(
  request: Pick<DataRequest, 'range'>,
  held: HeldArtefact | undefined,
  facility: FacilityId,
  usedAt: readonly Date[],
  now: Date,
): Decision {
  const detail = held?.detail
  const recipient = detail?.hiu?.id ?? 'unnamed'
  const actor: Actor = { kind: 'facility', id: (detail?.hiu?.id ?? facility) as FacilityId }
  const question = {
    patient: detail?.patient.id ?? '',
    recipient,
    holder: facility,
    purpose: detail?.purpose.code ?? '',
    types: detail?.hiTypes ?? [],
    period: request.range,
    actor,
    channel: 'abdm',
    mode: 'share',
    now,
  } as const
  const consents =
    held === undefined || detail === undefined
      ? []
      : [
          {
            id: detail.consentId,
            readable: true,
            status: held.status,
            patient: detail.patient.id,
            recipient,
            holder: detail.hip.id,
            purpose: detail.purpose.code,
            types: detail.hiTypes,
            period: detail.permission.dateRange,
            eraseAt: detail.permission.dataEraseAt,
            careContexts: detail.careContexts,
            frequency: detail.permission.frequency,
            usedAt,
            acknowledged: true,
          } as const,
        ]
  return decide(question, { recipient: 'active', holder: 'active', consents, refusals: [] })
}

export type ContextStatus = {
  readonly careContextReference: string
  readonly hiStatus: 'DELIVERED' | 'ERRORED'
  readonly description: string
}

/** What to tell the exchange at the end: one line for each care context of the artefact (protocol sheet 2.5 no. 6). */
export function summarise(
  careContexts: readonly string[],
  pages: readonly Page[],
  omissions: Omissions,
): { readonly outcome: Outcome; readonly contexts: readonly ContextStatus[] } {
  const contexts = [...new Set(careContexts)].map((careContextReference): ContextStatus => {
    const own = pages.filter((page) => page.careContextReference === careContextReference)
    const omitted = Object.hasOwn(omissions, careContextReference) ? [omissions[careContextReference]] : []
    const missing = own.filter((page) => page.status !== 'sent')
    const reasons = [...new Set([...omitted, ...missing.map((page) => page.error)])].filter((why) => why !== undefined)
    if (reasons.length === 0 && own.length > 0)
      return { careContextReference, hiStatus: 'DELIVERED', description: `${own.length} document(s) delivered.` }
    const description = reasons.length === 0 ? NOTHING_FITS : reasons.join(' ')
    return { careContextReference, hiStatus: 'ERRORED', description: description.slice(0, DESCRIPTION_CHARS_MAX) }
  })
  return { outcome: pages.some((page) => page.status === 'sent') ? 'TRANSFERRED' : 'FAILED', contexts }
}
export const NOTHING_FITS = 'No record of the permitted types and dates.'
const DESCRIPTION_CHARS_MAX = 900

/** When a transfer that begins now must be finished. */
export function deadlineOf(now: Date): Date {
  return new Date(now.getTime() + LIMITS.transferMs)
}

export const TRANSFER_EVENTS = {
  'hip.request-accepted': 'The facility accepted a request for health information under a consent.',
  'hip.request-refused': 'The facility refused a request for health information.',
  'hip.records-opened': 'The facility began to open records of a patient, to send them under a consent.',
  'hip.pages-sealed': 'The facility collected, cut down, checked and sealed the documents of a transfer.',
  'hip.page-sending': 'The facility is about to send a sealed document to the requester: it may have it from now on.',
  'hip.page-disclosed': 'The requester took a sealed document.',
  'hip.page-failed':
    'A sealed document could not be delivered; where a try was made, the requester may have it nevertheless.',
  'hip.page-withheld': 'A sealed document was held back, because the consent ended or the time was over.',
  'hip.transfer-ended': 'A transfer ended; the exchange is told what was delivered and what was not.',
} as const

import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { canMove } from '../kernel/moves.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { Frequency } from '../policy/frequency.ts'

/** What a HIP needs of `consentDetail` (protocol sheet 4.1); the whole of it is kept as it was signed. */
export type ArtefactDetail = {
  readonly consentId: Id<'artefact'>
  readonly patient: { readonly id: AbhaAddress }
  readonly careContexts: readonly { readonly patientReference: string; readonly careContextReference: string }[]
  readonly purpose: { readonly code: string }
  readonly hip: { readonly id: FacilityId }
  /** Some exchanges leave the receiver out of the HIP's copy. */
  readonly hiu?: { readonly id: FacilityId; readonly name?: string | null | undefined } | null | undefined
  readonly hiTypes: readonly HiType[]
  readonly permission: {
    readonly dateRange: { readonly from: Date; readonly to: Date }
    readonly dataEraseAt: Date
    readonly frequency: Frequency
  }
}

export type ArtefactStatus = 'GRANTED' | 'REVOKED' | 'EXPIRED'

/** A copy of a consent artefact. Where only its end was told, nothing else is known, and it can never be granted. */
export type HeldArtefact =
  | { readonly status: 'GRANTED'; readonly detail: ArtefactDetail }
  | { readonly status: 'REVOKED' | 'EXPIRED'; readonly detail?: ArtefactDetail; readonly endedAt: Date }

/** From → to. What ended never comes back (protocol sheet 3.3). */
export const MOVES = {
  none: ['GRANTED', 'REVOKED', 'EXPIRED'],
  GRANTED: ['REVOKED', 'EXPIRED'],
  REVOKED: [],
  EXPIRED: [],
} as const satisfies Record<string, readonly ArtefactStatus[]>

/** What the exchange tells of an artefact. `verified`: what the check of the signature came to. */
export type Told = {
  readonly status: ArtefactStatus
  readonly consentId: Id<'artefact'>
  readonly signed?: {
    readonly detail: ArtefactDetail
    readonly raw: unknown
    readonly signature: string
    readonly verified: true | Refusal
  }
}

export type Reception =
  /** Keep it in this status. */
  | { readonly kind: 'keep'; readonly status: ArtefactStatus }
  /** It is held, and ends now. */
  | { readonly kind: 'end'; readonly status: 'REVOKED' | 'EXPIRED' }
  /** Known already: nothing changes. */
  | { readonly kind: 'repeat' }
  /** A grant after the end: it came out of order, nothing changes. */
  | { readonly kind: 'late' }

/**
 * What to do with what the exchange tells. An end is always honoured, with or without detail and signature: the caller is proven, and
 * stopping needs no proof. A grant must be whole, ours, and signed.
 */
export function receive(
  held: HeldArtefact | undefined,
  told: Told,
  facility: FacilityId,
  now: Date,
): Reception | Refusal {
  const isNews = canMove(MOVES, held?.status ?? 'none', told.status)
  if (told.status !== 'GRANTED') {
    if (!isNews) return { kind: 'repeat' }
    return { kind: held === undefined ? 'keep' : 'end', status: told.status }
  }
  const fault = faultOfGrant(told, facility)
  if (fault !== undefined) return fault
  if (!isNews) return { kind: held?.status === 'GRANTED' ? 'repeat' : 'late' }
  const over = told.signed !== undefined && told.signed.detail.permission.dataEraseAt <= now
  return { kind: 'keep', status: over ? 'EXPIRED' : 'GRANTED' }
}

function faultOfGrant(told: Told, facility: FacilityId): Refusal | undefined {
  const { signed } = told
  if (signed === undefined) return refuse('hip/artefact-incomplete', undefined, 'notification.consentDetail')
  if (signed.detail.consentId !== told.consentId)
    return refuse('hip/artefact-mismatch', undefined, 'notification.consentId')
  if (signed.detail.hip.id !== facility)
    return refuse('hip/other-facility', 'The artefact is for another HIP.', 'notification.consentDetail.hip.id')
  return isRefusal(signed.verified) ? signed.verified : undefined
}

export const ARTEFACT_EVENTS = {
  'hip.artefact-received': 'The facility received a consent artefact, checked its signature, and keeps a copy.',
  'hip.artefact-refused':
    'The facility refused a consent artefact: not signed by the exchange, not complete, or for another facility.',
  'hip.artefact-ended':
    'A consent ended at the provider: it was revoked or has expired; nothing more is sent under it.',
  'hip.artefact-late': 'A grant reached the facility after the end of the same consent; it changes nothing.',
} as const

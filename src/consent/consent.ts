import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import type { Frequency } from '../policy/frequency.ts'
import type { Period } from '../policy/period.ts'
import type { PurposeCode } from '../policy/purpose.ts'

export type CareContextRef = { readonly patientReference: string; readonly careContextReference: string }
export type AccessMode = 'VIEW' | 'STORE' | 'QUERY' | 'STREAM'

export type Permission = {
  readonly accessMode: AccessMode
  /** Dates of the records. */
  readonly dateRange: Period
  /** End of the consent: no data request after it, copies are erased. */
  readonly dataEraseAt: Date
  readonly frequency: Frequency
}

export type Requester = {
  readonly name: string
  readonly identifier?: { readonly value: string; readonly type?: string; readonly system?: string }
}

/** What a HIU asks for. */
export type ConsentAsk = {
  readonly purpose: { readonly code: PurposeCode; readonly text: string; readonly refUri: string }
  readonly patient: AbhaAddress
  readonly hiu: FacilityId
  /** Only records of this provider; absent = of any. */
  readonly hip?: FacilityId
  /** Only these care contexts; empty = any. */
  readonly careContexts: readonly CareContextRef[]
  readonly requester: Requester
  readonly hiTypes: readonly HiType[]
  readonly permission: Permission
}

/** `permission` as it crosses the wire: dates are UTC with milliseconds. */
export type WirePermission = {
  readonly accessMode: AccessMode
  readonly dateRange: { readonly from: string; readonly to: string }
  readonly dataEraseAt: string
  readonly frequency: Permission['frequency']
}

/**
 * `consentDetail` of ABDM V3 as we send it, to HIP and HIU alike. It never changes after signing: `lastUpdated` is in it from the
 * beginning and equals `createdAt`; the status lies beside it (docs/artefact.md).
 */
export type ConsentDetail = {
  readonly schemaVersion: 'v3'
  readonly consentId: Id<'artefact'>
  readonly createdAt: string
  readonly lastUpdated: string
  readonly patient: { readonly id: string }
  readonly careContexts: readonly CareContextRef[]
  readonly purpose: { readonly text: string; readonly code: string; readonly refUri: string }
  readonly hip: { readonly id: string; readonly name: string }
  readonly hiu: { readonly id: string; readonly name: string }
  readonly consentManager: { readonly id: string }
  readonly requester: Requester
  readonly hiTypes: readonly HiType[]
  readonly permission: WirePermission
}

export type RequestStatus = 'REQUESTED' | 'GRANTED' | 'DENIED' | 'REVOKED' | 'EXPIRED'
export type ArtefactStatus = 'GRANTED' | 'REVOKED' | 'EXPIRED'

type RequestBase = {
  readonly id: Id<'consent-request'>
  readonly asked: ConsentAsk
  readonly createdAt: Date
  /** The patient may decide until then. */
  readonly decideBy: Date
  readonly changedAt: Date
}

export type ConsentRequest = RequestBase &
  (
    | { readonly status: 'REQUESTED' }
    /** `policy`: the patient's standing approval that granted it. */
    | { readonly status: 'GRANTED' | 'REVOKED'; readonly policy?: Id<'approval-policy'> }
    | { readonly status: 'DENIED'; readonly reason: string }
    | { readonly status: 'EXPIRED' }
  )

export type Artefact = {
  readonly id: Id<'artefact'>
  readonly request: Id<'consent-request'>
  readonly patient: AbhaAddress
  readonly hip: FacilityId
  readonly hiu: FacilityId
  readonly status: ArtefactStatus
  readonly detail: ConsentDetail
  readonly signature: string
  readonly createdAt: Date
  readonly changedAt: Date
  readonly dataEraseAt: Date
  /** The HIU keeps its copy, sealed, beyond the consent, because a law demands it. */
  readonly kept?: { readonly until: Date; readonly reason: string }
  /** When the HIU attested that its copy is gone. */
  readonly erasedAt?: Date
}

/** What one facility was told about one artefact (or the request as a whole), and what came back. */
export type Notice = {
  readonly id: Id<'notice'>
  /** REQUEST-ID of the notification. */
  readonly message: Id<'message'>
  readonly request: Id<'consent-request'>
  readonly artefact?: Id<'artefact'>
  readonly party: 'hip' | 'hiu'
  readonly facility: FacilityId
  readonly status: ArtefactStatus | 'DENIED'
  readonly createdAt: Date
  readonly acknowledgedAt?: Date
  readonly failure?: string
}

/** What the patient gives to one provider's records: one item of an approval. */
export type GrantItem = {
  readonly hip: FacilityId
  readonly hiTypes: readonly HiType[]
  readonly careContexts: readonly CareContextRef[]
  readonly permission: Permission
}

/** Every legal move; what is not here is refused. `…-last` = the last artefact of the request ended that way. */
export const MOVES = {
  request: {
    REQUESTED: { approve: 'GRANTED', deny: 'DENIED', expire: 'EXPIRED' },
    GRANTED: { 'revoke-last': 'REVOKED', 'expire-last': 'EXPIRED' },
    DENIED: {},
    REVOKED: {},
    EXPIRED: {},
  },
  artefact: {
    GRANTED: { revoke: 'REVOKED', expire: 'EXPIRED' },
    REVOKED: {},
    EXPIRED: {},
  },
} as const satisfies {
  readonly request: Record<RequestStatus, Readonly<Record<string, RequestStatus>>>
  readonly artefact: Record<ArtefactStatus, Readonly<Record<string, ArtefactStatus>>>
}

export type RequestVerb = 'approve' | 'deny' | 'expire' | 'revoke-last' | 'expire-last'
export type ArtefactVerb = 'revoke' | 'expire'

/** The status after `verb`, or undefined when the table does not have that move. */
export function moveRequest(status: RequestStatus, verb: RequestVerb): RequestStatus | undefined {
  const moves: Readonly<Record<string, RequestStatus>> = MOVES.request[status]
  return moves[verb]
}

/** The status after `verb`, or undefined when the table does not have that move. */
export function moveArtefact(status: ArtefactStatus, verb: ArtefactVerb): ArtefactStatus | undefined {
  const moves: Readonly<Record<string, ArtefactStatus>> = MOVES.artefact[status]
  return moves[verb]
}

/**
 * How a granted request ends, given the states of all its artefacts: not at all while one of them lives; REVOKED when the patient
 * revoked every one; EXPIRED when at least one ran its time (docs/decisions/0012-request-status.md).
 */
export function endOfRequest(artefacts: readonly ArtefactStatus[]): 'revoke-last' | 'expire-last' | undefined {
  if (artefacts.length === 0 || artefacts.includes('GRANTED')) return undefined
  return artefacts.every((status) => status === 'REVOKED') ? 'revoke-last' : 'expire-last'
}

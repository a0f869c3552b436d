import type { HiType } from '../fhir/hi-type.ts'

/** What a patient reads of her sharing, as it crosses the wire and as the screens take it: dates are ISO 8601 in UTC. */

/** A facility as the patient reads it. `kinds` are words of the facility registry such as `Hospital`. */
export type FacilityView = {
  readonly id: string
  readonly name: string
  readonly kinds: readonly string[]
  /** Shut out of the network: it gets nothing, and cannot be told anything. */
  readonly isShutOut?: true
  /** As a receiver: the patient has allowed it something beforehand, so that it may get records without asking. */
  readonly isAllowedBeforehand?: true
  /** As a receiver: it is told when there is something new. */
  readonly isToldOfNews?: true
}

/** An event of the log that proves something; its receipt is at `/v1/me/receipts/:event`. */
export type Proof = {
  readonly event: string
  readonly type: string
  readonly at: string
  /** Who acknowledged, where several may. */
  readonly facility?: string
}

/** One time that records went from a holder to a receiver, or were to go. */
export type TransferView = {
  readonly id: string
  readonly askedAt: string
  readonly doneAt?: string
  readonly outcome: 'under-way' | 'received' | 'received-in-part' | 'failed' | 'refused'
  /** Care contexts (visits, reports) that came through. */
  readonly records: number
  readonly proof?: Proof
}

/** What one party was told about a consent, and when it confirmed that it knows. */
export type NoticeView = {
  readonly facility: FacilityView
  readonly party: 'hip' | 'hiu'
  readonly status: 'GRANTED' | 'REVOKED' | 'EXPIRED' | 'DENIED'
  readonly toldAt: string
  readonly confirmedAt?: string
  readonly failure?: string
  readonly proof?: Proof
}

/** `stopped`: by the patient. `ended`: its time is over. */
export type SharingStatus = 'live' | 'stopped' | 'ended'

/**
 * How a pair stands. `link`: the holder's records are linked. `planned`: allowed, nothing went yet. `shared`: allowed, and records went.
 * `stopping`: stopped or ended, the receiver has not confirmed that its copy is gone. `erased`: it has. `unused`: over, and nothing ever went.
 */
export type EdgeState = 'link' | 'planned' | 'shared' | 'stopping' | 'erased' | 'unused'

/** One consent of one holder's records to one receiver: an artefact with all that became of it. */
export type ConsentView = {
  readonly artefact: string
  readonly request: string
  readonly holder: FacilityView
  readonly receiver: FacilityView
  readonly purpose: string
  readonly requester: string
  readonly hiTypes: readonly HiType[]
  /** How many visits or reports it names; 0 = all of the types and dates. */
  readonly contexts: number
  readonly from: string
  readonly to: string
  readonly grantedAt: string
  readonly until: string
  readonly status: SharingStatus
  /** The same as an arrow. */
  readonly state: EdgeState
  readonly endedAt?: string
  /** Until when a law makes the receiver keep its copy, sealed and unread, and which reason it named. */
  readonly keptUntil?: string
  readonly keptFor?: string
  /** When the receiver attested that its copy is gone. */
  readonly erasedAt?: string
  readonly transfers: readonly TransferView[]
  /** Visits or reports that came through at any time. */
  readonly records: number
  readonly notices: readonly NoticeView[]
  readonly granted?: Proof
  /** Set when nobody asked the patient: opened in an emergency (DPDP s.7(f)). */
  readonly emergency?: Proof
  readonly ended?: Proof
  readonly erased?: Proof
}

/** What the patient allowed at one time: a consent request with a consent for each holder. */
export type RequestView = {
  readonly id: string
  readonly receiver: FacilityView
  readonly purpose: string
  readonly requester: string
  readonly hiTypes: readonly HiType[]
  readonly status: SharingStatus
  /** Nobody asked the patient: opened in an emergency. */
  readonly isEmergency: boolean
  readonly grantedAt: string
  readonly until: string
  /** 1 when it began, 0 when it is over. */
  readonly shareLeft: number
  readonly records: number
  readonly consents: readonly ConsentView[]
}

export type ReceiverView = {
  readonly facility: FacilityView
  readonly status: SharingStatus
  readonly until: string
  readonly shareLeft: number
  readonly records: number
  /** Artefacts in force: what one tap on "stop" ends. */
  readonly live: readonly string[]
  /** Live first, then newest first. */
  readonly requests: readonly RequestView[]
}

/** The patient, or a facility that holds records, received some, or both. */
export type ChainNode = {
  /** `me` or the facility's id. */
  readonly id: string
  readonly name: string
  readonly kinds: readonly string[]
  readonly role: 'me' | 'holder' | 'receiver' | 'both'
  /** Linked visits and reports of its own, by type. */
  readonly holds: readonly { readonly hiType: HiType; readonly count: number }[]
  /** Visits and reports that it received from others and has not attested to be erased. */
  readonly received: number
}

/** From whom to whom, with every consent under which records went or may go. */
export type ChainEdge = {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly state: EdgeState
  /** Live first, newest first; none for a link. */
  readonly consents: readonly ConsentView[]
  /** When the first record of the holder was linked. */
  readonly since?: string
}

export type Chain = { readonly nodes: readonly ChainNode[]; readonly edges: readonly ChainEdge[] }

/**
 * By what somebody looked. `consent`: records received under one. `own-care`: a facility's own records of a patient whom it treats.
 * `emergency`: broken glass, without consent.
 */
export type LookBasis = 'consent' | 'own-care' | 'emergency'

/** Why a look stands out. `no-consent`: there was none in force at that moment. `no-visit`: nothing but the reader's word says that the patient was there. `joined`: the reader added herself to those who attend. */
export type Unusual = 'emergency' | 'no-consent' | 'other-purpose' | 'no-visit' | 'joined'

/** One look at records, as the patient reads it. `event` is the event as recorded, which the receipt of `id` proves. */
export type LookView = {
  readonly id: string
  readonly at: string
  readonly event: LookEvent
  readonly basis: LookBasis
  readonly facility: FacilityView
  readonly unusual: readonly Unusual[]
  /** The consent that it names, with how that stood at the moment of the look. */
  readonly consent?: {
    readonly artefact: string
    readonly request: string
    readonly purpose: string
    readonly status: string
  }
  readonly question?: QuestionOfLook
}
export type QuestionOfLook = { readonly id: string; readonly number: string; readonly status: string }

/** Somebody opened the patient's page at a facility. `event` is the event as recorded, which the receipt of `id` proves. */
export type OpeningView = {
  readonly id: string
  readonly at: string
  readonly event: OpeningEvent
  readonly facility: FacilityView
  readonly question?: QuestionOfLook
}
export type OpeningEvent = Pick<LookEvent, 'type' | 'facility' | 'facilityName' | 'at' | 'actor'>

/** Its row was changed behind our back: the log proves that something was there (docs/log.md). */
export type ChangedLook = { readonly id: string; readonly changed: true }

/** What an event of a look says; events of other rooms that are looks say it in the same words. */
export type LookEvent = {
  readonly type: string
  readonly facility: string
  readonly facilityName: string
  readonly at: string
  readonly purpose: string
  readonly subject?: string
  readonly basis?: LookBasis
  /** False: a facility of ours knows nothing but the reader's word of a visit then. */
  readonly attending?: boolean
  readonly joined?: true
  /** Taken out as a file. */
  readonly asFile?: true
  readonly actor: { readonly kind: string; readonly person?: { readonly name: string; readonly role: string } }
  readonly what: readonly { readonly hiType: string; readonly careContextReference: string }[]
}

/** A question of the patient with the facility's answer. */
export type QuestionView = {
  readonly id: string
  readonly number: string
  readonly status: 'asked' | 'delivered' | 'undelivered' | 'answered'
  readonly facility: FacilityView
  /** The look that it is about. */
  readonly event: string
  readonly text: string
  readonly askedAt: string
  readonly dueAt: string
  readonly answer?: { readonly text: string; readonly by: string; readonly at: string }
}

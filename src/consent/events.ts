import type { AuditEvent } from '../audit/record.ts'
import type { ProblemCode } from '../kernel/problems.ts'
import type { ArtefactStatus } from './consent.ts'
import type { Emergency } from './emergency.ts'

/** What this room writes into the log, each in one sentence. */
export const EVENTS = {
  'consent.requested': 'A facility asked a patient for consent.',
  'consent.granted':
    'The patient granted a consent request, whole or narrowed; one artefact for each provider was signed.',
  'consent.patient-told':
    'The patient was sent a text message: a request waits, a standing approval granted one, several wait, or records were opened in an emergency.',
  'consent.patient-not-told':
    'The patient was sent no text message, since nobody’s number is hers, or one about a request or an emergency could not be delivered.',
  'consent.emergency-opened':
    'A person of a facility opened the patient’s records in an emergency, without asking (DPDP s.7(f)).',
  'consent.emergency-refused':
    'A person of a facility told of an emergency, and nothing of other facilities was opened to it; the patient is told all the same.',
  'consent.denied': 'The patient denied a consent request.',
  'consent.request-expired': 'The time to decide a consent request ran out, or who asked was shut out.',
  'consent.revoked': 'The patient revoked a consent, or an operator shut out who had it.',
  'consent.expired': 'A consent reached its end.',
  'consent.artefact-acknowledged': 'A HIP or HIU acknowledged what it was told about a consent.',
  'consent.notice-failed': 'A HIP or HIU could not be told about a consent, or refused to take note.',
  'consent.fetched': 'The HIU fetched a signed consent artefact.',
  'consent.data-kept': 'The HIU told that a law makes it keep its copy, sealed and unread, until a day.',
  'consent.data-erased': 'The HIU attested that its copy of the data is erased.',
  'consent.policy-created': 'The patient made a standing approval for one HIU.',
  'consent.policy-enabled': 'The patient switched a standing approval on.',
  'consent.policy-disabled': 'The patient switched a standing approval off, or an operator shut out whom it names.',
} as const

type About = AuditEvent & { readonly patient: string; readonly subject: string }

export type RequestedEvent = About & {
  readonly type: 'consent.requested'
  readonly hiu: string
  readonly asked: object
  readonly decideBy: string
  /** REQUEST-ID of the HIU's call. */
  readonly requestId: string
  /** Of an emergency: whether the patient is told of it by text message. */
  readonly isPatientTold?: boolean
}
export type GrantedEvent = About & {
  readonly type: 'consent.granted'
  readonly hiu: string
  readonly consents: readonly { readonly id: string; readonly hip: string; readonly detailSha256: string }[]
  /** The standing approval that granted it in the patient's name. */
  readonly policy?: string
  /** The notice that the person had been shown, and the hash of its words (DPDP s.6(10)). */
  readonly notice?: { readonly id: string; readonly sha256: string }
}
/** `subject` is the request; `several` names no asker, and is told at `at`. */
export type PatientToldEvent = About & {
  readonly type: 'consent.patient-told'
  readonly hiu: string
  readonly kind: 'waiting' | 'granted' | 'several'
  readonly at?: string
}
/** `subject` is the REQUEST-ID of the call; `emergencies` are told together, at `at` when that is still to come. */
export type EmergencyToldEvent = Omit<PatientToldEvent, 'kind'> & {
  readonly kind: 'emergency' | 'emergencies'
  /** Of one that is held. */
  readonly answered?: EmergencyAnswered
}
/** What became of an emergency: its request, or the code of the refusal. */
export type EmergencyAnswered = { readonly request: string } | { readonly why: ProblemCode }
/** One emergency by the REQUEST-ID of its call. */
export type AnsweredEmergency = { readonly requestId: string; readonly answered: EmergencyAnswered }
/** `subject`, `hiu` and `kind` are those of {@link PatientToldEvent} or {@link EmergencyToldEvent}. */
export type PatientNotToldEvent = Omit<PatientToldEvent, 'type' | 'kind'> & {
  readonly type: 'consent.patient-not-told'
  readonly kind: (PatientToldEvent | EmergencyToldEvent)['kind']
  readonly because: 'nobody-hears' | 'undelivered'
  /** Of which emergencies she was not told. */
  readonly emergencies?: readonly AnsweredEmergency[]
}
/** The reason, the words and the person are what the patient is told. */
export type EmergencyOpenedEvent = About & {
  readonly type: 'consent.emergency-opened'
  readonly hiu: string
  readonly hiuName: string
  readonly emergency: Emergency
  readonly until: string
}
/** `subject` is the REQUEST-ID of the call; `why` the code of the refusal. */
export type EmergencyRefusedEvent = Omit<EmergencyOpenedEvent, 'type'> & {
  readonly type: 'consent.emergency-refused'
  readonly why: string
}
export type DeniedEvent = About & { readonly type: 'consent.denied'; readonly hiu: string; readonly reason: string }
export type RequestExpiredEvent = About & {
  readonly type: 'consent.request-expired'
  readonly hiu: string
  readonly reason?: 'shut-out'
}
/** `subject` is the artefact. */
export type EndedEvent = About & {
  readonly type: 'consent.revoked' | 'consent.expired'
  readonly request: string
  readonly hip: string
  readonly hiu: string
  /** Not the patient ended it: the receiver was shut out of the network. */
  readonly reason?: 'shut-out'
}
export type AcknowledgedEvent = About & {
  readonly type: 'consent.artefact-acknowledged'
  readonly party: 'hip' | 'hiu'
  readonly facility: string
  readonly status: ArtefactStatus | 'DENIED'
}
export type NoticeFailedEvent = Omit<AcknowledgedEvent, 'type'> & {
  readonly type: 'consent.notice-failed'
  readonly reason: string
}
export type FetchedEvent = About & { readonly type: 'consent.fetched'; readonly hiu: string }
export type DataKeptEvent = About & {
  readonly type: 'consent.data-kept'
  readonly hiu: string
  readonly until: string
  readonly reason: string
  readonly law: string
}
export type DataErasedEvent = About & {
  readonly type: 'consent.data-erased'
  readonly hiu: string
  readonly attestation: object
}
export type PolicyEvent = About & {
  readonly type: 'consent.policy-created' | 'consent.policy-enabled' | 'consent.policy-disabled'
  readonly hiu: string
  readonly terms: object
}

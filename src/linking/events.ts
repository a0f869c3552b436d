import type { AuditEvent } from '../audit/record.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'

export const EVENTS = {
  'linking.token-issued': 'A facility proved that it knows the patient and got a link token.',
  'linking.token-refused': 'A facility asked for a link token with details that do not fit the patient.',
  'linking.contexts-linked': 'Care contexts of the patient at a facility were linked; consents can name them now.',
  'linking.context-updated': 'A facility said that there is new data in a linked care context.',
  'linking.text-sent': 'A facility had the exchange send a text message to a mobile number.',
  'linking.discovery-asked': 'The patient asked a facility whether it has records.',
  'linking.discovery-answered': 'The facility named the records that it found.',
  'linking.link-asked': 'The patient chose found records to link.',
  'linking.link-offered': 'The facility sent the patient a one-time password.',
  'linking.confirm-asked': 'The patient handed over the one-time password.',
  'linking.confirmed': 'The facility accepted the one-time password; the chosen records are linked.',
  'linking.confirm-refused': 'The facility did not accept the one-time password; the patient may try again.',
  'linking.failed': 'A discovery or linking came to nothing.',
  'linking.profile-shared': 'The patient showed the profile to a facility (scan and share).',
  'linking.profile-answered': 'The facility accepted or refused a shared profile.',
  'linking.subscription-requested': 'A facility asked to be told of new links and records of the patient.',
  'linking.subscription-granted': 'The patient allowed a subscription.',
  'linking.subscription-denied': 'The patient refused a subscription.',
  'linking.subscription-changed': 'The patient changed what a subscriber is told.',
  'linking.subscription-revoked': 'The patient switched a subscription off.',
  'linking.subscription-resumed': 'The patient switched a subscription on again.',
  'linking.subscription-heard': 'The subscriber acknowledged the decision about its subscription.',
  'linking.event-published': 'A subscriber is told of a new link or new data.',
  'linking.event-heard': 'The subscriber acknowledged an event.',
  'linking.event-lost': 'The subscriber could not be told of an event.',
} as const

type Of<Type extends keyof typeof EVENTS, Fields> = AuditEvent & {
  readonly type: Type
  readonly patient: AbhaAddress
} & Readonly<Fields>

export type ContextKey = {
  readonly patientReference: string
  readonly careContextReference: string
  readonly hiType: HiType
}

export type TokenEvent = Of<'linking.token-issued' | 'linking.token-refused', { hip: FacilityId }>
export type ContextsLinked = Of<
  'linking.contexts-linked',
  { hip: FacilityId; contexts: readonly ContextKey[]; via: 'facility' | 'patient' }
>
export type ContextUpdated = Of<
  'linking.context-updated',
  { hip: FacilityId; patientReference: string; careContextReference: string; hiTypes: readonly HiType[]; date: string }
>
/** `subject` is the linking transaction; the rest is read from it. */
export type TransactionEvent = Of<
  | 'linking.discovery-asked'
  | 'linking.discovery-answered'
  | 'linking.link-asked'
  | 'linking.link-offered'
  | 'linking.confirm-asked'
  | 'linking.confirmed'
  | 'linking.confirm-refused'
  | 'linking.failed',
  { subject: string; hip: FacilityId; step?: 'discover' | 'init' | 'confirm'; code?: string; message?: string }
>
/** `subject` is the share. */
export type ShareEvent = Of<
  'linking.profile-shared' | 'linking.profile-answered',
  { subject: string; hip: FacilityId; status?: string }
>
/** `subject` is the subscription (request). */
export type SubscriptionChange = Of<
  | 'linking.subscription-requested'
  | 'linking.subscription-granted'
  | 'linking.subscription-denied'
  | 'linking.subscription-changed'
  | 'linking.subscription-revoked'
  | 'linking.subscription-resumed'
  | 'linking.subscription-heard',
  { subject: string; hiu: FacilityId }
>
/** `subject` is the event. */
export type SubscriberTold = Of<
  'linking.event-published',
  {
    subject: string
    subscription: string
    hiu: FacilityId
    hip: FacilityId
    category: 'LINK' | 'DATA'
    contexts: readonly ContextKey[]
  }
>
export type SubscriberHeard = Of<
  'linking.event-heard' | 'linking.event-lost',
  { subject: string; subscription: string; hiu: FacilityId }
>
/** About a number, not about a patient: whose it is, the exchange may not know. The number itself stays out of the log. */
export type TextSent = AuditEvent & { readonly type: 'linking.text-sent'; readonly hip: FacilityId }

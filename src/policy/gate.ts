import type { HiType } from '../fhir/hi-type.ts'
import type { Actor } from '../kernel/caller.ts'
import type { Frequency } from './frequency.ts'
import type { Period } from './period.ts'

/** What the gate is asked before every use of health data, at every party (ARCHITECTURE.md, the gate). */
export type Question = {
  readonly patient: string
  /** The facility that gets, or that shows, the data: the HIU. */
  readonly recipient: string
  /** The facility the data comes from: the HIP. */
  readonly holder: string
  /** One of the six purpose codes. */
  readonly purpose: string
  readonly types: readonly HiType[]
  /** Dates of the records. */
  readonly period: Period
  /** Who wants it; kept for the record of the decision. */
  readonly actor: Actor
  /** By which door: kept for the record of the decision. */
  readonly channel: 'abdm' | 'native' | 'desk'
  /** `request`: the exchange routes a data request. `share`: a HIP sends. `view`: a HIU shows what it holds. */
  readonly mode: 'request' | 'share' | 'view'
  readonly now: Date
}

/** How a party stands in the eyes of whoever asks the gate. Not knowing it is `unknown`, and denies. */
export type Standing = 'active' | 'suspended' | 'unknown'

/** A consent as a fact. `readable: false` = a row that should be one but could not be read: the gate denies (fail closed). */
export type ConsentFact =
  | { readonly id: string; readonly readable: false }
  | {
      readonly id: string
      readonly readable: true
      readonly status: 'GRANTED' | 'REVOKED' | 'EXPIRED'
      readonly patient: string
      readonly recipient: string
      readonly holder: string
      readonly purpose: string
      readonly types: readonly HiType[]
      readonly period: Period
      /** `dataEraseAt`: no use from this moment on. */
      readonly eraseAt: Date
      /** Absent = all of the patient's at that holder. */
      readonly careContexts?: readonly { readonly patientReference: string; readonly careContextReference: string }[]
      readonly frequency: Frequency
      /** When data was requested under it before; counted in the modes `request` and `share`. */
      readonly usedAt: readonly Date[]
      /** Whether the holder acknowledged it; demanded in the mode `request`. */
      readonly acknowledged: boolean
      /** No consent but what lets a facility's own people read its own records: that they treat, examine, dispense or bill. */
      readonly isOwnWork?: true
    }

/** A standing "no" of the patient. An absent field means any. It wins over every consent. */
export type RefusalFact = {
  readonly id: string
  readonly patient: string
  readonly recipient?: string
  readonly holder?: string
  readonly purpose?: string
  readonly types?: readonly HiType[]
  readonly period?: Period
}

export type Facts = {
  readonly recipient: Standing
  readonly holder: Standing
  readonly consents: readonly ConsentFact[]
  readonly refusals: readonly RefusalFact[]
}

/** The rules that an answer may name; `docs/` explains each. */
export const RULES = {
  'recipient-not-active': 'The receiving facility is unknown or suspended.',
  'holder-not-active': 'The providing facility is unknown or suspended.',
  'question-malformed': 'The question names no HI type, or a period that ends before it begins.',
  'fact-unreadable': 'A consent could not be read, so nothing is shared until it can.',
  'no-consent': 'No consent of this patient names this recipient, provider and purpose.',
  'consent-in-force': 'A consent in force permits it.',
  'own-record': 'It is our own record, and reading it belongs to the work of this person with this patient.',
  'consent-revoked': 'The patient has revoked this consent.',
  'consent-expired': 'The consent has ended.',
  'consent-not-acknowledged': 'The provider has not acknowledged this consent.',
  'frequency-used-up': 'The consent permits no further request now.',
  'type-not-granted': 'The consent does not name this HI type.',
  'outside-period': 'The consent does not cover these dates.',
  refused: 'The patient has refused this.',
} as const
export type Rule = keyof typeof RULES

/** One piece of what is permitted. */
export type Grant = {
  readonly consent: string
  readonly type: HiType
  readonly period: Period
  readonly eraseBy: Date
  readonly careContexts?: readonly { readonly patientReference: string; readonly careContextReference: string }[]
}

export type Withheld = { readonly type: HiType; readonly why: Rule; readonly period: Period }

export type Decision = {
  /** `narrow`: a part of what was asked; the rest is in `withheld`. */
  readonly outcome: 'allow' | 'narrow' | 'deny'
  readonly granted: readonly Grant[]
  readonly withheld: readonly Withheld[]
  /** The consents that the grants rest on, sorted. */
  readonly consents: readonly string[]
  readonly obligations: {
    /** The earliest end of the consents it rests on; absent on deny. */
    readonly eraseBy?: Date
    readonly noOnward: true
    /** A missing or unreadable fact decided: somebody has to look. */
    readonly alarm: boolean
  }
  readonly policyVersion: string
  /** Every rule that took part, in the order of the steps. Never empty. */
  readonly explain: readonly { readonly rule: Rule; readonly says: string; readonly consent?: string }[]
  /** With `frequency-used-up`: when the next request is permitted. */
  readonly nextAt?: Date
}

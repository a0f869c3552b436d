import type { AuditEvent } from '../audit/record.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import type { Period } from '../policy/period.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import type { Language } from './languages.ts'

/** What every notice says, in this order (DPDP s.5(1), s.6(3), s.6(4); Rule 3). */
export const SLOTS = ['who', 'data', 'purpose', 'keep', 'choice', 'withdraw', 'grievance', 'board', 'contact'] as const
export type Slot = (typeof SLOTS)[number]

export type Paragraph = {
  readonly slot: Slot
  readonly heading: string
  readonly text: readonly string[]
  /** Itemised data (Rule 3(b)(i)). */
  readonly items?: readonly string[]
  /** The exact link of Rule 3(c). */
  readonly link?: { readonly text: string; readonly url: string }
}

/** A notice as one person reads it. */
export type Notice = {
  /** Version of the words. */
  readonly version: string
  /** The language that the reader chose, and the one that the words are in. */
  readonly language: Language
  readonly wordsLanguage: Language
  /** That there are no words in the chosen language yet; only then. */
  readonly instead?: string
  readonly title: string
  readonly paragraphs: readonly Paragraph[]
}

/** The words of one language, by flat keys: data, one file each (`words/en.json`). */
export type NoticeWords = Readonly<Record<string, string>>

/** Who answers for the processing (DPDP s.6(3), Rule 9). */
export type Contact = { readonly name: string; readonly email: string; readonly phone?: string }

/** The three links of Rule 3(c). */
export type NoticeLinks = { readonly withdraw: string; readonly rights: string; readonly board: string }

/** What a notice is about. */
export type NoticeFacts = {
  readonly hiu: { readonly id: string; readonly name: string }
  readonly requester: { readonly name: string; readonly registration?: string }
  readonly purpose: PurposeCode
  readonly hiTypes: readonly HiType[]
  /** Only of this provider; absent = of any that is linked. */
  readonly hip?: string
  /** How many care contexts are named; absent = any. */
  readonly careContexts?: number
  readonly range: Period
  readonly eraseAt: Date
  readonly exchange: string
  readonly contact: Contact
  readonly links: NoticeLinks
}

/** What was shown, as the evidence names it. */
export type ShownNotice = {
  readonly id: Id<'shown-notice'>
  readonly sha256: string
  readonly shownAt: Date
  readonly notice: Notice
}

export const EVENTS = {
  'notice.shown':
    'A person was shown the notice of a consent request before deciding; the hash is of the words as shown.',
} as const

export type NoticeShown = AuditEvent & {
  readonly type: 'notice.shown'
  readonly patient: AbhaAddress
  /** The consent request. */
  readonly subject: Id<'consent-request'>
  readonly notice: Id<'shown-notice'>
  readonly reader: AbhaAddress
  readonly version: string
  readonly language: string
  readonly wordsLanguage: string
  readonly channel: string
  readonly sha256: string
}

import type { PartyKind } from './network-view.ts'
import type { PartyState } from './watch.ts'

export const LANGUAGES = ['en', 'hi', 'ur'] as const
export type Language = (typeof LANGUAGES)[number]

/** Each language by its own name, how it runs, and the locale of its times. */
export const LANGUAGE_FORMS: Readonly<
  Record<Language, { readonly name: string; readonly dir: 'ltr' | 'rtl'; readonly locale: string }>
> = {
  en: { name: 'English', dir: 'ltr', locale: 'en' },
  hi: { name: 'हिन्दी', dir: 'ltr', locale: 'hi-u-nu-latn' },
  ur: { name: 'اردو', dir: 'rtl', locale: 'ur-u-nu-latn' },
}

/** A thing to try: what it is, the words to type, what happens. */
type Step = { readonly title: string; readonly text: string }
export const STEPS = ['story', 'messages', 'patients', 'token', 'bridge', 'verify'] as const
export const DOCS = ['start', 'integrate', 'log', 'architecture'] as const

export type Words = {
  readonly title: string
  /** A part of a sum: `14 allowed`. */
  readonly counted: (count: string, word: string) => string
  readonly product: string
  readonly skip: string
  readonly languages: string
  readonly allUp: string
  /** Numbers come formatted. */
  readonly notReady: (few: string, all: string) => string
  readonly lead: string
  readonly openApp: string
  readonly openConsole: string
  readonly openDesk: string
  readonly parties: string
  readonly partiesText: string
  readonly unlisted: (more: string) => string
  readonly id: string
  readonly address: string
  readonly kinds: Readonly<Record<PartyKind, string>>
  readonly states: Readonly<Record<PartyState, string>>
  readonly silentText: string
  readonly happened: string
  readonly patients: Step
  readonly careContexts: Step
  readonly requests: Step & {
    readonly none: string
    readonly statuses: Readonly<Record<'REQUESTED' | 'GRANTED' | 'DENIED' | 'REVOKED' | 'EXPIRED', string>>
  }
  readonly data: Step & {
    readonly none: string
    readonly delivered: string
    readonly underWay: string
    readonly failed: string
  }
  readonly log: Step & {
    readonly entries: string
    readonly empty: string
    readonly signed: (ago: string) => string
    readonly justNow: string
    readonly cosigned: (by: string, all: string) => string
    readonly notCosigned: string
    readonly open: string
  }
  readonly tryNext: string
  readonly tryText: string
  readonly steps: Readonly<Record<(typeof STEPS)[number], Step>>
  readonly copy: string
  readonly copied: string
  readonly docs: string
  readonly docsText: string
  readonly docNames: Readonly<Record<(typeof DOCS)[number], string>>
  readonly lost: string
  readonly withoutScript: string
  readonly invented: string
}

import type { HiType } from '../../../src/fhir/hi-type.ts'
import type { RequestRow } from '../../../src/native/me-request-view.ts'
import type { PurposeCode } from '../../../src/policy/purpose.ts'
import type { Words } from '../../ui/words.tsx'
import type { PatientKey } from '../words.ts'

type Speaker = Pick<Words<PatientKey>, 't' | 'language'>

/** Kinds of records as part of a sentence: "prescriptions and test reports". */
export function sayTypes({ t, language }: Speaker, types: readonly HiType[]): string {
  const list = new Intl.ListFormat(`${language}-IN`, { type: 'conjunction' })
  return list.format(types.map((type) => t(`hi-type.${type}`).toLocaleLowerCase(language)))
}

/** Who wants what: the one sentence of a request. */
export function sayAsk(words: Speaker, { asker, hiTypes }: Pick<RequestRow, 'asker' | 'hiTypes'>): string {
  return words.t('inbox.asks', { asker: asker.name, types: sayTypes(words, hiTypes) })
}

/** Why, as they say it. */
export function sayWhy({ t }: Speaker, purpose: string): string {
  return t(`request.why.${purpose as PurposeCode}`)
}

/** What refusals of the server mean here. */
export function saysOf(t: Speaker['t']): Readonly<Record<string, string>> {
  return {
    'notices/not-shown': t('trouble.not-shown'),
    'consent/unknown-context': t('trouble.changed'),
    'consent/unknown-hip': t('trouble.changed'),
    'consent/unknown-hiu': t('trouble.asker-left'),
    'auth/step-up-needed': t('trouble.proof'),
  }
}

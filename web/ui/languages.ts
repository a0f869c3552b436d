import { LANGUAGES } from '../../src/notices/languages.ts'

export type Language = keyof typeof LANGUAGES

/** Languages whose patient-facing words are whole; the others have the consent and notice screens, the rest is English. */
export const WHOLE_LANGUAGES: readonly Language[] = [
  'en',
  'hi',
  'bn',
  'mr',
  'te',
  'ta',
  'gu',
  'ur',
  'kn',
  'or',
  'ml',
  'pa',
]

/** All languages of the law, those that are whole first. */
export const ALL_LANGUAGES: readonly Language[] = [
  ...WHOLE_LANGUAGES,
  ...(Object.keys(LANGUAGES) as Language[]).filter((code) => !WHOLE_LANGUAGES.includes(code)),
]

export function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text)
}

export function directionOf(language: Language): 'ltr' | 'rtl' {
  return 'rightToLeft' in LANGUAGES[language] ? 'rtl' : 'ltr'
}

/** The language that was chosen on this device, else the first known one of the browser, else English. */
export function pickLanguage(chosen: string | null, wanted: readonly string[]): Language {
  const tags = [...(chosen === null ? [] : [chosen]), ...wanted]
  return tags.map((tag) => tag.toLowerCase().split('-')[0] ?? '').find(isLanguage) ?? 'en'
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CIVIL_ZONE } from '../kernel/civil-day.ts'
import { LIMITS } from '../kernel/limits.ts'

/** The languages in which text messages are written; who reads another gets English. */
export const TEXT_LANGUAGES = ['en', 'hi', 'bn', 'mr', 'te', 'ta', 'gu', 'ur', 'kn', 'or', 'ml', 'pa'] as const
export type TextLanguage = (typeof TEXT_LANGUAGES)[number]

/** Every text message to a patient, with the places in it. */
type Places = {
  'code.sign-in': 'code' | 'service' | 'minutes'
  'code.confirm': 'code' | 'service' | 'minutes'
  'sign-in.child': 'service'
  'sign-in.child-alone': 'service'
  'sign-in.of-age': 'service'
  'guardian.named': 'service' | 'guardian' | 'patient'
  'guardian.ended': 'service' | 'guardian' | 'patient'
  'mobile.changed': 'service'
  'passkey.added': 'service'
  'account.closed': 'service' | 'day'
  'account.deactivated': 'service'
  'account.reactivated': 'service'
  'link.invite': 'facility' | 'url' | 'service'
  'request.waiting': 'service' | 'asker' | 'patient'
  'request.several': 'service' | 'count' | 'patient'
  'request.granted': 'service' | 'asker' | 'patient'
  'emergency.opened': 'service' | 'person' | 'facility' | 'patient' | 'reason' | 'time'
  'emergency.several': 'service' | 'facility' | 'patient' | 'count'
  'emergency.somebody': never
  'emergency.opened-here': 'facility' | 'person' | 'patient' | 'reason' | 'time'
  'emergency.reason.unconscious': never
  'emergency.reason.threat-to-life': never
  'emergency.reason.threat-to-health': never
  'emergency.reason.threat-to-another': never
}
export type TextKey = keyof Places
export type TextWords = Readonly<Record<TextKey, string>>

const FOLDER = join(import.meta.dirname, 'texts')
const read = new Map<TextLanguage, TextWords>()

/** The language of a text message to a reader of `language` (BCP 47, such as `hi` or `hi-IN`). */
export function textLanguageOf(language: string): TextLanguage {
  const [code] = language.trim().toLowerCase().split('-')
  return TEXT_LANGUAGES.find((known) => known === code) ?? 'en'
}

/** The words of a language, as its file has them. */
export function textWords(language: TextLanguage): TextWords {
  const known = read.get(language)
  if (known !== undefined) return known
  const words = JSON.parse(readFileSync(join(FOLDER, `${language}.json`), 'utf8')) as TextWords
  read.set(language, words)
  return words
}

/** A text message: the words under `key`, values in their places. Values are put in once: braces inside them stay as they are. */
export function composeText<Key extends TextKey>(
  words: TextWords,
  key: Key,
  values: Readonly<Record<Places[Key], string>>,
): string {
  const given: Readonly<Record<string, string>> = values
  return words[key].replaceAll(/\{(\w+)\}/g, (place, name: string) => given[name] ?? place)
}

/** A text message in the language of its reader. */
export function textFor<Key extends TextKey>(
  language: string,
  key: Key,
  values: Readonly<Record<Places[Key], string>>,
): string {
  return composeText(textWords(textLanguageOf(language)), key, values)
}

/** A time of day as the reader writes it, in Indian time: `4:15 pm`. */
export function timeInText(language: string, at: Date): string {
  const locale = `${textLanguageOf(language)}-IN`
  return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit', timeZone: CIVIL_ZONE }).format(at)
}

/** A day as the reader writes it, in Indian time: `22 November 2026`. */
export function dayInText(language: string, at: Date): string {
  const locale = `${textLanguageOf(language)}-IN`
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: CIVIL_ZONE }).format(at)
}

/** What the phone shows to somebody who signs in: the code comes first, since that is what the notification shows of it. */
export function signInText(language: string, code: string, service: string): string {
  return textFor(language, 'code.sign-in', { code, service, minutes: String(LIMITS.signInCodeMs / 60_000) })
}

/** What the phone shows when a grave step asks for a proof anew. */
export function stepUpText(language: string, code: string, service: string): string {
  return textFor(language, 'code.confirm', { code, service, minutes: String(LIMITS.stepUpMs / 60_000) })
}

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ALL_LANGUAGES, type Language, WHOLE_LANGUAGES } from '../web/ui/languages.ts'

/** The words of the web apps: whole where they must be, with the same places for values, and marked until a native speaker read them. */

type Words = Readonly<Record<string, string>>
const ROOT = path.join(import.meta.dirname, '..')
const MARK = '$check'
const MACHINE_MADE = 'machine-made, to be checked by a native speaker'
const OTHERS = ALL_LANGUAGES.filter((language) => !WHOLE_LANGUAGES.includes(language))
/** What a person needs to decide about a consent in her own language. */
const CONSENT_AREAS = ['ui/common', 'patient/common', 'patient/signin', 'patient/inbox']

function read(app: string, language: string, area: string): Words | undefined {
  const file = path.join(ROOT, 'web', app, 'words', language, `${area}.json`)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Words) : undefined
}

const areasOf = (app: string): readonly string[] =>
  globSync(`web/${app}/words/en/*.json`, { cwd: ROOT }).map((file) => `${app}/${path.basename(file, '.json')}`)

const placesOf = (text: string): string =>
  [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))]
    .toSorted((a = '', b = '') => a.localeCompare(b))
    .join(' ')

/** Plural forms that a language may have beyond English (Unicode CLDR); each needs its `_other` in English. */
const isPluralOf = (key: string, english: Words): boolean =>
  /_(zero|one|two|few|many)$/.test(key) && `${key.replace(/_[a-z]+$/, '')}_other` in english

function faultsOf(language: Language, place: string): readonly string[] {
  const [app = '', area = ''] = place.split('/')
  const english = read(app, 'en', area) ?? {}
  const words = read(app, language, area)
  const at = `web/${app}/words/${language}/${area}.json`
  if (Object.keys(english).length === 0) return []
  if (words === undefined) return [`${at} is missing`]
  const missing = Object.keys(english).filter((key) => !(key in words) && !isPluralOf(key, english))
  const unknown = Object.keys(words).filter((key) => key !== MARK && !(key in english) && !isPluralOf(key, english))
  const wrong = Object.entries(words).filter(([key, text]) => {
    const source = english[key] ?? english[`${key.replace(/_[a-z]+$/, '')}_other`] ?? ''
    // A form for exactly one may leave its number out.
    const isSame = placesOf(text) === placesOf(source) || (key.endsWith('_one') && !text.includes('{n}'))
    return key !== MARK && (text.trim() === '' || !isSame)
  })
  return [
    ...missing.map((key) => `${at}: ${key} is missing`),
    ...unknown.map((key) => `${at}: ${key} is not in English`),
    ...wrong.map(([key]) => `${at}: ${key} is empty, or its places differ from the English ones`),
    ...(Object.keys(words)[0] === MARK ? [] : [`${at}: does not begin with ${MARK}: who checked it?`]),
  ]
}

test('all patient-facing text is there in twelve languages', () => {
  const areas = [...areasOf('ui'), ...areasOf('patient')]
  const languages = WHOLE_LANGUAGES.filter((language) => language !== 'en')
  assert.deepEqual(
    languages.flatMap((language) => areas.flatMap((area) => faultsOf(language, area))),
    [],
  )
})

test('the consent screens are there in every language of the Eighth Schedule', () => {
  assert.deepEqual(
    OTHERS.flatMap((language) => CONSENT_AREAS.flatMap((area) => faultsOf(language, area))),
    [],
  )
})

test('the desk, the console and the page for receipts are there in English, Hindi and Urdu', () => {
  const areas = [...areasOf('desk'), ...areasOf('console'), ...areasOf('verify')]
  assert.deepEqual(
    (['hi', 'ur'] as const).flatMap((language) => areas.flatMap((area) => faultsOf(language, area))),
    [],
  )
})

test('whose words nobody has read yet is said in the file itself', () => {
  const files = globSync('web/*/words/*/*.json', { cwd: ROOT }).filter((file) => !file.includes('/en/'))
  const odd = files.filter((file) => {
    const mark = (JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as Words)[MARK]
    return mark !== MACHINE_MADE && !/^checked by .+, \d{4}-\d{2}-\d{2}$/.test(mark ?? '')
  })
  assert.deepEqual(odd, [])
})

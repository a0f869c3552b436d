import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import {
  composeText,
  signInText,
  stepUpText,
  TEXT_LANGUAGES,
  textFor,
  textLanguageOf,
  textWords,
  timeInText,
} from './texts.ts'

const FOLDER = path.join(import.meta.dirname, 'texts')
const MARK = '$check'
const MACHINE_MADE = 'machine-made, to be checked by a native speaker'
const OTHERS = TEXT_LANGUAGES.filter((language) => language !== 'en')
/** Texts of a person at a keyboard of an old phone: four messages of 67 characters in one. */
const CHARACTERS_MAX = 268

const read = (language: string): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(path.join(FOLDER, `${language}.json`), 'utf8')) as Record<string, string>
const placesOf = (text: string): readonly string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '').toSorted()

test('text messages are there in every whole language, with the same places, and say who checked them', () => {
  assert.deepEqual(
    globSync('*.json', { cwd: FOLDER })
      .map((file) => path.basename(file, '.json'))
      .toSorted(),
    [...TEXT_LANGUAGES].toSorted(),
  )
  const english = read('en')
  for (const language of OTHERS) {
    const words = read(language)
    const { [MARK]: mark, ...texts } = words
    assert.equal(Object.keys(words)[0], MARK, language)
    assert.ok(mark === MACHINE_MADE || /^checked by .+, \d{4}-\d{2}-\d{2}$/.test(mark ?? ''), `${language}: ${mark}`)
    assert.deepEqual(Object.keys(texts), Object.keys(english), language)
    for (const [key, text] of Object.entries(texts)) {
      assert.deepEqual(placesOf(text), placesOf(english[key] ?? ''), `${language} ${key}`)
      assert.notEqual(text, english[key], `${language} ${key} is English`)
    }
  }
})

test('a code comes first, once, and as the only six digits; the message is short', () => {
  for (const language of TEXT_LANGUAGES)
    for (const text of [signInText(language, '048291', 'Amanat'), stepUpText(language, '048291', 'Amanat')]) {
      assert.match(text, /^048291\b/, language)
      assert.deepEqual(text.match(/\d{6}/g), ['048291'], language)
      assert.ok(!text.includes('{'), text)
      assert.ok(text.length <= CHARACTERS_MAX, `${language}: ${text.length} characters`)
    }
})

test('a reader gets her language whatever its region, and English where we have none', () => {
  assert.deepEqual(['hi', 'HI-in', 'ur-IN', 'sat', 'fr', '', '../hi'].map(textLanguageOf), [
    'hi',
    'hi',
    'ur',
    'en',
    'en',
    'en',
    'en',
  ])
  assert.equal(
    textFor('hi-IN', 'passkey.added', { service: 'S' }),
    textWords('hi')['passkey.added'].replace('{service}', 'S'),
  )
})

test('what people call themselves is not read as a place', () => {
  const text = composeText(textWords('en'), 'passkey.added', { service: '{code} $& {service}' })
  assert.match(text, /at \{code\} \$& \{service\}\./)
})

test('times are those of India', () => {
  const at = new Date('2026-11-22T20:05:00.000Z')
  assert.equal(timeInText('en', at), '1:35 am')
  for (const language of TEXT_LANGUAGES) assert.ok(timeInText(language, at).length > 0)
})

import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { PURPOSES, type PurposeCode } from '../policy/purpose.ts'
import { LANGUAGES, type Language, parseLanguage } from './languages.ts'
import { type NoticeFacts, type NoticeWords, SLOTS } from './notices.ts'
import { composeNotice, faultsOfWords, WORDS_NEEDED } from './rules.ts'
import { ownWords, wordsFor } from './words.ts'

const ALL = Object.keys(LANGUAGES) as readonly Language[]
const FACTS: NoticeFacts = {
  hiu: { id: 'IN2710000021', name: 'Lakeview Clinic' },
  requester: { name: 'Dr. Meera Iyer', registration: 'KA-1234' },
  purpose: 'CAREMGT',
  hiTypes: ['Prescription', 'DiagnosticReport'],
  range: { from: new Date('2025-01-01T00:00:00+05:30'), to: new Date('2026-11-22T06:30:00Z') },
  eraseAt: new Date('2026-12-31T20:00:00Z'),
  exchange: 'Amanat Exchange',
  contact: { name: 'Ms Kulkarni', email: 'dpo@exchange.example', phone: '+91 20 0000 0000' },
  links: {
    withdraw: 'https://exchange.example/me/sharing',
    rights: 'https://exchange.example/me/choices/rights',
    board: 'https://exchange.example/me/choices/complain',
  },
}
const english = (): NoticeWords => wordsFor('en').words

test('English and all 22 languages of the Eighth Schedule can be chosen', () => {
  assert.equal(ALL.length, 23)
  for (const language of ALL) {
    assert.equal(parseLanguage(`${language.toUpperCase()}-IN`), language)
    assert.ok(composeNotice(wordsFor(language), language, FACTS).paragraphs.length > 0, language)
  }
  for (const stranger of ['', 'fr', 'constructor', 'e', 'hindi']) assert.equal(parseLanguage(stranger), undefined)
})

test('the words of every language that has some are complete, and take no right away', () => {
  const files = globSync('src/notices/words/*.json').map((file) => basename(file, '.json'))
  assert.ok(files.includes('en'))
  for (const file of files) {
    const language = parseLanguage(file)
    assert.ok(language === file, `${file}.json is not named by a language`)
    const words = ownWords(language)
    assert.ok(words !== undefined)
    assert.deepEqual(faultsOfWords(words), [], file)
    if (language !== 'en') assert.equal(words['$check'], 'machine-made, to be checked by a native speaker', file)
    assert.equal(words['version'], english()['version'], `${file} says something older than the English`)
  }
})

test('the lint sees a missing slot, a lost placeholder, a strange one, markup, and a waiver', () => {
  const changed = (key: string, text: string): readonly string[] => faultsOfWords({ ...english(), [key]: text })
  for (const key of Object.keys(WORDS_NEEDED)) {
    const { [key]: _left, ...others } = english()
    assert.deepEqual(faultsOfWords(others), [`${key}: is missing`])
    assert.deepEqual(changed(key, ' '), [`${key}: is missing`])
  }
  assert.deepEqual(changed('keep.text', 'They may look for some time.'), ['keep.text: does not say {until}'])
  assert.deepEqual(changed('keep.text', 'Until {until} or {whenever}.'), ['keep.text: {whenever} is not filled in'])
  assert.deepEqual(changed('title', '<b>Read</b>'), ['title: holds markup'])
  assert.deepEqual(changed('extra', 'More.'), ['extra: no notice uses it'])
  for (const waiver of [
    'You waive all claims.',
    'By this you give up your right to complain.',
    'You cannot complain about this.',
    'This is irrevocable.',
    'You may not withdraw.',
    'You must allow this.',
    'There is no treatment unless you allow this.',
    'You agree not to sue.',
    'We are not responsible for loss.',
    'आप शिकायत नहीं कर सकते।',
    'आप अपने अधिकार छोड़ते हैं।',
    'آپ شکایت نہیں کر سکتے۔',
  ]) {
    const found = changed('choice.text', waiver)
    assert.equal(found.length, 1, waiver)
    assert.match(found[0] ?? '', /takes a right away/)
  }
})

test('a notice says everything that the law asks for, item by item, with the three links and the contact', () => {
  const notice = composeNotice(wordsFor('en'), 'en', FACTS)
  assert.deepEqual(
    notice.paragraphs.map(({ slot }) => slot),
    SLOTS,
  )
  const of = (slot: string) => notice.paragraphs.find((paragraph) => paragraph.slot === slot)
  assert.equal(of('data')?.items?.length, 2)
  assert.match(of('data')?.text.join(' ') ?? '', /from 1 January 2025 to 22 November 2026/)
  // 20:00 UTC is the next day in India.
  assert.match(of('keep')?.text.join(' ') ?? '', /until 1 January 2027/)
  assert.deepEqual(
    notice.paragraphs.flatMap(({ link }) => (link ? [link.url] : [])),
    [FACTS.links.withdraw, FACTS.links.rights, FACTS.links.board],
  )
  assert.match(of('contact')?.text.join(' ') ?? '', /Ms Kulkarni, dpo@exchange\.example, \+91 20 0000 0000/)
  assert.equal(notice.instead, undefined)
  assert.doesNotMatch(JSON.stringify(notice), /[{}]\w+[{}]/)
})

test('every purpose and every kind of record has its sentence, and nothing is left open', () => {
  for (const purpose of Object.keys(PURPOSES) as readonly PurposeCode[]) {
    for (const language of ALL) {
      const facts: NoticeFacts = { ...FACTS, purpose, hiTypes: HI_TYPES, hip: 'City Hospital', careContexts: 3 }
      const notice = composeNotice(wordsFor(language), language, facts)
      for (const { text, items = [], heading } of notice.paragraphs)
        for (const sentence of [heading, ...text, ...items]) {
          assert.ok(sentence.trim().length > 0)
          assert.doesNotMatch(sentence, /[{}]|undefined/)
        }
      assert.equal(notice.paragraphs.find(({ slot }) => slot === 'data')?.items?.length, HI_TYPES.length)
    }
  }
})

test('a language without words of its own shows the English ones, and says so', () => {
  const notice = composeNotice({ language: 'en', words: english() }, 'sat', FACTS)
  assert.equal(notice.language, 'sat')
  assert.equal(notice.wordsLanguage, 'en')
  assert.match(notice.instead ?? '', /ᱥᱟᱱᱛᱟᱲᱤ/)
})

test('names stay names: what a requester calls itself is not taken for a placeholder', () => {
  const notice = composeNotice(wordsFor('en'), 'en', {
    ...FACTS,
    requester: { name: '{contact} $& $1' },
    hiu: { id: 'IN1', name: '{until}' },
  })
  assert.match(notice.paragraphs[0]?.text[0] ?? '', /^\{until\} asks .* is \{contact\} \$& \$1\.$/)
})

test('names are set apart in sentences that run from right to left', () => {
  const [who] = composeNotice(wordsFor('ur'), 'ur', FACTS).paragraphs
  assert.ok(who?.text[0]?.startsWith('\u2068Lakeview Clinic\u2069 '))
})

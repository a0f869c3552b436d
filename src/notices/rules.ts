import { HI_TYPES } from '../fhir/hi-type.ts'
import { CIVIL_ZONE } from '../kernel/civil-day.ts'
import { PURPOSES } from '../policy/purpose.ts'
import { LANGUAGES, type Language } from './languages.ts'
import { type Contact, type Notice, type NoticeFacts, type NoticeWords, type Paragraph, SLOTS } from './notices.ts'

/** Every key that the words of a language must have, with the placeholders that must stand in it. */
export const WORDS_NEEDED: Readonly<Record<string, readonly string[]>> = {
  version: [],
  title: [],
  instead: ['language'],
  ...Object.fromEntries(SLOTS.map((slot) => [`${slot}.heading`, []])),
  'who.text': ['hiu', 'requester'],
  'who.registration': ['requester', 'registration'],
  'who.facility': ['hiu', 'id'],
  'data.intro': [],
  ...Object.fromEntries(HI_TYPES.map((type) => [`data.${type}`, []])),
  'data.anywhere': [],
  'data.provider': ['hip'],
  'data.contexts_one': [],
  'data.contexts_other': ['n'],
  'data.range': ['from', 'to'],
  ...Object.fromEntries(
    Object.keys(PURPOSES).flatMap((code) => [
      [`purpose.${code}`, []],
      [`use.${code}`, []],
    ]),
  ),
  'use.only': [],
  'keep.text': ['until'],
  'choice.text': [],
  'withdraw.text': ['hiu', 'contact'],
  'withdraw.effect': [],
  'withdraw.link': [],
  'grievance.text': ['contact'],
  'grievance.link': [],
  'board.text': [],
  'board.link': [],
  'contact.text': ['exchange', 'contact'],
}

/** The words of one language. */
type OwnWords = { readonly language: Language; readonly words: NoticeWords }

/** The notice of one request in the words of one language. Every paragraph of {@link SLOTS}, in their order. */
export function composeNotice(words: OwnWords, language: Language, facts: NoticeFacts): Notice {
  const say: Say = (key, values = {}) => fill(words, key, values)
  const contact = showContact(facts.contact)
  return {
    version: say('version'),
    language,
    wordsLanguage: words.language,
    ...(language === words.language ? {} : { instead: say('instead', { language: LANGUAGES[language].name }) }),
    title: say('title'),
    paragraphs: [
      { slot: 'who', heading: say('who.heading'), text: whoAsks(say, facts) },
      dataAsked(say, words.language, facts),
      {
        slot: 'purpose',
        heading: say('purpose.heading'),
        text: [say(`purpose.${facts.purpose}`), say(`use.${facts.purpose}`), say('use.only')],
      },
      {
        slot: 'keep',
        heading: say('keep.heading'),
        text: [say('keep.text', { until: showDay(facts.eraseAt, words.language) })],
      },
      { slot: 'choice', heading: say('choice.heading'), text: [say('choice.text')] },
      {
        slot: 'withdraw',
        heading: say('withdraw.heading'),
        text: [say('withdraw.text', { hiu: facts.hiu.name, contact }), say('withdraw.effect')],
        link: { text: say('withdraw.link'), url: facts.links.withdraw },
      },
      {
        slot: 'grievance',
        heading: say('grievance.heading'),
        text: [say('grievance.text', { contact })],
        link: { text: say('grievance.link'), url: facts.links.rights },
      },
      {
        slot: 'board',
        heading: say('board.heading'),
        text: [say('board.text')],
        link: { text: say('board.link'), url: facts.links.board },
      },
      {
        slot: 'contact',
        heading: say('contact.heading'),
        text: [say('contact.text', { exchange: facts.exchange, contact })],
      },
    ],
  }
}

type Say = (key: string, values?: Readonly<Record<string, string>>) => string

function whoAsks(say: Say, { hiu, requester }: NoticeFacts): readonly string[] {
  const { name, registration } = requester
  return [
    say('who.text', { hiu: hiu.name, requester: name }),
    say('who.facility', { hiu: hiu.name, id: hiu.id }),
    ...(registration === undefined ? [] : [say('who.registration', { requester: name, registration })]),
  ]
}

function dataAsked(say: Say, language: Language, facts: NoticeFacts): Paragraph {
  const { hip, careContexts, range } = facts
  const number = new Intl.NumberFormat(`${language}-IN`)
  return {
    slot: 'data',
    heading: say('data.heading'),
    text: [
      say('data.intro'),
      hip === undefined ? say('data.anywhere') : say('data.provider', { hip }),
      ...(careContexts === undefined
        ? []
        : [
            careContexts === 1
              ? say('data.contexts_one')
              : say('data.contexts_other', { n: number.format(careContexts) }),
          ]),
      say('data.range', { from: showDay(range.from, language), to: showDay(range.to, language) }),
    ],
    items: facts.hiTypes.map((type) => say(`data.${type}`)),
  }
}

function showContact({ name, email, phone }: Contact): string {
  return [name, email, ...(phone === undefined ? [] : [phone])].join(', ')
}

function showDay(at: Date, language: Language): string {
  return new Intl.DateTimeFormat(`${language}-IN`, { dateStyle: 'long', timeZone: CIVIL_ZONE }).format(at)
}

function fill({ language, words }: OwnWords, key: string, values: Readonly<Record<string, string>>): string {
  const text = words[key]
  if (text === undefined) throw new Error(`the words of the notice have no ${key}`)
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => isolated(language, values[name]) ?? whole)
}

/** A Latin name must not turn a sentence about that runs from right to left (Unicode UAX 9: FSI … PDI). */
function isolated(language: Language, value: string | undefined): string | undefined {
  return value !== undefined && 'rightToLeft' in LANGUAGES[language] ? `\u2068${value}\u2069` : value
}

/**
 * Parts of sentences that take a right away from the reader, which would be void (DPDP s.6(2)), or make the consent less than free
 * (s.6(1)). Those of a language stand beside the English ones, which are looked for in every language.
 */
const WAIVERS: readonly RegExp[] = [
  /\bwaiv(?:e|er|es|ing)\b/i,
  /\b(?:give|gives|giving) up (?:your|the|any|all) right/i,
  /\bforfeit/i,
  /\birrevocabl/i,
  /\b(?:can ?not|can't|may not|must not|no right to) (?:complain|object|stop this|withdraw|take (?:it|this) back|refuse|say no|sue)/i,
  /\bagree not to\b/i,
  /\bhold (?:us|them|it) harmless\b/i,
  /\b(?:are|is) not (?:liable|responsible)\b/i,
  /\byou (?:must|have to) (?:allow|agree|accept|consent)/i,
  /\b(?:no|without) (?:care|treatment) (?:unless|if) you/i,
  // Hindi: give up a right; cannot complain; cannot take back.
  /अधिकार\S* (?:छोड़|त्याग)/,
  /शिकायत नहीं कर (?:सक|पा)/,
  /वापस नहीं ले (?:सक|पा)/,
  // Urdu: the same.
  /حق\S* (?:سے دستبردار|چھوڑ)/,
  /شکایت نہیں کر سک/,
  /واپس نہیں لے سک/,
]

/** What is wrong with the words of one language, as `key: what`; nothing when they may be shown. */
export function faultsOfWords(words: NoticeWords): readonly string[] {
  const missing = Object.entries(WORDS_NEEDED).flatMap(([key, names]) => {
    const text = words[key]
    if (text === undefined || text.trim() === '') return [`${key}: is missing`]
    return names.filter((name) => !text.includes(`{${name}}`)).map((name) => `${key}: does not say {${name}}`)
  })
  const others = Object.entries(words).flatMap(([key, text]) => {
    const needed = WORDS_NEEDED[key]
    if (needed === undefined) return key === '$check' ? [] : [`${key}: no notice uses it`]
    const strange = [...text.matchAll(/\{(\w*)\}/g)].filter(([, name = '']) => !needed.includes(name))
    const waivers = WAIVERS.filter((waiver) => waiver.test(text))
    return [
      ...strange.map(([whole]) => `${key}: ${whole} is not filled in`),
      ...waivers.map((waiver) => `${key}: takes a right away (${waiver.source})`),
      ...(text.includes('<') ? [`${key}: holds markup`] : []),
    ]
  })
  return [...missing, ...others]
}

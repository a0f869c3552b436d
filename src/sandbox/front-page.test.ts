import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseLanguage } from './front-page.ts'
import { renderFrontPage, WORDS } from './front-page-view.ts'
import { LANGUAGE_FORMS, LANGUAGES } from './front-page-words.ts'
import { escapeHtml, html } from './html.ts'
import { type NetworkView, PARTY_KINDS } from './network-view.ts'
import { PARTY_STATES } from './watch.ts'

const exchange = {
  id: 'sbx',
  name: 'Amanat Exchange',
  kind: 'exchange',
  url: 'http://127.0.0.1:4000',
  state: 'up',
} as const
const view: NetworkView = {
  at: '2026-11-22T06:30:00.000Z',
  parties: [exchange],
  unlisted: 0,
  patients: 31,
  careContexts: 123_456,
  consentRequests: { REQUESTED: 0, GRANTED: 0, DENIED: 0, REVOKED: 0, EXPIRED: 0 },
  dataRequests: { delivered: 0, underWay: 0, failed: 0 },
  log: { entries: 0, cosignedBy: 0, witnesses: 2 },
}
const party = (changes: Partial<NetworkView['parties'][number]>) => ({
  ...exchange,
  id: 'IN2710000011',
  kind: 'hospital' as const,
  ...changes,
})

test('names and addresses of strangers are text, never markup', () => {
  const hostile = '<img src=x onerror=alert(1)>"\'&'
  const page = renderFrontPage(
    { ...view, parties: [exchange, party({ name: hostile, url: `http://x/${hostile}` })] },
    'en',
  )
  assert.ok(!page.includes('<img'))
  assert.ok(page.includes('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;'))
  fc.assert(
    fc.property(fc.string(), (text) => {
      const escaped = escapeHtml(text)
      assert.doesNotMatch(escaped, /[<>"']/)
      assert.equal(html`<p>${text}</p>`.html, `<p>${escaped}</p>`)
    }),
  )
})

/** Every text of a language with its path; functions answer with numbers in place. */
function textsOf(value: unknown, path = ''): readonly (readonly [string, string])[] {
  if (typeof value === 'string') return [[path, value]]
  if (typeof value === 'function') return [[path, String(value('1', '2'))]]
  return Object.entries(value as object).flatMap(([key, one]) => textsOf(one, `${path}.${key}`))
}

test('every language says everything, in its own script', () => {
  const scripts = { en: /\p{Script=Latin}/u, hi: /\p{Script=Devanagari}/u, ur: /\p{Script=Arabic}/u }
  const paths = textsOf(WORDS.en).map(([path]) => path)
  for (const language of LANGUAGES) {
    assert.deepEqual(
      textsOf(WORDS[language]).map(([path]) => path),
      paths,
    )
    for (const [path, text] of textsOf(WORDS[language]))
      if (path !== '.counted') assert.match(text, scripts[language], `${language}${path}`)
  }
  // Persian and Arabic letters look alike but are not those of Urdu: ی and ک, not ي and ك.
  for (const [path, text] of textsOf(WORDS.ur)) assert.doesNotMatch(text, /[يكە]/u, path)
})

test('each state and kind is shown in words, in each language and its direction', () => {
  for (const language of LANGUAGES) {
    const words = WORDS[language]
    const parties = [
      exchange,
      ...PARTY_STATES.map((state, i) => party({ id: `S${i}`, state })),
      ...PARTY_KINDS.map((kind, i) => party({ id: `K${i}`, kind })),
    ]
    const page = renderFrontPage({ ...view, parties }, language)
    assert.ok(page.includes(`<html lang="${language}" dir="${LANGUAGE_FORMS[language].dir}">`))
    for (const word of [...Object.values(words.states), ...Object.values(words.kinds)])
      assert.ok(page.includes(`>${escapeHtml(word)}<`), word)
    assert.ok(page.includes('1,23,456'), 'Indian grouping, Latin digits')
    assert.ok(page.includes(words.requests.none) && page.includes(words.data.none) && page.includes(words.log.empty))
    assert.ok(page.includes(escapeHtml(words.notReady('2', String(parties.length)))))
    assert.ok(!page.includes(words.unlisted('0')))
    assert.ok(renderFrontPage({ ...view, unlisted: 1200 }, language).includes(words.unlisted('1,200')))
    assert.doesNotMatch(page, /https?:\/\/(?!127\.0\.0\.1)/, 'nothing comes from elsewhere')
  }
  assert.equal(LANGUAGE_FORMS.ur.dir, 'rtl')
})

test('the log tells when its checkpoint was signed and by how many it was cosigned', () => {
  const at = (signedAt: string, cosignedBy: number, language: 'en' | 'hi' | 'ur' = 'en') =>
    renderFrontPage({ ...view, log: { entries: 3417, signedAt, cosignedBy, witnesses: 2 } }, language)
  assert.match(at('2026-11-22T06:29:59.500Z', 2), /signed just now.*2 of 2 witnesses/s)
  assert.match(at('2026-11-22T06:29:30.000Z', 1), /signed 30 seconds ago.*1 of 2 witnesses/s)
  assert.match(at('2026-11-22T06:00:00.000Z', 0), /signed 30 minutes ago/)
  assert.match(at('2026-11-22T01:00:00.000Z', 0), /signed 5 hours ago/)
  assert.match(at('2026-11-20T01:00:00.000Z', 0), /signed 2 days ago/)
  assert.match(at('2026-11-22T06:29:30.000Z', 1, 'hi'), /30 सेकंड पहले/)
  assert.match(at('2026-11-22T06:29:30.000Z', 1, 'ur'), /30 سیکنڈ پہلے/)
})

test('the language: the link, else the best that the browser takes, else English', () => {
  const cases: readonly [string | undefined, string | undefined, string][] = [
    [undefined, undefined, 'en'],
    ['ur', 'hi', 'ur'],
    ['xx', 'hi-IN,hi;q=0.9,en;q=0.8', 'hi'],
    [undefined, 'en;q=0.3, ur-PK;q=0.7', 'ur'],
    [undefined, 'fr-FR, de;q=0.9, *;q=0.1', 'en'],
    [undefined, 'hi;q=0, en', 'en'],
    [undefined, ';;;,,q=', 'en'],
    ['__proto__', 'constructor', 'en'],
  ]
  for (const [asked, accept, language] of cases)
    assert.equal(chooseLanguage(asked, accept), language, `${asked} ${accept}`)
})

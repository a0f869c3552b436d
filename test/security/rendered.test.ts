import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { html } from '../../src/sandbox/html.ts'
import { programFiles } from './source.ts'

/** What turns text into markup or code; React sets text as text as long as nobody uses these. */
const DANGEROUS =
  /\bdangerouslySetInnerHTML\b|\.(?:inner|outer)HTML\b|\binsertAdjacentHTML\b|\bdocument\.write|\beval\(|\bnew Function\b|\bsrcDoc\b|\bcreateContextualFragment\b|\bpostMessage\(|\bstyle=\{?["'`]/
const SOURCES = globSync('web/**/*.{ts,tsx,js,html}').filter((file) => !file.startsWith('web/dist/'))

test('no page makes markup or code of text', () => {
  assert.ok(SOURCES.length > 50)
  const found = SOURCES.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) => (DANGEROUS.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  )
  assert.deepEqual(found, [])
})

test('pages that the server makes escape all that is put in', () => {
  const hostile = `"><script>alert(1)</script>'&`
  const page = html`<p title="${hostile}">${hostile}${html`<b>${[html`${hostile}`]}</b>`}</p>`.html
  assert.doesNotMatch(page, /<script|"><|alert\(1\)<\/script>/)
  assert.equal(page.match(/&lt;script&gt;/g)?.length, 3)
  // No other module of the program writes markup.
  for (const { file, code } of programFiles())
    if (!/sandbox\/(?:html|front-page-view|fonts)|fhir\//.test(file))
      assert.doesNotMatch(code, /`\s*<(?:!doctype|html|p|div|script)\b/i, file)
})

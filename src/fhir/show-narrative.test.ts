import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { escapeXhtml } from './build/narrative.ts'
import { readNarrative } from './show-narrative.ts'

const paragraph = (text: string) => ({ kind: 'paragraph', text })

describe('readNarrative', () => {
  test('paragraphs, headings, items and tables as data', () => {
    const div = `<div xmlns="http://www.w3.org/1999/xhtml"><h2>Stay</h2><p>Came with <b>fever</b>.<br/>Went home.</p>
      <ul><li>Rest</li><li><p>Fluids &amp; salt</p></li></ul>
      <table><thead><tr><th>Day</th><th>Temp</th></tr></thead><tbody><tr><td>1</td><td>39&deg;</td></tr></tbody></table></div>`
    assert.deepEqual(readNarrative(div), [
      { kind: 'heading', text: 'Stay' },
      paragraph('Came with fever.'),
      paragraph('Went home.'),
      { kind: 'item', text: 'Rest' },
      { kind: 'item', text: 'Fluids & salt' },
      {
        kind: 'table',
        rows: [
          { head: true, cells: ['Day', 'Temp'] },
          { head: false, cells: ['1', '39°'] },
        ],
      },
    ])
  })

  test('scripts, styles, comments and attributes vanish; entities become characters once', () => {
    const div = `<div onclick="x('>')"><script>alert(1)</script><style>p{}</style><!-- no --><p title="a > b">1 &lt; 2 &amp;lt; 3</p></div>`
    assert.deepEqual(readNarrative(div), [paragraph('1 < 2 &lt; 3')])
  })

  test('what is broken is read as far as it goes', () => {
    assert.deepEqual(readNarrative('<p>one<p>two <'), [paragraph('one'), paragraph('two <')])
    assert.deepEqual(readNarrative('<p>one<b title="'), [paragraph('one')])
    assert.deepEqual(readNarrative('<script>all of it'), [])
    assert.deepEqual(readNarrative('<table><td>a<table><td>b'), [
      { kind: 'table', rows: [{ head: false, cells: ['a', 'b'] }] },
    ])
    assert.deepEqual(readNarrative({}), [])
    assert.deepEqual(readNarrative('a\u202eb&#x202e;c&#0;&#xD800;'), [paragraph('abc')])
  })

  test('what our own documents write comes back as it was', () => {
    const words = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .map((text) => text.replaceAll(/[\s\p{C}]+/gu, ' ').trim())
    fc.assert(
      fc.property(words, (text) => {
        const read = readNarrative(`<div xmlns="http://www.w3.org/1999/xhtml">${escapeXhtml(text)}</div>`)
        assert.deepEqual(read, text === '' ? [] : [paragraph(text)])
      }),
    )
  })

  test('never throws and never runs long', () => {
    const bit = fc.constantFrom(
      '<p>',
      '</p>',
      '<td>',
      '<tr>',
      '<table>',
      '</table>',
      '<li>',
      '<',
      '&',
      '&#',
      ';',
      '<!--',
      '<![CDATA[',
      '"',
      "'",
      'x',
      ' ',
      '<script>',
    )
    fc.assert(fc.property(fc.array(bit, { maxLength: 200 }), (bits) => void readNarrative(bits.join(''))))
    assert.ok(readNarrative('<p>'.repeat(100_000) + 'x').length <= 500)
    assert.ok(readNarrative('<p>a</p>'.repeat(25_000)).length <= 500)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { shorten } from './findings.ts'
import { isEqual, isLike } from './json.ts'
import { jsonKind, malformed } from './value-rules.ts'
import { expandValueSets, type Terminology } from './value-sets.ts'

const GOOD: { readonly [type: string]: readonly (string | number | boolean)[] } = {
  date: ['2026', '2026-03', '2026-03-31', '2024-02-29'],
  dateTime: [
    '2026',
    '2026-03',
    '2026-03-31',
    '2026-03-31T10:00:00Z',
    '2026-03-31T10:00:00.123+05:30',
    '2026-03-31T23:59:60-14:00',
  ],
  instant: ['2026-03-31T10:00:00Z', '2026-03-31T10:00:00.1+05:30'],
  time: ['10:00:00', '23:59:59.999'],
  code: ['a', 'a b', 'AMB'],
  id: ['a', 'A-1.b', 'x'.repeat(64)],
  oid: ['urn:oid:1.2.840', 'urn:oid:2.16.0'],
  uuid: ['urn:uuid:00000000-0000-4000-8000-000000000001'],
  uri: ['urn:x', 'http://a/b', 'Patient/1'],
  base64Binary: ['AAAA', 'AA==', 'AA AA\nAA=='],
  xhtml: ['<div>x</div>'],
  string: ['x', 'नमस्ते', 'a\nb\tc'],
  markdown: ['*x*'],
  boolean: [true, false],
  decimal: [1.5, -2, 0],
  integer: [-2147483648, 0, 2147483647],
  unsignedInt: [0, 1],
  positiveInt: [1],
}
const BAD: { readonly [type: string]: readonly (string | number)[] } = {
  date: ['26-03-31', '2026-3-1', '2026-13-01', '2026-02-29', '2100-02-29', '2026-04-31', '2026-03-31T10:00:00Z', ''],
  dateTime: [
    '2026-03-31T10:00',
    '2026-03-31T10:00:00',
    '2026-03-31 10:00:00Z',
    '2026-03-31T25:00:00Z',
    '2026-03-31T10:00:00+15:00',
    '2026-02-30T10:00:00Z',
  ],
  instant: ['2026-03-31', '2026-03-31T10:00:00'],
  time: ['10:00', '24:00:00', '10:00:00Z'],
  code: [' a', 'a ', 'a  b', ''],
  id: ['a_b', 'x'.repeat(65), ''],
  oid: ['1.2.3', 'urn:oid:3.1', 'urn:oid:1.02'],
  uuid: ['urn:uuid:00000000-0000-4000-8000-00000000000A', '00000000-0000-4000-8000-000000000001'],
  uri: ['a b', ''],
  base64Binary: ['AAA', 'A===', 'AA-_', ''],
  xhtml: ['<p>x</p>', 'x'],
  string: ['', 'a\u0000b', 'x'.repeat(1_048_577)],
  decimal: [Number.NaN, Number.POSITIVE_INFINITY],
  integer: [1.5, 2147483648],
  unsignedInt: [-1],
  positiveInt: [0],
}

describe('primitive values', () => {
  it('takes what R4 §2.24 allows', () => {
    for (const [type, values] of Object.entries(GOOD)) {
      for (const value of values) {
        assert.equal(jsonKind(type), typeof value)
        assert.equal(malformed(type, value), undefined, `${type} ${value}`)
      }
    }
  })

  it('refuses the rest and says what it should be', () => {
    for (const [type, values] of Object.entries(BAD)) {
      for (const value of values) assert.ok(malformed(type, value), `${type} ${String(value).slice(0, 40)}`)
    }
  })

  it('knows no other types', () => {
    for (const type of ['Coding', 'constructor', 'toString', '']) assert.equal(jsonKind(type), undefined)
  })
})

describe('values', () => {
  it('compares fixed values whole and patterns in part', () => {
    const value = { coding: [{ system: 's', code: 'a', display: 'A' }], text: 't' }
    assert.equal(isEqual(value, structuredClone(value)), true)
    assert.equal(isEqual(value, { coding: value.coding }), false)
    assert.equal(isEqual([1, 2], [2, 1]), false)
    assert.equal(isLike(value, { coding: [{ code: 'a' }] }), true)
    assert.equal(isLike(value, { coding: [{ code: 'b' }] }), false)
    assert.equal(isLike({}, { toString: undefined }), false)
  })

  it('shows at most 80 characters, and of objects only their shape', () => {
    assert.equal(shorten('x'.repeat(81))?.length, 80)
    assert.equal(shorten('x'.repeat(80)), 'x'.repeat(80))
    assert.equal(shorten({ b: 1, a: { c: 'secret' } }), '{a, b}')
    assert.equal(shorten([1, 2]), '[2 items]')
    assert.equal(shorten(null), 'null')
    assert.equal(shorten(undefined), undefined)
  })
})

describe('expandValueSets', () => {
  const system = (url: string, concept: readonly object[], content = 'complete') => [
    url,
    { resourceType: 'CodeSystem', url, content, concept },
  ]
  const set = (url: string, compose: object) => [url, { resourceType: 'ValueSet', url, compose }]
  const terminology: Terminology = {
    codeSystems: new Map([
      system('animals', [
        { code: 'cat', concept: [{ code: 'lion' }] },
        { code: 'dog' },
        { code: 'tiger', property: [{ code: 'subsumedBy', valueCode: 'cat' }] },
      ]),
      system('fragment', [{ code: 'a' }], 'fragment'),
    ] as [string, never][]),
    valueSets: new Map([
      set('all', { include: [{ system: 'animals' }] }),
      set('cats', { include: [{ system: 'animals', filter: [{ property: 'concept', op: 'is-a', value: 'cat' }] }] }),
      set('wild', { include: [{ valueSet: ['cats'] }], exclude: [{ system: 'animals', concept: [{ code: 'cat' }] }] }),
      set('both', {
        include: [{ system: 'animals', concept: [{ code: 'dog' }, { code: 'lion' }], valueSet: ['cats'] }],
      }),
      set('open', { include: [{ system: 'http://snomed.info/sct' }] }),
      set('part', { include: [{ system: 'fragment' }] }),
      set('odd', { include: [{ system: 'animals', filter: [{ property: 'legs', op: '=', value: '4' }] }] }),
      set('loop', { include: [{ valueSet: ['loop'] }] }),
    ] as [string, never][]),
  }

  it('lists what can be listed and leaves out what cannot', () => {
    const urls = ['all', 'cats', 'wild', 'both', 'open', 'part', 'odd', 'loop', 'absent']
    assert.deepEqual(expandValueSets(urls, terminology), {
      all: { animals: ['cat', 'dog', 'lion', 'tiger'] },
      both: { animals: ['lion'] },
      cats: { animals: ['cat', 'lion', 'tiger'] },
      wild: { animals: ['lion', 'tiger'] },
    })
  })
})

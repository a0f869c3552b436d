import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Bundle, FhirResource, Invoice, Patient } from 'fhir/r4.js'
import { HI_TYPES } from '../hi-type.ts'
import { inferHiType } from '../infer-type.ts'
import { validateDocument } from '../validate.ts'
import { buildDocument } from './document.ts'
import { documentInput } from './inputs.ts'
import { priceLine } from './invoice.ts'
import { escapeXhtml } from './narrative.ts'
import { makePdf } from './pdf.ts'
import { SAMPLE_INPUTS } from './sample-inputs.ts'

function context() {
  let count = 0
  const makeUuid = () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
  return { bundleId: '11111111-0000-4000-8000-000000000000', now: new Date('2026-03-01T00:00:00Z'), makeUuid }
}

function first<T extends FhirResource>(bundle: Bundle, type: T['resourceType']): T {
  const found = bundle.entry?.find((entry) => entry.resource?.resourceType === type)?.resource
  assert.ok(found)
  return found as FhirResource as T
}

describe('buildDocument', () => {
  for (const [at, input] of SAMPLE_INPUTS.entries()) {
    test(`${input.hiType} (${at}): valid, of its type, deterministic`, () => {
      assert.deepEqual(documentInput.parse(input), input)
      const bundle = buildDocument(input, context())
      assert.deepEqual(validateDocument(bundle, 'strict'), [])
      assert.equal(inferHiType(bundle), input.hiType)
      assert.equal(JSON.stringify(bundle), JSON.stringify(buildDocument(input, context())))
    })
  }

  test('the samples cover all eight types', () => {
    assert.deepEqual(new Set(SAMPLE_INPUTS.map((input) => input.hiType)), new Set(HI_TYPES))
  })

  test('narratives are escaped, names are not', () => {
    const [input] = SAMPLE_INPUTS
    assert.ok(input)
    const patient = first<Patient>(buildDocument(input, context()), 'Patient')
    assert.equal(patient.name?.[0]?.text, 'Meena <Test> & Sons')
    assert.match(patient.text?.div ?? '', /Meena &lt;Test&gt; &amp; Sons, female, born 29 Feb 1980/)
    assert.equal(escapeXhtml('a\u0000<b>"\''), 'a&lt;b&gt;&quot;&#39;')
  })

  test('identifiers: local number, ABHA number, ABHA address', () => {
    const [input] = SAMPLE_INPUTS
    assert.ok(input)
    const patient = first<Patient>(buildDocument(input, context()), 'Patient')
    const pairs = patient.identifier?.map((one) => [one.type?.coding?.[0]?.code, one.value])
    assert.deepEqual(pairs, [
      ['MR', 'T-1'],
      ['HIN', '91-0000-0000-9999'],
      ['ABHA', 'meena.test@sbx'],
    ])
  })
})

test('the example of docs/integrate/records.md builds as it stands', () => {
  const page = readFileSync(new URL('../../../docs/integrate/records.md', import.meta.url), 'utf8')
  const input = documentInput.parse(JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? ''))
  assert.deepEqual(validateDocument(buildDocument(input, context()), 'strict'), [])
})

describe('documentInput', () => {
  const [visit] = SAMPLE_INPUTS
  assert.ok(visit)
  const broken: [string, object][] = [
    ['unknown type', { ...visit, hiType: 'Horoscope' }],
    ['no encounter', { ...visit, encounter: undefined }],
    ['moment without offset', { ...visit, date: '2026-01-12T10:30:00' }],
    ['ABHA number with dashes', { ...visit, patient: { ...visit.patient, abhaNumber: '91-0000-0000-9999' } }],
    ['prescription of nothing', { ...SAMPLE_INPUTS[2], medications: [] }],
    [
      'attachment that is not base64',
      { ...SAMPLE_INPUTS[6], documents: [{ title: 'a', contentType: 'a/b', data: '%' }] },
    ],
  ]
  for (const [what, input] of broken) {
    test(`refuses ${what}`, () => assert.equal(documentInput.safeParse(input).success, false))
  }

  test('refuses a consultation about nothing', () => {
    const { patient, author, organisation, date, title } = visit
    const encounter = { class: 'ambulatory', start: date }
    const empty = { hiType: 'OPConsultation', patient, author, organisation, date, title, encounter, complaints: [] }
    assert.equal(documentInput.safeParse(empty).success, false)
  })
})

test('an invoice adds up in whole paise', () => {
  const item = { description: 'x', category: 'Medicines' as const, quantity: 3, rate: 21.45 }
  const line = priceLine({ ...item, mrp: 24, discountPercent: 10, cgstPercent: 6, sgstPercent: 6 })
  assert.deepEqual(line, { rate: 6435, discount: 644, cgst: 347, sgst: 347, net: 5791, tax: 694, mrp: 7200 })
  const bill = SAMPLE_INPUTS.find((input) => input.hiType === 'Invoice')
  assert.ok(bill)
  const invoice = first<Invoice>(buildDocument(bill, context()), 'Invoice')
  assert.deepEqual([invoice.totalNet?.value, invoice.totalGross?.value], [57.91, 64.85])
})

test('the PDF has a cross-reference table that points at its objects', () => {
  const file = atob(makePdf('Heading (1)', ['A line', 'word '.repeat(60), 'हिन्दी']))
  assert.match(file, /^%PDF-1\.4\n/)
  assert.match(file, /\(Heading \\\(1\\\)\) Tj/)
  const start = Number(/startxref\n(\d+)\n%%EOF\n$/.exec(file)?.[1])
  assert.ok(file.slice(start).startsWith('xref\n0 6\n'))
  const offsets = [...file.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)].map((match) => Number(match[1]))
  assert.equal(offsets.length, 5)
  for (const [at, offset] of offsets.entries()) assert.ok(file.slice(offset).startsWith(`${at + 1} 0 obj\n`))
  const [, length, content] = /\/Length (\d+) >>\nstream\n([\s\S]*?)\nendstream/.exec(file) ?? []
  assert.equal(content?.length, Number(length))
})

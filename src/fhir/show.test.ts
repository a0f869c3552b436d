import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { buildDocument } from './build/document.ts'
import type { DocumentInput } from './build/inputs.ts'
import { SAMPLE_INPUTS } from './build/sample-inputs.ts'
import { HI_TYPES } from './hi-type.ts'
import { narrow } from './narrow.ts'
import { type ShownDocument, showDocument } from './show.ts'

function build(hiType: DocumentInput['hiType']) {
  const input = SAMPLE_INPUTS.find((one) => one.hiType === hiType)
  assert.ok(input)
  let count = 0
  const makeUuid = () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
  return buildDocument(input, { bundleId: makeUuid(), now: new Date('2026-03-01T00:00:00Z'), makeUuid })
}

function show(bundle: unknown): ShownDocument {
  const shown = showDocument(bundle)
  assert.ok(shown)
  return shown
}

const section = (shown: ShownDocument, title: string) => shown.sections.find((one) => one.title === title)?.rows ?? []

describe('showDocument', () => {
  test('the header and the sections of a consultation, in their order', () => {
    const shown = show(build('OPConsultation'))
    const { sections, others, ...header } = shown
    assert.deepEqual(header, {
      hiType: 'OPConsultation',
      title: 'Document for tests',
      date: '2026-01-12T10:30:00+05:30',
      status: 'final',
      authors: ['Dr. Test'],
      writers: [{ name: 'Dr. Test', kind: 'Practitioner', qualification: 'MBBS', registration: 'SMP/2000/1' }],
      custodian: 'Test Hospital',
      place: 'Test Hospital',
      identifier: '00000000-0000-4000-8000-000000000001',
      patient: { name: 'Meena <Test> & Sons', gender: 'female', birthDate: '1980-02-29' },
      encounter: { start: '2026-01-12T10:30:00+05:30', kind: 'AMB', status: 'finished', place: 'Test Hospital' },
      isSubset: false,
    })
    assert.deepEqual(others, [])
    assert.deepEqual(
      sections.map((one) => one.title),
      [
        'Chief complaints',
        'Physical examination',
        'Allergies',
        'Medical history',
        'Family history',
        'Investigations advised',
        'Medications',
        'Follow up',
        'Procedures',
        'Referral',
        'Other observations',
        'Documents',
      ],
    )
    assert.equal(section(shown, 'Physical examination')[0]?.value, 'Systolic 142 mm[Hg]')
    assert.equal(section(shown, 'Allergies')[0]?.value, 'Rash')
    assert.equal(section(shown, 'Medical history')[0]?.value, 'since 2018')
    const [medicine] = section(shown, 'Medications')
    assert.equal(medicine?.what, 'Metformin 500 mg tablet')
    assert.equal(medicine.value, '1 tablet, twice a day after food, for 30 days')
  })

  test('results with range and flag under their report', () => {
    const [report] = section(show(build('DiagnosticReport')), 'Document for tests')
    assert.equal(report?.value, 'Raised fasting glucose.')
    const [glucose] = report.rows ?? []
    assert.deepEqual(
      [glucose?.what, glucose?.value, glucose?.range, glucose?.flag],
      ['Fasting glucose', '148 mg/dL', '70 to 100', 'High'],
    )
  })

  test('files with their size, bills with their lines, vaccines with dose and next date', () => {
    const [letter] = section(show(build('HealthDocumentRecord')), 'Health document')
    assert.equal(letter?.attachment?.contentType, 'application/pdf')
    assert.equal(letter.attachment.bytes, atob(letter.attachment.data).length)
    const [bill] = section(show(build('Invoice')), 'Invoice')
    assert.equal(bill?.value, 'INR 64.85')
    assert.deepEqual(
      bill.rows?.map((row) => [row.what, row.value]),
      [
        ['Metformin 500 mg tablet', 'INR 64.85'],
        ['Delivery', 'INR 0.00'],
      ],
    )
    const [shot, due] = section(show(build('ImmunizationRecord')), 'Immunization record')
    assert.deepEqual([shot?.value, shot?.note], ['dose 1 of 1', 'lot L1'])
    assert.deepEqual(due?.rows?.[0], {
      kind: 'ImmunizationRecommendation',
      what: 'Influenza vaccine',
      date: '2027-01-12',
    })
  })

  test('says when a document was cut before it came', () => {
    const [from, to] = [new Date('2026-01-01'), new Date('2026-12-31')]
    const answer = narrow(build('OPConsultation'), { hiTypes: HI_TYPES, from, to })
    assert.equal(answer.outcome, 'narrowed')
    assert.equal(show(answer.document).isSubset, true)
  })

  test('never throws, whatever the resource holds', () => {
    const odd = fc.dictionary(
      fc.constantFrom(
        'resourceType',
        'code',
        'result',
        'section',
        'entry',
        'author',
        'valueQuantity',
        'lineItem',
        'content',
        'name',
        'reference',
        'note',
      ),
      fc.anything(),
    )
    const kinds = ['Observation', 'DiagnosticReport', 'Invoice', 'Immunization', 'DocumentReference', 'Binary']
    fc.assert(
      fc.property(fc.array(odd), odd, (resources, composition) => {
        const entry = resources.map((resource, at) => ({
          fullUrl: `urn:${at}`,
          resource: { ...resource, resourceType: kinds[at % kinds.length] },
        }))
        const links = entry.map(({ fullUrl }) => ({ reference: fullUrl }))
        const first = { section: [{ entry: links }], ...composition, resourceType: 'Composition' }
        assert.ok(showDocument({ entry: [{ resource: first }, ...entry] }))
      }),
      { numRuns: 300 },
    )
    fc.assert(fc.property(fc.anything(), (input) => void showDocument(input)))
  })
})

const EXAMPLES = new URL('../../../shared/fhir/examples/', import.meta.url)

describe('documents made by others', { skip: !existsSync(EXAMPLES) }, () => {
  for (const file of existsSync(EXAMPLES) ? readdirSync(EXAMPLES).filter((name) => name.endsWith('.json')) : []) {
    test(`${file}: a title, an author, and rows with words`, () => {
      const shown = show(JSON.parse(readFileSync(new URL(file, EXAMPLES), 'utf8')))
      assert.ok(shown.hiType && shown.title && shown.authors.length > 0 && shown.patient?.name)
      assert.ok(shown.sections.length > 0)
      for (const { rows } of shown.sections) for (const row of rows) assert.ok(row.what.length > 2, row.kind)
    })
  }
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { overviewOf } from './overview.ts'
import type { ShownDocument } from './show.ts'
import { rowOf } from './show-rows.ts'
import type { SectionRole } from './show-sections.ts'
import type { Source } from './trends.ts'

type Json = { readonly [key: string]: unknown }
const NOW = new Date('2026-06-01T00:00:00Z')
const SNOMED = 'http://snomed.info/sct'

function source(origin: string, resources: readonly Json[], role?: SectionRole): Source<string> {
  const rows = resources.map((resource) => rowOf(resource, () => undefined))
  const section = { title: 'S', rows, ...(role && { role }) }
  const document: ShownDocument = {
    title: 'T',
    authors: [],
    writers: [],
    isSubset: false,
    others: [],
    sections: [section],
  }
  return { origin, document }
}

const medicine = (name: string, rest: Json = {}): Json => ({
  resourceType: 'MedicationRequest',
  status: 'active',
  medicationCodeableConcept: { text: name },
  authoredOn: '2026-05-01',
  ...rest,
})
const lasting = (value: number) => ({ timing: { repeat: { boundsDuration: { value, code: 'd' } } } })
const problem = (text: string, rest: Json = {}): Json => ({
  resourceType: 'Condition',
  clinicalStatus: { coding: [{ code: 'active' }] },
  code: { text },
  recordedDate: '2026-01-01',
  ...rest,
})
const words = (all: readonly { readonly name: { readonly words: string } }[]) => all.map(({ name }) => name.words)

describe('current medicines', () => {
  test('what ended is past, what has no end is open, and unclear after half a year', () => {
    const { medicines, pastMedicines } = overviewOf(
      [
        source('a', [
          medicine('Metformin', { dosageInstruction: [lasting(90)] }),
          medicine('Amoxicillin', { dosageInstruction: [lasting(7)] }),
          medicine('Iron'),
          medicine('Aspirin', { authoredOn: '2024-01-01' }),
          medicine('Warfarin', { status: 'stopped' }),
          medicine('Mistake', { status: 'entered-in-error' }),
          medicine('None', {
            medicationCodeableConcept: { coding: [{ code: '182904002', display: 'No drug therapy' }] },
          }),
        ]),
      ],
      NOW,
    )
    assert.deepEqual(
      medicines.map(({ name, state }) => [name.words, state]),
      [
        ['Metformin', 'current'],
        ['Iron', 'open'],
        ['Aspirin', 'unclear'],
      ],
    )
    assert.deepEqual(words(pastMedicines), ['Amoxicillin', 'Warfarin'])
  })

  test('one drug from two places is one line, the newest saying decides, and a different dose is told', () => {
    const dose = (text: string) => ({ dosageInstruction: [{ text }] })
    const { medicines } = overviewOf(
      [
        source('old', [medicine('METFORMIN 500 mg', { authoredOn: '2026-02-01', ...dose('1-0-1') })]),
        source('b', [medicine('Metformin 500 mg', dose('1-0-1'))]),
        source('c', [medicine('metformin, 500 mg', dose('1-0-0'))]),
      ],
      NOW,
    )
    assert.equal(medicines.length, 1)
    assert.deepEqual(
      medicines[0]?.said.map(({ origin }) => origin),
      ['b', 'c', 'old'],
    )
    assert.equal(medicines[0]?.differs, true)
  })

  test('a later stop ends it, whatever an older paper says', () => {
    const { medicines } = overviewOf(
      [
        source('stop', [medicine('Atenolol', { status: 'stopped', authoredOn: '2026-05-20' })]),
        source('go', [medicine('Atenolol', { dosageInstruction: [lasting(300)] })]),
      ],
      NOW,
    )
    assert.deepEqual(medicines, [])
  })
})

describe('problems and allergies', () => {
  test('recognised by code over other words; complaints and refuted ones are none; resolved ones are past', () => {
    const coding = [{ system: SNOMED, code: '44054006' }]
    const found = overviewOf(
      [
        source('a', [problem('Type 2 diabetes', { code: { text: 'Type 2 diabetes', coding } })], 'history'),
        source(
          'b',
          [problem('Madhumeh', { code: { text: 'Madhumeh', coding }, recordedDate: '2026-03-01' })],
          'history',
        ),
        source('c', [problem('Headache')], 'complaints'),
        source('d', [problem('Cancer', { verificationStatus: { coding: [{ code: 'refuted' }] } })]),
        source('e', [problem('Dengue', { clinicalStatus: { coding: [{ code: 'resolved' }] } })]),
      ],
      NOW,
    )
    assert.deepEqual(words(found.problems), ['Madhumeh'])
    assert.deepEqual(
      found.problems[0]?.said.map(({ origin }) => origin),
      ['b', 'a'],
    )
    assert.deepEqual(words(found.pastProblems), ['Dengue'])
  })

  test('an allergy stays beside the paper that knows of none', () => {
    const allergy = (text: string, code?: string): Json => ({
      resourceType: 'AllergyIntolerance',
      code: { text, ...(code && { coding: [{ system: SNOMED, code }] }) },
    })
    const found = overviewOf(
      [source('a', [allergy('Penicillin')]), source('b', [allergy('No known allergy', '716186003')])],
      NOW,
    )
    assert.deepEqual(words(found.allergies), ['Penicillin'])
    assert.deepEqual(
      found.noAllergies.map(({ origin }) => origin),
      ['b'],
    )
  })

  test('every saying is under exactly one name, in any order of the documents', () => {
    const coded = fc.record({
      text: fc.constantFrom('Diabetes', 'Sugar', 'Asthma', 'diabetes'),
      codes: fc.subarray(['1', '2', '3']),
    })
    fc.assert(
      fc.property(fc.array(coded, { maxLength: 10 }), (all) => {
        const sources = all.map(({ text, codes }, at) =>
          source(String(at), [
            problem(text, { code: { text, coding: codes.map((code) => ({ system: SNOMED, code })) } }),
          ]),
        )
        const groups = (input: typeof sources) =>
          overviewOf(input, NOW)
            .problems.map(({ said }) =>
              said
                .map(({ origin }) => origin)
                .sort()
                .join(),
            )
            .sort()
        const found = groups(sources)
        assert.deepEqual(groups([...sources].reverse()), found)
        assert.deepEqual(found.flatMap((group) => group.split(',')).sort(), all.map((_, at) => String(at)).sort())
      }),
    )
  })
})

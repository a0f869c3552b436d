import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { buildDocument } from '../build/document.ts'
import { SAMPLE_INPUTS } from '../build/sample-inputs.ts'
import { HI_TYPES } from '../hi-type.ts'
import { isObject, type Obj } from '../json.ts'
import { sampleDocument } from '../sample-documents.ts'
import { validateDocument } from '../validate.ts'
import { ageAt, shiftDate } from './dates.ts'
import { deidentify } from './document.ts'
import { type Mode, type Project, patientPseudonym, shiftDaysOf } from './project.ts'
import { type Order, reviewHash } from './work.ts'

const NOW = new Date('2026-11-22T00:00:00Z')
const PROJECT: Project = { id: 'diabetes-2026', key: new Uint8Array(32).fill(7) }
const order = (mode: Mode, more: Partial<Order> = {}): Order => ({
  mode,
  project: PROJECT,
  patient: 'meena.test@sbx',
  now: NOW,
  reviewed: new Set(),
  ...more,
})

function built(at: number): Obj {
  let count = 0
  const makeUuid = () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
  const input = SAMPLE_INPUTS[at]
  assert.ok(input)
  return buildDocument(input, { bundleId: makeUuid(), now: NOW, makeUuid }) as unknown as Obj
}

const DOCUMENTS: readonly Obj[] = [
  ...SAMPLE_INPUTS.map((_, at) => built(at)),
  ...HI_TYPES.map((type) => sampleDocument(type) as unknown as Obj),
]

/** What identifies the people of the sample documents, written as it stands in them. */
const PLAIN = [
  'Meena',
  '91000000009999',
  'meena.test',
  'T-1"',
  '9000000099',
  'First Street',
  'Pune',
  '411001',
  '1980-02',
]
const OTHERS = [
  'Dr. Test',
  'SMP/2000/1',
  'Test Hospital',
  'IN2710000099',
  'Asha Rao',
  '22-7225',
  'Farida',
  'KA-21-1521',
]

/** Writes planted texts into leaves of a document, as values, as further elements, as extensions. */
function plant(node: unknown, next: () => string | undefined): unknown {
  if (Array.isArray(node)) return node.map((item) => plant(item, next))
  if (!isObject(node)) {
    const planted = typeof node === 'string' ? next() : undefined
    return planted === undefined ? node : planted
  }
  const copy: { [key: string]: unknown } = {}
  for (const [key, value] of Object.entries(node)) {
    // The frame of the document stays as it is: everything else may be overwritten.
    copy[key] = key === 'resourceType' || key === 'fullUrl' || key === 'reference' ? value : plant(value, next)
  }
  const [name, where] = [next(), next()]
  if (name !== undefined) copy['patientName'] = name
  if (where !== undefined) copy['extension'] = [{ url: 'https://hospital.example/x', valueString: where }]
  return copy
}

const digits = (length: number, first: string) =>
  fc
    .tuple(fc.constantFrom(...first.split('')), fc.stringMatching(new RegExp(`^[0-9]{${length - 1}}$`)))
    .map((two) => two.join(''))
const IDENTIFIERS = fc.oneof(
  fc.constantFrom('Lakshmi Narayanan', 'Fatima Begum', 'रमेश कुमार', 'O’Brien', 'Zaid'),
  digits(14, '9'),
  digits(14, '9').map((n) => `${n.slice(0, 2)}-${n.slice(2, 6)}-${n.slice(6, 10)}-${n.slice(10)}`),
  digits(10, '6789'),
  digits(12, '23456789'),
  digits(10, '6789').map((n) => `+91 ${n}`),
  fc.constantFrom('lakshmi.n@sbx', 'lakshmi@example.org', 'https://hospital.example/p/17', '10.1.2.3', 'MH12AB1234'),
  // As people write an Aadhaar, a mobile, a telephone, a PIN code, an ABHA, a date and a voter's card in India.
  digits(12, '23456789').map((n) => `${n.slice(0, 4)} ${n.slice(4, 8)} ${n.slice(8)}`),
  digits(10, '6789').map((n) => `0${n.slice(0, 5)} ${n.slice(5)}`),
  digits(14, '9').map((n) => `ABHA: ${n.slice(0, 2)} ${n.slice(2, 6)} ${n.slice(6, 10)} ${n.slice(10)}`),
  fc.constantFrom('020-2553 4711', '(022) 2417 7000', 'XXXX XXXX 4711', 'Pune - 411 030', 'S/o Ramesh, Gali No. 4'),
  fc.constantFrom(
    'born 19 June 1974',
    '19/06/1974',
    '१९ जून १९७४',
    '1974-06-19 (Lakshmi)',
    'ZRX1234567',
    'asha.rao@okaxis',
  ),
  fc.constantFrom('14 Lake View Road, Nashik', 'BBXPL1234C', 'P1234567', 'MRN/2026/004711'),
)

describe('de-identification', () => {
  for (const mode of ['safe-harbour', 'limited'] as const) {
    test(`${mode}: of the people of all eight kinds of documents nothing is left`, () => {
      for (const document of DOCUMENTS) {
        const text = JSON.stringify(deidentify(document, order(mode)).document)
        // A limited data set may name the PIN code (164.514(e)(2)).
        for (const one of [...PLAIN, ...OTHERS].filter((it) => mode !== 'limited' || it !== '411001'))
          assert.ok(!text.includes(one), `${one} is still there: ${text}`)
      }
    })

    test(`${mode}: what was planted anywhere does not survive`, () => {
      fc.assert(
        fc.property(
          fc.nat(DOCUMENTS.length - 1),
          fc.array(IDENTIFIERS, { minLength: 1, maxLength: 6 }),
          fc.array(fc.nat(9), { minLength: 30, maxLength: 90 }),
          (at, planted, dice) => {
            let step = 0
            const next = () => {
              const draw = dice[step++ % dice.length] ?? 9
              return draw < planted.length ? planted[draw] : undefined
            }
            const { document } = deidentify(plant(DOCUMENTS[at], next), order(mode))
            const text = JSON.stringify(document)
            const plain = text.replace(/[^0-9a-z]/gi, '')
            for (const one of planted) {
              assert.ok(!text.includes(one), `${one} survived`)
              const bare = one.replace(/\D/g, '')
              if (bare.length >= 10) assert.ok(!plain.includes(bare), `the digits ${bare} survived`)
            }
          },
        ),
        { numRuns: 150 },
      )
    })

    test(`${mode}: what is left is a document of R4, still about something`, () => {
      for (const document of DOCUMENTS) {
        const left = deidentify(document, order(mode)).document
        const broken = validateDocument(left, 'strict').filter(({ rule }) =>
          ['structure', 'unknown-element', 'primitive', 'empty', 'choice', 'full-url'].includes(rule),
        )
        assert.deepEqual(broken, [])
        const entries = left['entry'] as readonly unknown[]
        assert.equal(entries.length, (document['entry'] as readonly unknown[]).length)
      }
      const text = JSON.stringify(deidentify(built(0), order(mode)).document)
      assert.match(text, /44054006|E11\.9|4548-4|8480-6/, 'codes of what she has stay')
    })
  }

  test('identifiers written as numbers do not stay, measurements do', () => {
    const document = plantNumber(9_876_543_210)
    assert.ok(!JSON.stringify(deidentify(document, order('safe-harbour')).document).includes('9876543210'))
    assert.ok(JSON.stringify(deidentify(plantNumber(250_000), order('safe-harbour')).document).includes('250000'))
  })

  test('a number with more digits than a measurement has is rounded: a mobile behind a point is none', () => {
    for (const mobile of [98765.43211, -9.876543211, 9876543.211e-3]) {
      const text = JSON.stringify(deidentify(plantNumber(mobile), order('safe-harbour')).document)
      assert.ok(!text.replace(/[^0-9]/g, '').includes('9876543'), `${mobile} survived`)
    }
    assert.ok(
      JSON.stringify(deidentify(plantNumber(24.221453287197232), order('limited')).document).includes('24.2215'),
    )
  })

  test('where somebody lives is not told by its position, nor a date by what stands beside or behind it', () => {
    const position = { longitude: 73.8567436, latitude: 18.5204303 }
    const left = (mode: Mode, resource: Obj) =>
      JSON.stringify(deidentify({ ...built(0), entry: [{ fullUrl: 'urn:uuid:1', resource }] }, order(mode)).document)
    for (const mode of ['safe-harbour', 'limited'] as const) {
      assert.doesNotMatch(left(mode, { resourceType: 'Location', status: 'active', position }), /position|73\.8|18\.5/)
      for (const birthDate of [
        '1974-06-19T10:00:00.9876543210+05:30',
        '1974-06-19T10:00:00Z(Lakshmi)',
        '1974-06-19TAsha',
      ])
        assert.doesNotMatch(left(mode, { resourceType: 'Patient', deceasedDateTime: birthDate }), /98765|Lakshmi|Asha/)
    }
  })

  test('safe harbour: no age over 89 is told, of the patient or her family, in whatever words', () => {
    const left = (resource: Obj, mode: Mode = 'safe-harbour') =>
      JSON.stringify(deidentify({ entry: [{ fullUrl: 'urn:uuid:1', resource }] }, order(mode)).document)
    const observation = (value: number, unit: string) =>
      left({ resourceType: 'Observation', status: 'final', valueQuantity: { value, unit } })
    for (const unit of ['years', 'Yrs', 'a']) assert.match(observation(93, unit), /"value":90,"comparator":">="/)
    assert.match(observation(1130, 'months'), /"value":90,"comparator":">="/)
    assert.match(observation(89, 'years'), /"value":89,"unit":"a"/)
    assert.match(observation(93, 'mm[Hg]'), /"value":93/)
    const mother: Obj = { resourceType: 'FamilyMemberHistory', status: 'completed', bornDate: '1920-05-01' }
    assert.doesNotMatch(left(mother), /1920/)
    assert.match(left(mother, 'limited'), /1920|1919/)
    assert.doesNotMatch(left({ resourceType: 'Condition', onsetDateTime: '1931' }), /1931/)
    assert.match(left({ ...mother, ageAge: { value: 95 } }), /"ageAge":{"value":90,"comparator":">="/)
  })

  test('of two Patients in a document the first is whom it is about; the other has an address of her own', () => {
    const child = { fullUrl: 'urn:uuid:child', resource: { resourceType: 'Patient', id: 'c', birthDate: '2026-01-02' } }
    const { document } = deidentify({ ...built(0), entry: [...entriesOf(built(0)), child] }, order('limited'))
    const patients = entriesOf(document).filter(({ resource }) => (resource as Obj)['resourceType'] === 'Patient')
    assert.equal(new Set(patients.map(({ fullUrl }) => fullUrl)).size, 2)
    assert.equal(patients.filter(({ resource }) => 'identifier' in (resource as Obj)).length, 1)
  })

  test('safe harbour: of dates the year, nobody over 89', () => {
    for (const document of DOCUMENTS) {
      const text = JSON.stringify(deidentify(document, order('safe-harbour')).document)
      const dates = text.replaceAll(/\d{4}-01-01T00:00:00Z/g, '').match(/\b\d{4}-\d{2}(-\d{2})?\b(?!-)/g)
      assert.equal(dates, null)
    }
    const old = { ...built(0), entry: changed(built(0), 'Patient', { birthDate: '1936-11-21' }) }
    const young = { ...built(0), entry: changed(built(0), 'Patient', { birthDate: '1936-11-23' }) }
    assert.equal(patientOf(deidentify(old, order('safe-harbour')).document)['birthDate'], undefined)
    assert.equal(patientOf(deidentify(young, order('safe-harbour')).document)['birthDate'], '1936')
  })

  test('limited: all dates of a patient move by the same days, another patient’s by others', () => {
    const dateOf = (patient: string) =>
      String(patientOf(deidentify(built(0), order('limited', { patient })).document)['birthDate'])
    assert.notEqual(dateOf('meena.test@sbx'), '1980-02-29')
    assert.notEqual(dateOf('meena.test@sbx'), dateOf('asha.rao@sbx'))
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: 1, max: 400 }),
        (who, start, gap) => {
          const days = shiftDaysOf(PROJECT, who)
          assert.ok(days !== 0 && Math.abs(days) <= 182)
          const day = (n: number) => new Date(Date.UTC(2015, 0, 1) + n * 86_400_000).toISOString().slice(0, 10)
          const [from, to] = [day(start), day(start + gap)].map((one) => Date.parse(shiftDate(one, days, NOW) ?? ''))
          assert.equal((to ?? 0) - (from ?? 0), gap * 86_400_000)
        },
      ),
    )
  })

  test('pseudonyms are the same within a project and unrelated between projects and patients', () => {
    const other: Project = { id: 'cancer-2027', key: PROJECT.key }
    const names = [
      patientPseudonym(PROJECT, 'a@sbx'),
      patientPseudonym(PROJECT, 'b@sbx'),
      patientPseudonym(other, 'a@sbx'),
    ]
    assert.equal(new Set(names).size, 3)
    assert.equal(patientPseudonym(PROJECT, 'a@sbx'), names[0])
    assert.throws(() => patientPseudonym({ id: 'x', key: new Uint8Array(16) }, 'a@sbx'), /at least 32 bytes/)
    const idOf = (at: number) => patientOf(deidentify(built(at), order('limited')).document)['id']
    assert.equal(idOf(0), idOf(1), 'documents of one patient meet')
  })

  test('references lead to what is in the document, and nowhere else', () => {
    for (const document of DOCUMENTS) {
      const left = deidentify(document, order('limited')).document
      const addresses = (left['entry'] as readonly Obj[]).map(({ fullUrl }) => fullUrl)
      for (const [, address] of JSON.stringify(left).matchAll(/"reference":"([^"]+)"/g))
        assert.ok(addresses.includes(address), `${address} is not in the document`)
    }
  })

  test('a resource with a modifier extension goes: without it, it would say something else', () => {
    const modifierExtension = [{ url: 'https://hospital.example/negated', valueBoolean: true }]
    const document = { ...built(0), entry: changed(built(0), 'Condition', { modifierExtension }) }
    const { document: left, removed } = deidentify(document, order('limited'))
    assert.ok(!JSON.stringify(left).includes('"resourceType":"Condition"'))
    assert.ok((removed.extension ?? 0) > 0)
  })

  test('a text stays only when exactly it was reviewed', () => {
    const first = deidentify(built(0), order('limited'))
    const chosen = first.toReview.find(({ text }) => text.length > 5)
    assert.ok(chosen)
    assert.equal(chosen.sha256, reviewHash(chosen.text))
    const again = deidentify(built(0), order('limited', { reviewed: new Set([chosen.sha256]) }))
    assert.ok(JSON.stringify(again.document).includes(JSON.stringify(chosen.text)))
    assert.ok(again.toReview.every(({ sha256 }) => sha256 !== chosen.sha256))
  })

  test('what is no document, or broken in any way, never throws and never leaks', () => {
    for (const broken of [
      null,
      7,
      'Asha',
      [],
      {},
      { entry: 'x' },
      { entry: [null, 1, { resource: { resourceType: 'Asha' } }] },
    ])
      assert.ok(!JSON.stringify(deidentify(broken, order('safe-harbour')).document).includes('Asha'))
  })

  test('ages are whole years', () => {
    assert.equal(ageAt('1936-11-22', NOW), 90)
    assert.equal(ageAt('1936-11-23', NOW), 89)
    assert.equal(ageAt('not a date', NOW), undefined)
  })
})

const entriesOf = (document: Obj) => document['entry'] as readonly Obj[]

function plantNumber(value: number): Obj {
  const change = (node: unknown): unknown =>
    Array.isArray(node)
      ? node.map(change)
      : isObject(node)
        ? Object.fromEntries(
            Object.entries(node).map(([key, one]) => [
              key,
              key === 'valueQuantity' ? { value, unit: 'mg/dL' } : change(one),
            ]),
          )
        : node
  return change(sampleDocument('DiagnosticReport')) as Obj
}

function changed(document: Obj, type: string, more: Obj): unknown {
  return (document['entry'] as readonly Obj[]).map((entry) =>
    isObject(entry['resource']) && entry['resource']['resourceType'] === type
      ? { ...entry, resource: { ...entry['resource'], ...more } }
      : entry,
  )
}

function patientOf(document: Obj): Obj {
  const found = (document['entry'] as readonly Obj[])
    .map(({ resource }) => resource)
    .find((resource) => isObject(resource) && resource['resourceType'] === 'Patient')
  assert.ok(isObject(found))
  return found
}

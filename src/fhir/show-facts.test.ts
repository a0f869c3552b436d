import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { buildDocument } from './build/document.ts'
import type { DocumentInput } from './build/inputs.ts'
import { SAMPLE_INPUTS } from './build/sample-inputs.ts'
import { HI_TYPES } from './hi-type.ts'
import { showDocument } from './show.ts'
import type { BillFacts } from './show-bill.ts'
import { type Facts, factsOf } from './show-facts.ts'
import type { MedicineFacts } from './show-medicine.ts'
import { flagOf, type ResultFacts } from './show-result.ts'
import { rowsOf } from './trends.ts'

const none = () => undefined

function build(hiType: DocumentInput['hiType']) {
  const input = SAMPLE_INPUTS.find((one) => one.hiType === hiType)
  assert.ok(input)
  let count = 0
  const makeUuid = () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
  return buildDocument(input, { bundleId: makeUuid(), now: new Date('2026-03-01T00:00:00Z'), makeUuid })
}

function factsIn(hiType: DocumentInput['hiType']): readonly Facts[] {
  const shown = showDocument(build(hiType))
  assert.ok(shown)
  return rowsOf(shown).flatMap(({ facts }) => facts ?? [])
}

function pick<T extends Facts['type']>(facts: readonly Facts[], type: T): Extract<Facts, { type: T }> {
  const found = facts.find((one): one is Extract<Facts, { type: T }> => one.type === type)
  assert.ok(found, `no ${type} among ${facts.map((one) => one.type).join(', ')}`)
  return found
}

describe('facts of our own documents', () => {
  test('a medicine: drug, dose, how often, for how long, until when', () => {
    const medicine = pick(factsIn('Prescription'), 'medicine')
    assert.equal(medicine.drug.words, 'Metformin 500 mg tablet')
    assert.equal(medicine.status, 'active')
    const [dosage] = medicine.dosages ?? []
    assert.deepEqual(dosage?.dose, { value: 1, unit: 'tablet' })
    assert.equal(dosage?.text, '1 tablet, twice a day after food, for 30 days')
    assert.deepEqual(dosage?.lasts, { value: 30, unit: 'd' })
    assert.equal(dosage?.until, '2026-02-11')
    assert.equal(medicine.until, '2026-02-11')
  })

  test('a result: number, unit, range, flag as the laboratory gave it', () => {
    const facts = factsIn('DiagnosticReport')
    const report = pick(facts, 'report')
    assert.equal(report.conclusion, 'Raised fasting glucose.')
    const glucose = pick(facts, 'result')
    assert.deepEqual(
      [glucose.number, glucose.unit, glucose.low, glucose.high, glucose.flag, glucose.flagFrom],
      [148, 'mg/dL', 70, 100, 'high', 'source'],
    )
    assert.ok(glucose.name.codes.length > 0)
  })

  test('each of the eight kinds has rows with facts or files', () => {
    for (const hiType of HI_TYPES) {
      const shown = showDocument(build(hiType))
      assert.ok(shown)
      const rows = shown.sections.flatMap((section) => section.rows)
      assert.ok(rows.length > 0, hiType)
      for (const row of rows) assert.ok(row.facts ?? row.attachment, `${hiType}: ${row.kind} ${row.what}`)
    }
  })

  test('sections of known codes and titles have a role', () => {
    const consultation = showDocument(build('OPConsultation'))
    assert.deepEqual(
      consultation?.sections.map(({ role }) => role),
      [
        'complaints',
        'examination',
        'allergies',
        'history',
        'family',
        'advice',
        'medicines',
        'follow-up',
        'procedures',
        'referral',
        'observations',
        'documents',
      ],
    )
    assert.equal(showDocument(build('WellnessRecord'))?.sections[0]?.role, 'vital-signs')
  })

  test('a bill: every line adds up to its amount, all lines to the total', () => {
    const bill: BillFacts = pick(factsIn('Invoice'), 'bill')
    assert.equal(bill.gross, 64.85)
    const sum = bill.lines.reduce((total, { amount }) => total + amount, 0)
    assert.ok(Math.abs(sum - 64.85) < 0.005)
    assert.equal(bill.lines[0]?.what, 'Metformin 500 mg tablet')
  })

  test('a vaccine with dose and lot, and what is due next', () => {
    const facts = factsIn('ImmunizationRecord')
    const { dose, doses, lot } = pick(facts, 'vaccine')
    assert.deepEqual([dose, doses, lot], ['1', '1', 'L1'])
    assert.deepEqual(pick(facts, 'vaccines-due').due, [{ vaccine: 'Influenza vaccine', on: '2027-01-12', dose: '2' }])
  })
})

const observation = (rest: object) =>
  factsOf({ resourceType: 'Observation', code: { text: 'Potassium' }, ...rest }, none) as ResultFacts
const quantity = (value: number, unit = 'mmol/L', comparator?: string) => ({
  value,
  unit,
  ...(comparator && { comparator }),
})

describe('the flag of a result', () => {
  test('comes from the range only when value and range are in one unit', () => {
    const referenceRange = [{ low: { value: 3.5, unit: 'mmol/L' }, high: { value: 5.1, unit: 'mmol/L' } }]
    const high = observation({ valueQuantity: quantity(6.2), referenceRange })
    assert.deepEqual([high.flag, high.flagFrom], ['high', 'range'])
    const other = observation({ valueQuantity: quantity(24, 'mg/dL'), referenceRange })
    assert.deepEqual([other.flag, other.low, other.rangeWords], [undefined, undefined, '3.5 – 5.1 mmol/L'])
  })

  test('is what the source says, even when the range says otherwise', () => {
    const referenceRange = [{ low: { value: 3.5 }, high: { value: 5.1 } }]
    const said = observation({ valueQuantity: quantity(4), referenceRange, interpretation: [{ text: 'HIGH' }] })
    assert.deepEqual([said.flag, said.flagFrom], ['high', 'source'])
  })

  test('is not guessed where several ranges stand for several kinds of people', () => {
    const referenceRange = [
      { low: { value: 13 }, appliesTo: [{ text: 'Men' }], text: '13 to 17' },
      { low: { value: 12 }, appliesTo: [{ text: 'Women' }], text: '12 to 15' },
    ]
    const found = observation({ valueQuantity: quantity(12.5, 'g/dL'), referenceRange })
    assert.deepEqual([found.flag, found.rangeWords], [undefined, 'Men: 13 to 17; Women: 12 to 15'])
  })

  test('agrees with plain comparison, and with every value that a comparator leaves open', () => {
    const bound = fc.integer({ min: 0, max: 50 })
    fc.assert(
      fc.property(bound, bound, bound, fc.constantFrom(undefined, '<', '<=', '>', '>='), (a, b, value, comparator) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)]
        const flag = flagOf(value, comparator, low, high)
        const possible = [-1, -0.5, 0, 0.5, 1, 200, -200]
          .map((step) => value + step)
          .filter((one) => {
            if (comparator === undefined) return one === value
            if (comparator === '<') return one < value
            if (comparator === '<=') return one <= value
            return comparator === '>' ? one > value : one >= value
          })
        const flags = new Set(possible.map((one) => (one < low ? 'low' : one > high ? 'high' : 'normal')))
        if (flag !== undefined) assert.deepEqual([...flags], [flag])
        if (comparator === undefined) assert.ok(flag)
      }),
    )
  })

  test('a range upside down, or none, gives no flag', () => {
    assert.equal(flagOf(4, undefined, 9, 3), undefined)
    assert.equal(flagOf(4, undefined, undefined, undefined), undefined)
    assert.equal(flagOf(4, '~', 3, 9), undefined)
  })
})

const medicine = (rest: object) =>
  factsOf(
    {
      resourceType: 'MedicationRequest',
      medicationCodeableConcept: { text: 'Iron' },
      authoredOn: '2026-01-31',
      ...rest,
    },
    none,
  ) as MedicineFacts

describe('how long a medicine lasts', () => {
  const lasting = (value: unknown, code: string) =>
    medicine({ dosageInstruction: [{ timing: { repeat: { boundsDuration: { value, code } } } }] }).until

  test('calendar months, weeks, days; nothing from what is odd', () => {
    assert.equal(lasting(1, 'mo'), '2026-02-28')
    assert.equal(lasting(2, 'wk'), '2026-02-14')
    assert.equal(lasting(1, 'a'), '2027-01-31')
    assert.equal(lasting(6, 'h'), undefined)
    assert.equal(lasting(-3, 'd'), undefined)
    assert.equal(lasting(1e12, 'd'), undefined)
    assert.equal(lasting('ten', 'd'), undefined)
    assert.equal(medicine({ authoredOn: 'yesterday' }).until, undefined)
  })

  test('one course without an end leaves the end open', () => {
    const dosageInstruction = [
      { timing: { repeat: { boundsPeriod: { end: '2026-03-01' } } } },
      { text: 'then as needed' },
    ]
    assert.equal(medicine({ dosageInstruction }).until, undefined)
  })
})

test('mangled documents never throw, and never turn text into anything but text', () => {
  const documents = HI_TYPES.map(build)
  const junk = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      [],
      {},
      '',
      0,
      -1,
      true,
      [null],
      [[]],
      { reference: 'urn:x' },
      '<img src=x onerror=alert(1)>',
    ),
    fc.jsonValue({ maxDepth: 2 }),
  )
  fc.assert(
    fc.property(fc.nat(7), fc.array(fc.tuple(fc.nat(), junk), { minLength: 1, maxLength: 12 }), (which, changes) => {
      const copy = structuredClone(documents[which]) as unknown
      for (const [at, value] of changes) {
        const places = placesIn(copy)
        const place = places[at % places.length]
        if (place !== undefined) place.holder[place.name] = structuredClone(value)
      }
      const shown = showDocument(copy)
      if (shown !== undefined) for (const row of rowsOf(shown)) assert.equal(typeof row.what, 'string')
    }),
    { numRuns: 400 },
  )
})

type Holder = Record<string, unknown>

function placesIn(node: unknown): { readonly holder: Holder; readonly name: string }[] {
  if (typeof node !== 'object' || node === null) return []
  const holder = node as Holder
  return Object.keys(holder).flatMap((name) => [{ holder, name }, ...placesIn(holder[name])])
}

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildDocument } from '../../fhir/build/document.ts'
import { documentInput, type ObservationInput } from '../../fhir/build/inputs.ts'
import { HI_TYPES } from '../../fhir/hi-type.ts'
import { validateDocument } from '../../fhir/validate.ts'
import { parseAbhaAddress, parseAbhaNumber, parseFacilityId } from '../../kernel/id.ts'
import { daysSince } from './calendar.ts'
import { CONDITIONS } from './conditions.ts'
import { TESTS } from './laboratory.ts'
import { MEDICINES } from './medicines.ts'
import { HOLDERS } from './person.ts'
import { makePopulation } from './population.ts'
import { CHILD_SCHEDULE, VACCINES } from './vaccines.ts'

const NOW = new Date('2026-11-22T03:00:00Z')
const { patients, holdings } = makePopulation(NOW, 1)
const papers = holdings.flatMap((holding) =>
  holding.careContexts.map((context) => ({ ...context, holder: holding.holder, abhaAddress: holding.abhaAddress })),
)
const asha = papers.filter((paper) => paper.abhaAddress === 'asha.rao@sbx')
const ageAt = (birthDate: string, at: string) => (Date.parse(at) - Date.parse(birthDate)) / (365.25 * 86_400_000)

describe('the people', () => {
  test('about thirty, each with ids that parse and that nobody else has', () => {
    assert.ok(patients.length >= 28 && patients.length <= 34, String(patients.length))
    for (const pick of [
      (p: (typeof patients)[number]) => p.abhaAddress,
      (p: (typeof patients)[number]) => p.abhaNumber,
      (p: (typeof patients)[number]) => p.mobile,
    ]) {
      assert.equal(new Set(patients.map(pick)).size, patients.length)
    }
    for (const patient of patients) {
      assert.equal(parseAbhaAddress(patient.abhaAddress), patient.abhaAddress)
      assert.equal(parseAbhaNumber(patient.abhaNumber), patient.abhaNumber)
      assert.match(patient.abhaNumber, /^9100000000\d{4}$/)
      assert.match(patient.mobile, /^90000000\d{2}$/)
      assert.match(patient.birthDate, /^\d{4}-\d{2}-\d{2}$/)
      assert.ok(patient.email === undefined || patient.email.endsWith('.example'))
    }
    for (const holder of Object.values(HOLDERS)) assert.equal(parseFacilityId(holder.facilityId), holder.facilityId)
  })

  test('children have a grown-up guardian among them, and only they', () => {
    const byAddress = new Map(patients.map((patient) => [patient.abhaAddress, patient]))
    const children = patients.filter((patient) => daysSince(NOW, patient.birthDate) < 18 * 365.25)
    assert.ok(children.length >= 4)
    for (const patient of patients) {
      const guardian = patient.guardian && byAddress.get(patient.guardian)
      assert.equal(guardian !== undefined, children.includes(patient), patient.name)
      if (guardian) assert.ok(ageAt(guardian.birthDate, patient.birthDate) > 18, patient.name)
    }
  })

  test('many languages and states; PIN codes begin as those of their state', () => {
    const zones: Record<string, string> = {
      Maharashtra: '4',
      Karnataka: '5',
      Punjab: '1',
      'West Bengal': '7',
      Telangana: '5',
      Gujarat: '3',
      Kerala: '6',
      Odisha: '7',
      'Uttar Pradesh': '2',
      Bihar: '8',
      Assam: '7',
      'Tamil Nadu': '6',
    }
    assert.ok(new Set(patients.map((patient) => patient.language)).size >= 10)
    assert.ok(new Set(patients.map((patient) => patient.address.state)).size >= 8)
    for (const { address } of patients) assert.equal(address.pincode.charAt(0), zones[address.state], address.state)
  })

  test('Asha is first, 52, and new at Vanashree', () => {
    const [first] = patients
    assert.equal(first?.abhaAddress, 'asha.rao@sbx')
    assert.equal(Math.floor(daysSince(NOW, first.birthDate) / 365.25), 52)
    const holders = new Set(asha.map((paper) => paper.holder))
    for (const holder of ['tarangini', 'pratibimb', 'aushadhika'] as const) assert.ok(holders.has(holder), holder)
    assert.ok(!holders.has('vanashree'))
    assert.deepEqual(new Set(asha.map((paper) => paper.hiType)), new Set(HI_TYPES))
  })

  test("Asha's HbA1c tells her story: from above 9, twice up again, now below 7", () => {
    const series = asha
      .flatMap(({ document, date }) =>
        document.hiType === 'DiagnosticReport' && document.report.kind === 'lab'
          ? document.report.results.map((result) => ({ result, date }))
          : [],
      )
      .filter(({ result }) => result.code.loinc?.code === '4548-4')
      .toSorted((a, b) => a.date.localeCompare(b.date))
      .map(({ result }) => numberOf(result))
    assert.deepEqual(series, [9.2, 7.9, 7.1, 6.9, 7.4, 8.1, 7.3, 7.0, 7.6, 8.4, 7.2, 6.8])
  })
})

describe('their papers', () => {
  test('250 to 450, of all eight types, below 6 MB, each valid to the letter', () => {
    assert.ok(papers.length >= 250 && papers.length <= 450, String(papers.length))
    assert.deepEqual(new Set(papers.map((paper) => paper.hiType)), new Set(HI_TYPES))
    let count = 0
    let bytes = 0
    const makeUuid = () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
    for (const { document, careContextReference } of papers) {
      assert.deepEqual(documentInput.parse(document), document, careContextReference)
      const bundle = buildDocument(document, { bundleId: makeUuid(), now: NOW, makeUuid })
      assert.deepEqual(validateDocument(bundle, 'strict'), [], careContextReference)
      bytes += JSON.stringify(bundle).length
    }
    assert.ok(bytes < 6_000_000, String(bytes))
  })

  test('references are unique, legal and oldest first; displays tell the kind and the day only', () => {
    const references = papers.map((paper) => paper.careContextReference)
    assert.equal(new Set(references).size, references.length)
    for (const reference of references) assert.match(reference, /^[a-zA-Z0-9_\-@,().":/| ]{1,255}$/)
    const kinds =
      /^(OPD visit|Prescription|Laboratory report|Imaging report|Hospital stay|Vaccination visit|Document|Health check|Bill), \d{1,2} [A-Z][a-z]{2} \d{4}$/
    for (const { display } of papers) assert.match(display, kinds)
    const words = Object.values(CONDITIONS).map((condition) => condition.text.toLowerCase())
    for (const { display } of papers) assert.ok(!words.some((word) => display.toLowerCase().includes(word)), display)
    for (const { careContexts } of holdings) {
      const dates = careContexts.map((context) => Date.parse(context.date))
      assert.deepEqual(
        dates,
        dates.toSorted((a, b) => a - b),
      )
    }
  })

  test('one patient number per person and holder, carried inside the document', () => {
    const numbers = holdings.map((holding) => `${holding.holder}/${holding.mrn}`)
    assert.equal(new Set(numbers).size, numbers.length)
    for (const { holder, mrn, abhaAddress, careContexts } of holdings) {
      for (const { document, hiType, date } of careContexts) {
        assert.equal(document.patient.mrn, mrn)
        assert.equal(document.patient.abhaAddress, abhaAddress)
        assert.equal(document.organisation.facilityId, HOLDERS[holder].facilityId)
        assert.deepEqual([document.hiType, document.date], [hiType, date])
      }
    }
  })

  test('everyone has papers, the insurer has bills only, nothing is dated in the future or before birth', () => {
    assert.deepEqual(new Set(papers.map((paper) => paper.abhaAddress)), new Set(patients.map((one) => one.abhaAddress)))
    for (const paper of papers) {
      if (paper.holder === 'chhatraksha') assert.equal(paper.hiType, 'Invoice')
      assert.ok(Date.parse(paper.date) <= NOW.getTime(), paper.careContextReference)
      assert.ok(paper.date.slice(0, 10) >= paper.document.patient.birthDate, paper.careContextReference)
    }
    const years = papers.map((paper) => Number(paper.date.slice(0, 4)))
    assert.ok(Math.max(...years) - Math.min(...years) >= 7)
    assert.ok(papers.some((paper) => NOW.getTime() - Date.parse(paper.date) < 30 * 86_400_000))
  })
})

function numberOf(observation: ObservationInput): number {
  assert.ok(observation.value && 'value' in observation.value, observation.code.text)
  return observation.value.value
}

describe('what an Indian doctor would look at', () => {
  const observations = papers.flatMap(({ document }): readonly ObservationInput[] => {
    if (document.hiType === 'OPConsultation') return document.examination ?? []
    if (document.hiType === 'DiagnosticReport') return document.report.kind === 'lab' ? document.report.results : []
    if (document.hiType === 'WellnessRecord')
      return [...(document.vitalSigns ?? []), ...(document.bodyMeasurements ?? [])]
    if (document.hiType !== 'DischargeSummary') return []
    const results = (document.investigations ?? []).flatMap((one) => (one.kind === 'lab' ? one.results : []))
    return [...(document.examination ?? []), ...results]
  })

  test('laboratory values are possible and flagged as their range says', () => {
    const byCode = new Map<string, { possible: readonly [number, number]; unit: string }>(
      Object.values(TESTS).map((one) => [one.code.loinc?.code ?? '', one]),
    )
    const measured = observations.filter((one) => byCode.has(one.code.loinc?.code ?? ''))
    assert.ok(measured.length > 200)
    for (const one of measured) {
      const known = byCode.get(one.code.loinc?.code ?? '')
      const value = numberOf(one)
      assert.ok(known && value >= known.possible[0] && value <= known.possible[1], `${one.code.text} ${value}`)
      const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = one.range ?? {}
      assert.equal(one.flag, value < low ? 'L' : value > high ? 'H' : 'N', one.code.text)
    }
  })

  test('vital signs are those of the living', () => {
    const limits: Record<string, [number, number]> = {
      '8867-4': [40, 180],
      '9279-1': [10, 40],
      '2708-6': [85, 100],
      '61008-9': [35, 41],
      '29463-7': [2, 150],
      '8480-6': [80, 200],
      '8462-4': [45, 120],
      '39156-5': [12, 45],
      '8302-2': [45, 200],
    }
    for (const one of observations) {
      for (const part of one.components ?? []) {
        const [low, high] = limits[part.code.loinc?.code ?? ''] ?? [Number.NaN, Number.NaN]
        assert.ok(part.value.value >= low && part.value.value <= high, part.code.text)
      }
      const [low, high] = limits[one.code.loinc?.code ?? ''] ?? []
      if (low !== undefined && high !== undefined && one.value) {
        assert.ok(numberOf(one) >= low && numberOf(one) <= high, `${one.code.text} ${numberOf(one)}`)
      }
    }
  })

  test('each prescribed medicine has a dose, a time and a length; children get syrups and inhalers', () => {
    const tablets = new Set(
      Object.values(MEDICINES).flatMap((one) =>
        /tablet|capsule|injection/.test(one.medicine.text) ? [one.medicine.text] : [],
      ),
    )
    let count = 0
    for (const { document, date } of papers) {
      if (document.hiType !== 'Prescription') continue
      for (const one of document.medications) {
        count++
        assert.match(one.dose, /^(\d+ (tablets?|ml|puffs?|capsule|drop|IU|mg)|thin layer)$/, one.medicine.text)
        assert.ok(one.timing.length > 5 && one.duration && one.duration.value > 0, one.medicine.text)
        if (ageAt(document.patient.birthDate, date) < 12) assert.ok(!tablets.has(one.medicine.text), one.medicine.text)
      }
    }
    assert.ok(count > 80)
  })

  test('vaccines of childhood are given when they are due, doses in order', () => {
    const given = papers.flatMap(({ document, abhaAddress }) =>
      document.hiType === 'ImmunizationRecord'
        ? document.immunisations.map((one) => ({ ...one, abhaAddress, birthDate: document.patient.birthDate }))
        : [],
    )
    const dueOf = new Map(CHILD_SCHEDULE.map(([due, name, dose]) => [`${VACCINES[name].text}/${dose}`, due]))
    let children = 0
    for (const one of given) {
      const ageDays = Math.round(ageAt(one.birthDate, one.date.slice(0, 10)) * 365.25)
      if (ageDays > 18 * 365) continue
      children++
      const due = dueOf.get(`${one.vaccine.text}/${one.doseNumber}`)
      assert.ok(due !== undefined && ageDays >= due && ageDays <= due + 14, `${one.vaccine.text} at ${ageDays} days`)
      assert.ok(one.nextDue === undefined || one.nextDue > one.date)
    }
    assert.ok(children > 40)
    const courses = Map.groupBy(given, (one) => `${one.abhaAddress}/${one.vaccine.text}`)
    for (const course of courses.values()) {
      const doses = course.toSorted((a, b) => a.date.localeCompare(b.date)).map((one) => one.doseNumber)
      assert.deepEqual(
        doses,
        doses.map((_, at) => at + 1),
      )
    }
  })
})

test('the same for the same now and seed, fresh for another now', () => {
  assert.deepEqual(makePopulation(NOW, 1), { patients, holdings })
  assert.notDeepEqual(makePopulation(NOW, 2).holdings, holdings)
  const later = makePopulation(new Date('2028-03-05T20:00:00Z'), 1)
  const newest = later.holdings
    .flatMap((one) => one.careContexts)
    .reduce((max, one) => (one.date > max ? one.date : max), '')
  assert.ok(newest.startsWith('2028-0'))
  assert.equal(later.holdings.flatMap((one) => one.careContexts).length > 250, true)
})

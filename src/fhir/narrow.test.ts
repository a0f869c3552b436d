import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Bundle, Composition, FhirResource } from 'fhir/r4.js'
import { buildDocument } from './build/document.ts'
import type { DocumentInput } from './build/inputs.ts'
import { SAMPLE_INPUTS } from './build/sample-inputs.ts'
import { hasErrors } from './findings.ts'
import { HI_TYPES } from './hi-type.ts'
import { CONCLUSION_WITHHELD, type NarrowPermission, narrow } from './narrow.ts'
import { makeResolver, referencesIn } from './narrow-references.ts'
import { validateDocument } from './validate.ts'

const START = Date.parse('2026-01-01T00:00:00+05:30')
const DAY = 86_400_000

function build(input: DocumentInput): Bundle {
  let count = 0
  const makeUuid = () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`
  return buildDocument(input, { bundleId: makeUuid(), now: new Date(START + 90 * DAY), makeUuid })
}

function permit(from: string, to: string, more: Partial<NarrowPermission> = {}): NarrowPermission {
  return { hiTypes: HI_TYPES, from: new Date(from), to: new Date(to), ...more }
}

function sample(hiType: DocumentInput['hiType']): DocumentInput {
  const found = SAMPLE_INPUTS.find((input) => input.hiType === hiType)
  assert.ok(found)
  return found
}

function only<T extends FhirResource['resourceType']>(bundle: Bundle, type: T): FhirResource[] {
  const all = (bundle.entry ?? []).map((entry) => entry.resource as FhirResource)
  return all.filter((resource) => resource.resourceType === type)
}

function titles(bundle: Bundle): (string | undefined)[] {
  const [composition] = only(bundle, 'Composition') as Composition[]
  return composition?.section?.map((section) => section.title) ?? []
}

const WIDE = permit('1990-01-01', '2030-01-01')
const THIS_YEAR = permit('2026-01-01T00:00:00+05:30', '2026-12-31T23:59:59+05:30')

describe('narrow', () => {
  for (const [at, input] of SAMPLE_INPUTS.entries()) {
    test(`${input.hiType} (${at}) within the permission comes back as the same object`, () => {
      const document = build(input)
      const before = JSON.stringify(document)
      const answer = narrow(document, WIDE)
      assert.equal(answer.outcome, 'whole')
      assert.equal(answer.document, document)
      assert.equal(JSON.stringify(document), before)
    })
  }

  test('withholds other types, other dates, unknown types, dates that are none, and an empty range', () => {
    const document = build(sample('Prescription'))
    const why = (answer: ReturnType<typeof narrow>) => (answer.outcome === 'withheld' ? answer.why : answer.outcome)
    const others = HI_TYPES.filter((type) => type !== 'Prescription')
    assert.match(why(narrow(document, { ...WIDE, hiTypes: others })), /Prescription is not among/)
    assert.match(why(narrow(document, permit('2026-02-01', '2026-12-31'))), /dated outside/)
    assert.match(why(narrow(document, permit('nonsense', '2026-12-31'))), /dated outside/)
    assert.match(why(narrow(document, permit('2026-12-31', '2026-01-01'))), /dated outside/)
    assert.match(why(narrow({ ...document, entry: [] }, WIDE)), /not a document/)
    assert.match(why(narrow({ resourceType: 'Bundle', type: 'document' }, WIDE)), /not a document/)
  })

  test('an old procedure goes from a consultation, the diabetes that still lasts stays', () => {
    const answer = narrow(build(sample('OPConsultation')), THIS_YEAR)
    assert.equal(answer.outcome, 'narrowed')
    const text = JSON.stringify(answer.document)
    assert.ok(!text.includes('Appendicectomy'))
    assert.ok(text.includes('"onsetDateTime":"2018"'))
    assert.ok(titles(answer.document).includes('Medical history'))
    assert.ok(!titles(answer.document).includes('Documents'), 'the scan of the whole note goes too')
    assert.deepEqual(
      new Set(answer.removed.map((one) => one.why)),
      new Set(['outside the dates', 'may repeat what was cut']),
    )
    assert.deepEqual(
      validateDocument(answer.document, 'strict').filter((one) => one.severity === 'error'),
      [],
    )
    assert.equal(answer.document.meta?.tag?.[0]?.code, 'SUBSETTED')
  })

  test('old results go from a report, and with them its conclusion, its print and its section when none is left', () => {
    const input = sample('DiagnosticReport')
    assert.ok(input.hiType === 'DiagnosticReport' && input.report.kind === 'lab')
    const [first, second] = input.report.results
    assert.ok(first && second)
    const results = [{ ...first, date: '2025-06-01T08:00:00+05:30' }, second]
    const some = narrow(build({ ...input, report: { ...input.report, results } }), THIS_YEAR)
    assert.equal(some.outcome, 'narrowed')
    const [report] = only(some.document, 'DiagnosticReport')
    assert.ok(report?.resourceType === 'DiagnosticReport')
    assert.equal(report.result?.length, 1)
    assert.equal(report.conclusion, CONCLUSION_WITHHELD)
    assert.equal(report.presentedForm, undefined)
    assert.equal(only(some.document, 'DocumentReference').length, 0)
    const old = results.map((one) => ({ ...one, date: '2025-06-01' }))
    const none = narrow(build({ ...input, report: { ...input.report, results: old } }), THIS_YEAR)
    assert.equal(none.outcome, 'withheld')
  })

  test('a healed condition of before goes, a stay that touches the range stays', () => {
    const input = sample('DischargeSummary')
    assert.ok(input.hiType === 'DischargeSummary')
    const healed = { what: { text: 'Healed fracture' }, status: 'resolved' as const, onset: '2019-03-01' }
    const document = build({ ...input, history: [healed] })
    const answer = narrow(document, permit('2026-01-11T00:00:00+05:30', '2026-02-01'))
    assert.equal(answer.outcome, 'narrowed')
    assert.ok(!JSON.stringify(answer.document).includes('Healed fracture'))
    assert.ok(!titles(answer.document).includes('Past medical history'))
    const encounter = only(document, 'Encounter')[0]
    assert.ok(encounter?.resourceType === 'Encounter')
    encounter.period = { start: '2025-03-01', end: '2025-03-04' }
    assert.equal(narrow(document, THIS_YEAR).outcome, 'withheld')
  })

  test('of two scans only the one within the dates stays', () => {
    const input = sample('HealthDocumentRecord')
    assert.ok(input.hiType === 'HealthDocumentRecord')
    const [first, second] = input.documents
    assert.ok(first && second)
    const documents = [{ ...first, title: 'Old letter', date: '2020-05-01' }, second]
    const answer = narrow(build({ ...input, documents }), THIS_YEAR)
    assert.equal(answer.outcome, 'narrowed')
    assert.ok(!JSON.stringify(answer.document).includes('Old letter'))
    assert.equal(only(answer.document, 'DocumentReference').length, 1)
  })
})

describe('narrow by field', () => {
  const fields = (hiType: DocumentInput['hiType'], ...allowedFields: string[]) =>
    narrow(build(sample(hiType)), { ...WIDE, allowedFields })

  test('keeps the doses and drops reasons, address and phone', () => {
    const answer = fields('Prescription', 'MedicationRequest.dosageInstruction')
    assert.equal(answer.outcome, 'narrowed')
    const [request] = only(answer.document, 'MedicationRequest')
    assert.ok(request?.resourceType === 'MedicationRequest')
    assert.equal(request.dosageInstruction?.[0]?.text, '1 tablet, twice a day after food, for 30 days')
    assert.equal(request.reasonCode, undefined)
    assert.equal(request.text, undefined)
    const text = JSON.stringify(answer.document)
    for (const gone of ['9000000099', 'First Street', 'Type 2 diabetes', '"Binary"'])
      assert.ok(!text.includes(gone), gone)
    assert.ok(!hasErrors(validateDocument(answer.document, 'strict')))
  })

  test('choice elements by their FHIR name, and nothing beside them', () => {
    const answer = fields('WellnessRecord', 'Observation.value[x]')
    assert.equal(answer.outcome, 'narrowed')
    const text = JSON.stringify(answer.document)
    assert.ok(text.includes('valueQuantity') && text.includes('valueString'))
    assert.ok(!text.includes('referenceRange') && !text.includes('DocumentReference'))
  })

  test('withholds when no field of the record is allowed, or when the rest would be invalid', () => {
    assert.equal(fields('Prescription').outcome, 'withheld')
    assert.equal(fields('Prescription', 'Observation').outcome, 'withheld')
    assert.equal(fields('Prescription', 'MedicationRequest.note').outcome, 'withheld')
    assert.equal(fields('HealthDocumentRecord', 'DocumentReference.content.attachment.title').outcome, 'withheld')
  })

  test('a section of words alone goes, unless the Composition is allowed', () => {
    const document = structuredClone(build(sample('Prescription')))
    const [composition] = only(document, 'Composition') as Composition[]
    const text = { status: 'generated' as const, div: '<div xmlns="http://www.w3.org/1999/xhtml">Secret words.</div>' }
    composition?.section?.[0]?.entry?.splice(2)
    assert.ok(composition?.section?.[0])
    composition.section[0].text = text
    const types = new Set((document.entry ?? []).map((entry) => entry.resource?.resourceType ?? ''))
    const all = [...types].filter((type) => type !== 'Composition')
    const cut = narrow(document, { ...WIDE, allowedFields: all })
    assert.equal(cut.outcome, 'narrowed')
    assert.ok(!JSON.stringify(cut.document).includes('Secret words'))
    assert.equal(narrow(document, { ...WIDE, allowedFields: [...all, 'Composition'] }).outcome, 'whole')
  })

  test('a report whose conclusion is not allowed says so in its place', () => {
    const answer = fields('DiagnosticReport', 'DiagnosticReport.result', 'Observation')
    assert.equal(answer.outcome, 'narrowed')
    const [report] = only(answer.document, 'DiagnosticReport')
    assert.ok(report?.resourceType === 'DiagnosticReport')
    assert.equal(report.conclusion, CONCLUSION_WITHHELD)
    assert.equal(only(answer.document, 'Specimen').length, 0)
  })
})

const EXAMPLES = new URL('../../../shared/fhir/examples/', import.meta.url)

describe('documents made by others', { skip: !existsSync(EXAMPLES) }, () => {
  const files = existsSync(EXAMPLES) ? readdirSync(EXAMPLES).filter((name) => name.endsWith('.json')) : []
  for (const file of files) {
    const document = JSON.parse(readFileSync(new URL(file, EXAMPLES), 'utf8')) as Bundle

    test(`${file}: whole within a wide permission`, () => {
      const answer = narrow(document, WIDE)
      assert.ok(answer.outcome === 'whole' && answer.document === document)
    })

    test(`${file}: what is cut leaves nothing dangling that was not`, () => {
      const dangling = (bundle: Bundle) => {
        const items = (bundle.entry ?? []).map((entry) => ({
          fullUrl: entry.fullUrl ?? '',
          resource: entry.resource as unknown as Record<string, unknown>,
        }))
        const resolve = makeResolver(items)
        return referencesIn(bundle).filter((reference) => !resolve(reference))
      }
      const before = new Set(dangling(document))
      for (const field of [
        'MedicationRequest',
        'Condition',
        'DiagnosticReport',
        'Observation',
        'Invoice',
        'ChargeItem',
      ]) {
        const answer = narrow(document, { ...WIDE, allowedFields: [field] })
        if (answer.outcome === 'narrowed') {
          assert.deepEqual(
            dangling(answer.document).filter((reference) => !before.has(reference)),
            [],
          )
          assert.ok(JSON.stringify(answer.document).length < JSON.stringify(document).length)
        }
      }
    })
  }
})

// Laws, over documents whose parts carry dates spread over forty days.

const day = fc.integer({ min: 0, max: 40 })
const moment = (at: number) => new Date(START + at * DAY + DAY / 2).toISOString()

const scattered = fc
  .tuple(fc.integer({ min: 0, max: SAMPLE_INPUTS.length - 1 }), fc.array(day, { minLength: 30, maxLength: 30 }))
  .map(([at, days]) => {
    const input = SAMPLE_INPUTS[at]
    assert.ok(input)
    return scatter(build(input), days)
  })

const DATED = ['effectiveDateTime', 'performedDateTime', 'authoredOn', 'occurrenceDateTime', 'createdDateTime'] as const

/** Gives each dated entry another day, and writes that day into its words so that it can be found again. */
function scatter(bundle: Bundle, days: readonly number[]): Bundle {
  const copy = structuredClone(bundle)
  for (const [at, entry] of (copy.entry ?? []).entries()) {
    const resource = entry.resource as unknown as Record<string, unknown>
    const on = days[at % days.length] ?? 0
    const name = DATED.find((one) => resource[one] !== undefined)
    if (name === undefined) continue
    resource[name] = moment(on)
    resource['language'] = `x-day-${on}`
  }
  return copy
}

const FIELDS = [
  'Observation',
  'Observation.value',
  'Condition',
  'MedicationRequest',
  'MedicationRequest.dosageInstruction',
  'DiagnosticReport',
  'DiagnosticReport.result',
  'Media',
  'Procedure',
  'Immunization',
  'Invoice',
  'ChargeItem',
  'DocumentReference',
  'Binary',
  'Patient.address',
  'Specimen',
  'Encounter',
]
const allowed = fc.option(fc.subarray(FIELDS), { nil: undefined })
/** Mostly around day 11, on which the samples are dated. */
const range = fc.tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 9, max: 40 }))

function permission([a, b]: readonly [number, number], allowedFields: readonly string[] | undefined): NarrowPermission {
  const [from, to] = [new Date(START + Math.min(a, b) * DAY), new Date(START + (Math.max(a, b) + 1) * DAY)]
  return { hiTypes: HI_TYPES, from, to, ...(allowedFields && { allowedFields }) }
}

function left(document: Bundle, given: NarrowPermission): Bundle | undefined {
  const answer = narrow(document, given)
  return answer.outcome === 'withheld' ? undefined : answer.document
}

/** Every value with its place, list positions left out. */
function facts(node: unknown, path = ''): string[] {
  if (Array.isArray(node)) return node.flatMap((item) => facts(item, path))
  if (typeof node !== 'object' || node === null) return [`${path}=${String(node)}`]
  const id = 'resourceType' in node && 'id' in node ? `:${String(node.id)}` : ''
  return Object.entries(node).flatMap(([name, value]) => facts(value, `${path}${id}.${name}`))
}

describe('laws of narrow', () => {
  test('nothing dangles, and the rest is valid', () => {
    fc.assert(
      fc.property(scattered, range, allowed, (document, days, fields) => {
        const rest = left(document, permission(days, fields))
        if (!rest) return
        const items = (rest.entry ?? []).map((entry) => ({
          fullUrl: entry.fullUrl ?? '',
          resource: entry.resource as unknown as Record<string, unknown>,
        }))
        const resolve = makeResolver(items)
        for (const reference of referencesIn(rest)) assert.ok(resolve(reference), reference)
        const known = new Set(validateDocument(document, 'strict').map((one) => one.rule))
        const fresh = validateDocument(rest, 'strict').filter((one) => one.severity === 'error' && !known.has(one.rule))
        assert.deepEqual(fresh, [])
      }),
      { numRuns: 60 },
    )
  })

  test('nothing outside the range survives', () => {
    fc.assert(
      fc.property(scattered, range, allowed, (document, [a, b], fields) => {
        const rest = left(document, permission([a, b], fields))
        const days = [...JSON.stringify(rest ?? {}).matchAll(/"x-day-(\d+)"/g)].map((match) => Number(match[1]))
        for (const on of days) assert.ok(on >= Math.min(a, b) && on <= Math.max(a, b))
      }),
      { numRuns: 200 },
    )
  })

  test('twice is once', () => {
    fc.assert(
      fc.property(scattered, range, allowed, (document, days, fields) => {
        const once = left(document, permission(days, fields))
        if (once) assert.deepEqual(left(once, permission(days, fields)), once)
      }),
      { numRuns: 100 },
    )
  })

  test('a smaller permission never yields more', () => {
    fc.assert(
      fc.property(scattered, range, range, allowed, allowed, (document, outer, inner, some, more) => {
        const large = permission(outer, more)
        const bounds = permission(inner, undefined)
        const small: NarrowPermission = {
          hiTypes: HI_TYPES,
          from: new Date(Math.max(large.from.getTime(), bounds.from.getTime())),
          to: new Date(Math.min(large.to.getTime(), bounds.to.getTime())),
          ...(more && { allowedFields: some ? more.filter((field) => some.includes(field)) : more }),
          ...(!more && some && { allowedFields: some }),
        }
        const less = left(document, small)
        if (!less) return
        const whole = left(document, large)
        assert.ok(whole, 'the larger permission yields something')
        const yielded = new Set(facts(whole))
        const extra = facts(less).filter((fact) => !yielded.has(fact))
        assert.deepEqual(
          extra.filter((fact) => !fact.includes('.meta.tag.') && !fact.includes(CONCLUSION_WITHHELD)),
          [],
        )
      }),
      { numRuns: 100 },
    )
  })
})

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Finding } from './findings.ts'
import { HI_TYPES } from './hi-type.ts'
import { type Json, pathsOf, put, sampleDocument } from './sample-documents.ts'
import { validateDocument } from './validate.ts'

const EXAMPLES = new URL('../../../shared/fhir/examples/', import.meta.url)
const OFFICIAL = [
  'DiagnosticReport-Lab-example-03',
  'InvoiceRecord-example-01',
  'OPConsultNote-example-05',
  'Prescription-example-06',
]

const errors = (findings: readonly Finding[]) => findings.filter((finding) => finding.severity === 'error')
const PATIENT = 'Bundle.entry[1].resource'
const COMPOSITION = 'Bundle.entry[0].resource'

describe('validateDocument, strict', () => {
  for (const type of HI_TYPES) {
    it(`finds nothing in a ${type} that holds the profiles`, () => {
      assert.deepEqual(validateDocument(sampleDocument(type), 'strict'), [])
    })
  }

  it('wants to know which of the eight types it is', () => {
    const document = put(sampleDocument('HealthDocumentRecord'), `${COMPOSITION}.type`, { text: 'something else' })
    put(document, `${COMPOSITION}.meta`, undefined)
    put(document, `${COMPOSITION}.section[0].code`, undefined)
    const found = errors(validateDocument(document, 'strict'))
    assert.deepEqual(
      found.map(({ path, rule }) => `${path} ${rule}`),
      [`${COMPOSITION}.type document-type`],
    )
    assert.deepEqual(errors(validateDocument(document, 'tolerant')), [])
  })

  it('holds a resource without declared profile to the profiles that the reference to it allows', () => {
    const document = put(sampleDocument('DiagnosticReport'), 'Bundle.entry[3].resource.meta', undefined)
    assert.deepEqual(validateDocument(document, 'strict'), [])
    put(document, 'Bundle.entry[3].resource.conclusion', undefined)
    const found = validateDocument(document, 'strict')
    assert.deepEqual(
      found.map(({ path, rule }) => `${path} ${rule}`),
      [`${COMPOSITION}.section[0].entry[0].reference reference-profile`],
    )
    assert.match(found[0]?.message ?? '', /DiagnosticReportLab \(DiagnosticReport\.conclusion: must be there/)
  })

  it('gives the same findings in the same order whatever the order of the members', () => {
    const broken = put(put(sampleDocument('Prescription'), `${PATIENT}.gender`, 'x'), 'Bundle.timestamp', undefined)
    const turned = JSON.parse(JSON.stringify(broken), (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    ) as unknown
    assert.deepEqual(validateDocument(turned, 'strict'), validateDocument(broken, 'strict'))
  })

  it('leaves the document as it was', () => {
    const document = sampleDocument('OPConsultation')
    validateDocument(deepFreeze(document), 'strict')
    assert.deepEqual(document, sampleDocument('OPConsultation'))
  })

  for (const name of OFFICIAL) {
    const file = new URL(`Bundle-${name}.json`, EXAMPLES)
    it(`finds no error in the official example ${name}`, { skip: !existsSync(file) && 'examples are not here' }, () => {
      const document = JSON.parse(readFileSync(file, 'utf8')) as Json
      assert.deepEqual(errors(validateDocument(document, 'strict')), [])
      assert.deepEqual(errors(validateDocument(document, 'tolerant')), [])
      const broken = put(document, `${COMPOSITION}.subject`, undefined)
      assert.equal(errors(validateDocument(broken, 'strict'))[0]?.path, `${COMPOSITION}.subject`)
    })
  }
})

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}

describe('validateDocument, tolerant', () => {
  it('keeps the findings about a document of another system as warnings', () => {
    const document = sampleDocument('Prescription')
    put(document, 'Bundle.meta', undefined)
    put(document, `${COMPOSITION}.meta`, undefined)
    put(document, `${COMPOSITION}.type`, { coding: [{ system: 'https://sct.example', code: '440545006' }] })
    put(document, `${COMPOSITION}.subject.reference`, 'Patient/00000000-0000-4000-8000-000000000002')
    put(document, `${COMPOSITION}.custodian`, { reference: 'Organization/1' })
    put(document, `${COMPOSITION}.ours`, 'x')
    const found = validateDocument(document, 'tolerant')
    assert.deepEqual(errors(found), [])
    const rules = found.map(({ path, rule }) => `${path} ${rule}`)
    assert.ok(rules.includes(`${COMPOSITION}.custodian.reference reference-dangling`))
    assert.ok(rules.includes(`${COMPOSITION}.ours unknown-element`))
    assert.ok(rules.includes(`${COMPOSITION}.type.coding[0].system fixed`))
    assert.ok(!rules.some((rule) => rule.includes('subject')), 'Patient/id finds the patient')
  })

  for (const [name, path, value, rule] of [
    ['no document', 'Bundle.type', 'searchset', 'document'],
    ['no Composition', 'Bundle.entry[0]', undefined, 'document'],
    ['a text where an object must be', 'Bundle.entry[1].resource', 'Asha', 'structure'],
    ['a resource of no kind', 'Bundle.entry[1].resource.resourceType', undefined, 'resource-type'],
    ['a list where one must be', 'Bundle.entry[0].resource.title', ['A'], 'structure'],
  ] as const) {
    it(`refuses ${name}`, () => {
      const found = errors(validateDocument(put(sampleDocument('Invoice'), path, value), 'tolerant'))
      assert.deepEqual(new Set(found.map((finding) => finding.rule)), new Set([rule]))
    })
  }
})

describe('validateDocument, any input', () => {
  it('never throws on arbitrary JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        assert.ok(errors(validateDocument(value, 'strict')).length > 0)
        assert.ok(errors(validateDocument(value, 'tolerant')).length > 0)
      }),
      { numRuns: 300 },
    )
  })

  it('never throws when any part of a document is anything else', () => {
    const keys = [
      'reference',
      'coding',
      'code',
      'system',
      'resourceType',
      'extension',
      'url',
      'value',
      '__proto__',
      'constructor',
      '_title',
      'div',
      'contained',
      'id',
      'start',
      'end',
    ]
    const odd: fc.Arbitrary<unknown> = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 })),
      fc.array(fc.constantFrom<unknown>(null, 0, '', [], {}, 'x', true, [[]], -0.5), { maxLength: 4 }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...HI_TYPES), fc.nat(), odd, (type, at, value) => {
        const document = sampleDocument(type)
        const paths = pathsOf(document)
        put(document, paths[at % paths.length] ?? 'Bundle.id', value)
        const strict = validateDocument(document, 'strict')
        for (const finding of [...strict, ...validateDocument(document, 'tolerant')]) {
          assert.ok((finding.value?.length ?? 0) <= 80)
          assert.match(finding.path, /^Bundle/)
        }
      }),
      { numRuns: 600 },
    )
  })

  it('stops at its limits: depth, number of values, number of findings, long texts', () => {
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = { extension: [deep] }
    const rules = (value: unknown) => validateDocument(value, 'tolerant').map((finding) => finding.rule)
    assert.deepEqual(rules({ resourceType: 'Bundle', extension: [deep] }), ['limit'])
    assert.deepEqual(rules({ resourceType: 'Bundle', entry: Array.from({ length: 300_000 }, () => 1) }), ['limit'])
    const many = sampleDocument('Invoice')
    put(
      many,
      'Bundle.link',
      Array.from({ length: 5_000 }, () => ({ odd: 1 })),
    )
    const found = validateDocument(many, 'strict')
    assert.equal(found.length, 201)
    assert.equal(found.at(-1)?.rule, 'limit')
    const long = put(sampleDocument('Invoice'), `${COMPOSITION}.status`, 'x'.repeat(5_000_000))
    assert.equal(errors(validateDocument(long, 'strict'))[0]?.value?.length, 80)
  })

  it('takes linear time for texts made to be slow', () => {
    for (const bad of [
      '<'.repeat(400_000),
      `<div${' '.repeat(400_000)}`,
      '<!--'.repeat(100_000),
      `<div>${'<a'.repeat(200_000)}`,
    ]) {
      const document = put(sampleDocument('Invoice'), `${PATIENT}.text`, { status: 'generated', div: `<div>${bad}` })
      // The time that the work takes, not that in which others have the processor.
      const from = process.threadCpuUsage()
      assert.ok(errors(validateDocument(document, 'strict')).some((finding) => finding.rule === 'invariant:txt-1'))
      // Some 20 ms; what is not linear takes minutes.
      const { user, system } = process.threadCpuUsage(from)
      assert.ok(user + system < 20_000_000)
    }
  })

  it('takes a value that is no JSON as no document', () => {
    for (const value of [undefined, null, 1n, () => 1, Symbol('x'), Number.NaN, new Date(0)]) {
      assert.ok(errors(validateDocument(value, 'tolerant')).length > 0)
    }
    const circle: Json = { resourceType: 'Bundle' }
    circle['meta'] = circle
    assert.deepEqual(
      validateDocument(circle, 'strict').map((finding) => finding.rule),
      ['limit'],
    )
  })
})

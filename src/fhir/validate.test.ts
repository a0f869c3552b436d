import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Finding } from './findings.ts'
import { HI_TYPES, type HiType } from './hi-type.ts'
import { type Json, sampleDocument } from './sample-documents.ts'
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

const stepsOf = (path: string) => (path.match(/[^.[\]]+/g) ?? []).slice(1)

/** Puts `value` at a path of a document (`undefined` takes away what is there). */
function put(document: Json, path: string, value: unknown): Json {
  const steps = stepsOf(path)
  let at = document as Record<string, unknown>
  for (const step of steps.slice(0, -1)) at = at[step] as Record<string, unknown>
  const last = steps.at(-1) ?? ''
  if (value !== undefined) at[last] = value
  else if (Array.isArray(at)) at.splice(Number(last), 1)
  else delete at[last]
  return document
}

function get(document: Json, path: string): unknown {
  return stepsOf(path).reduce<unknown>((at, step) => (at as Json)[step], document)
}

/** [type, path, value put there, rule, path of the finding when it is another]. */
const BREAKAGES: readonly (readonly [HiType, string, unknown, string, string?])[] = [
  ['Prescription', 'Bundle.type', 'collection', 'document'],
  ['Prescription', 'Bundle.type', 'collection', 'fixed'],
  ['Prescription', 'Bundle.meta.versionId', undefined, 'cardinality'],
  ['Prescription', 'Bundle.meta', undefined, 'cardinality'],
  ['Prescription', 'Bundle.identifier.system', undefined, 'cardinality'],
  ['Prescription', 'Bundle.timestamp', undefined, 'cardinality'],
  ['Prescription', 'Bundle.timestamp', '2026-03-31', 'primitive'],
  [
    'Prescription',
    'Bundle.entry[2].fullUrl',
    'urn:uuid:00000000-0000-4000-8000-000000000002',
    'invariant:bdl-7',
    'Bundle',
  ],
  ['Prescription', 'Bundle.entry[0].fullUrl', undefined, 'full-url'],
  ['Prescription', 'Bundle.entry[3].fullUrl', 'https://hospital.example/fhir/Patient/9', 'full-url'],
  ['Prescription', `${COMPOSITION}.status`, 'finished', 'binding'],
  ['Prescription', `${COMPOSITION}.status`, undefined, 'cardinality'],
  ['Prescription', `${COMPOSITION}.type.coding[0].display`, 'Prescription', 'fixed'],
  ['Prescription', `${COMPOSITION}.type.coding[0].system`, 'http://loinc.org', 'fixed'],
  ['Prescription', `${COMPOSITION}.title`, '', 'primitive'],
  ['Prescription', `${COMPOSITION}.date`, '2026-02-30', 'primitive'],
  ['Prescription', `${COMPOSITION}.author`, [], 'empty'],
  ['Prescription', `${COMPOSITION}.author`, { reference: 'x' }, 'structure'],
  ['Prescription', `${COMPOSITION}.title`, ['A'], 'structure'],
  ['Prescription', `${COMPOSITION}.title`, 7, 'structure'],
  ['Prescription', `${COMPOSITION}.titel`, 'A', 'unknown-element'],
  ['Prescription', `${COMPOSITION}.subject.reference`, 'urn:uuid:nobody', 'reference-dangling'],
  ['Prescription', `${COMPOSITION}.subject.reference`, 'Patient/1', 'reference-dangling'],
  [
    'Prescription',
    `${COMPOSITION}.subject.reference`,
    'urn:uuid:00000000-0000-4000-8000-000000000003',
    'reference-type',
  ],
  [
    'Prescription',
    `${COMPOSITION}.section[0].entry[0].type`,
    'Observation',
    'slice-closed',
    `${COMPOSITION}.section[0].entry[0]`,
  ],
  [
    'Prescription',
    `${COMPOSITION}.section[0].entry[0].type`,
    undefined,
    'slice-closed',
    `${COMPOSITION}.section[0].entry[0]`,
  ],
  [
    'Prescription',
    `${COMPOSITION}.section[0].entry[0].type`,
    'Binary',
    'slice-cardinality',
    `${COMPOSITION}.section[0].entry:Binary`,
  ],
  ['Prescription', `${COMPOSITION}.section[0].code.coding[0].code`, '721912009', 'fixed'],
  [
    'Prescription',
    `${COMPOSITION}.section[1]`,
    { title: 'More', text: { status: 'generated', div: '<div>x</div>' } },
    'cardinality',
    `${COMPOSITION}.section`,
  ],
  ['Prescription', `${PATIENT}.identifier`, undefined, 'cardinality'],
  ['Prescription', `${PATIENT}.identifier[0].type`, undefined, 'cardinality'],
  ['Prescription', `${PATIENT}.identifier[0].value`, null, 'structure'],
  ['Prescription', `${PATIENT}.gender`, 'lady', 'binding'],
  ['Prescription', `${PATIENT}.birthDate`, '12-01-1981', 'primitive'],
  ['Prescription', `${PATIENT}.name[0]`, { family: 'Rao' }, 'cardinality', `${PATIENT}.name[0].text`],
  ['Prescription', `${PATIENT}.contact`, [{ gender: 'male' }], 'invariant:pat-1', `${PATIENT}.contact[0]`],
  ['Prescription', `${PATIENT}.telecom`, [{ value: '99' }], 'invariant:cpt-2', `${PATIENT}.telecom[0]`],
  ['Prescription', `${PATIENT}.name[0].period`, { start: '2026-02-01', end: '2026-01-01' }, 'invariant:per-1'],
  ['Prescription', `${PATIENT}.text`, { status: 'generated', div: '<div><script>x</script></div>' }, 'invariant:txt-1'],
  [
    'Prescription',
    `${PATIENT}.extension`,
    [{ url: 'https://a.example' }],
    'invariant:ext-1',
    `${PATIENT}.extension[0]`,
  ],
  ['Prescription', `${PATIENT}.deceasedBoolean`, 'no', 'structure'],
  ['Prescription', `${PATIENT}.multipleBirthInteger`, 1.5, 'primitive'],
  ['Prescription', `${PATIENT}.resourceType`, 'Wizard', 'resource-unknown'],
  ['Prescription', `${PATIENT}.resourceType`, 7, 'resource-type'],
  [
    'Prescription',
    `${PATIENT}.meta.profile[0]`,
    'https://nrces.in/ndhm/fhir/r4/StructureDefinition/Organization',
    'profile-type',
  ],
  [
    'Prescription',
    `${COMPOSITION}.meta.profile[0]`,
    'https://nrces.in/ndhm/fhir/r4/StructureDefinition/OPConsultRecord',
    'profile-type',
  ],
  ['Prescription', 'Bundle.entry[3].resource.dosageInstruction', undefined, 'cardinality'],
  ['Prescription', 'Bundle.entry[3].resource.authoredOn', undefined, 'cardinality'],
  [
    'Prescription',
    'Bundle.entry[3].resource.medicationCodeableConcept',
    undefined,
    'cardinality',
    'Bundle.entry[3].resource.medication[x]',
  ],
  ['Prescription', 'Bundle.entry[3].resource.medicationReference', { display: 'x' }, 'choice'],
  [
    'Prescription',
    'Bundle.entry[3].resource.medicationCodeableConcept',
    { coding: [{ system: 'http://loinc.org', code: '1', display: 'x' }] },
    'fixed',
    'Bundle.entry[3].resource.medicationCodeableConcept.coding[0].system',
  ],
  ['Prescription', 'Bundle.entry[4].resource.data', 'not base64!', 'primitive'],
  ['Prescription', 'Bundle.entry[4].resource.contentType', 'pdf', 'binding'],
  ['OPConsultation', `${COMPOSITION}.encounter`, undefined, 'cardinality'],
  ['OPConsultation', `${COMPOSITION}.section[0].code.coding[0].display`, 'Complaints', 'fixed'],
  ['OPConsultation', `${COMPOSITION}.section[0].code.coding[0].system`, undefined, 'cardinality'],
  [
    'OPConsultation',
    `${COMPOSITION}.section[1].code.coding[0].code`,
    '422843007',
    'slice-cardinality',
    `${COMPOSITION}.section:ChiefComplaints`,
  ],
  [
    'OPConsultation',
    `${COMPOSITION}.section[0].entry[0].reference`,
    'urn:uuid:00000000-0000-4000-8000-000000000006',
    'reference-type',
  ],
  ['OPConsultation', `${COMPOSITION}.section[0].entry[0].reference`, undefined, 'cardinality'],
  ['OPConsultation', `${COMPOSITION}.section[0].entry`, undefined, 'invariant:cmp-1', `${COMPOSITION}.section[0]`],
  [
    'OPConsultation',
    'Bundle.entry[4].resource.code.coding[0].system',
    'https://sct.example',
    'slice-closed',
    'Bundle.entry[4].resource.code.coding[0]',
  ],
  [
    'OPConsultation',
    'Bundle.entry[4].resource.abatementDateTime',
    '2026-01-01',
    'invariant:con-4',
    'Bundle.entry[4].resource',
  ],
  ['DiagnosticReport', 'Bundle.entry[3].resource.conclusion', undefined, 'cardinality'],
  ['DiagnosticReport', 'Bundle.entry[3].resource.result', undefined, 'cardinality'],
  [
    'DiagnosticReport',
    'Bundle.entry[4].resource.dataAbsentReason',
    { text: 'x' },
    'invariant:obs-6',
    'Bundle.entry[4].resource',
  ],
  ['DischargeSummary', `${COMPOSITION}.section`, undefined, 'cardinality'],
  [
    'ImmunizationRecord',
    'Bundle.entry[3].resource.occurrenceDateTime',
    undefined,
    'cardinality',
    'Bundle.entry[3].resource.occurrence[x]',
  ],
  ['HealthDocumentRecord', 'Bundle.entry[3].resource.content[0].attachment.data', undefined, 'cardinality'],
  ['WellnessRecord', `${COMPOSITION}.type.text`, 'Wellness record', 'fixed'],
  ['ImmunizationRecord', 'Bundle.entry[3].resource.occurrenceString', 'in spring', 'choice'],
  ['Invoice', 'Bundle.entry[3].resource.totalNet', undefined, 'cardinality'],
  ['Invoice', 'Bundle.entry[4].resource.code.coding', undefined, 'cardinality'],
  ['Invoice', 'Bundle.entry[3].resource.totalNet.currency', 'Rs', 'binding'],
]

describe('validateDocument, strict', () => {
  for (const type of HI_TYPES) {
    it(`finds nothing in a ${type} that holds the profiles`, () => {
      assert.deepEqual(validateDocument(sampleDocument(type), 'strict'), [])
    })
  }

  for (const [type, path, value, rule, at] of BREAKAGES) {
    it(`${type}: ${rule} at ${at ?? path}`, () => {
      const found = errors(validateDocument(put(sampleDocument(type), path, value), 'strict'))
      const right = found.find((finding) => finding.rule === rule && finding.path.startsWith(at ?? path))
      assert.ok(right, `found instead: ${found.map((f) => `${f.path} ${f.rule}`).join('; ')}`)
      assert.equal(right.path, at ?? path + right.path.slice((at ?? path).length))
      assert.ok(right.message.length > 10)
      if (['fixed', 'binding', 'primitive', 'structure', 'reference-dangling'].includes(rule) && value !== null) {
        assert.ok(right.value !== undefined && right.value.length <= 80, 'names the value')
      }
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

  it('rejects a document when any part that its profile wants is taken away, at that part', () => {
    let tried = 0
    for (const type of HI_TYPES) {
      const whole = sampleDocument(type)
      for (const path of pathsOf(whole)) {
        if (LEGAL.test(path) || LEGAL_IN[type]?.test(path)) continue
        tried++
        const found = errors(validateDocument(put(structuredClone(whole), path, undefined), 'strict'))
        assert.ok(found.length > 0, `${type} without ${path} was accepted`)
        const near = found.some(
          ({ path: at }) => path.startsWith(at.replace(/\[x\]$/, '').replace(/:\w+$/, '')) || at.startsWith(path),
        )
        assert.ok(near || REFERRED.test(path), `${type} without ${path}: ${found.map((f) => f.path).join(' ')}`)
      }
    }
    assert.ok(tried > 300, `only ${tried} parts were tried`)
  })

  it('accepts a document when a part that nobody demands is taken away', () => {
    for (const type of HI_TYPES) {
      for (const path of pathsOf(sampleDocument(type))) {
        if (!LEGAL.test(path) && !LEGAL_IN[type]?.test(path)) continue
        const found = errors(validateDocument(put(sampleDocument(type), path, undefined), 'strict'))
        assert.deepEqual(found, [], `${type} without ${path}`)
      }
    }
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

/** What R4 and the profiles let a sender leave out of the samples. */
const LEGAL =
  /(?:^Bundle\.id|^Bundle\.meta\.profile|resource\.(?:id|meta|name|gender|birthDate)|resource\.identifier\[0\]\.system|section\[\d\]\.code)$/
const LEGAL_IN: { readonly [T in HiType]?: RegExp } = {
  Prescription: /(?:\[0\]\.resource\.type\.coding\[0\]\.system|section\[0\]\.entry\[\d\])$/,
  OPConsultation:
    /(?:section\[\d\]|section\[\d\]\.title|section\[\d\]\.code\.coding\[0\]\.code|\[3\]\.resource\.(?:subject|class\.\w+))$/,
  DischargeSummary:
    /(?:section\[0\]\.title|section\[0\]\.code\.coding\[0\]\.code|\[3\]\.resource\.(?:subject|class\.\w+))$/,
  DiagnosticReport: /(?:\[[34]\]\.resource\.subject|valueQuantity(?:\.(?:value|unit|code))?)$/,
  WellnessRecord: /(?:section\[0\]\.title|\[3\]\.resource\.subject|valueQuantity(?:\.(?:value|unit|code))?)$/,
  Invoice:
    /(?:\[3\]\.resource\..*\.(?:currency|value)(?<!identifier\[0\]\.value)|productCodeableConcept\.coding\[0\]\.\w+)$/,
}
/** Taking these away is noticed where they are referred to, or where their kind was to be read. */
const REFERRED = /(?:fullUrl|entry\[\d\]|resource|resourceType)$/

function pathsOf(document: Json): string[] {
  const visit = (at: unknown, path: string): string[] =>
    typeof at !== 'object' || at === null
      ? []
      : Object.entries(at).flatMap(([key, inner]) => {
          const next = Array.isArray(at) ? `${path}[${key}]` : `${path}.${key}`
          if (next.endsWith('meta.profile[0]')) return []
          return [next, ...(next.endsWith('resource.meta') ? [] : visit(inner, next))]
        })
  return visit(document, 'Bundle').filter((path) => get(document, path) !== undefined)
}

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
      const from = performance.now()
      assert.ok(errors(validateDocument(document, 'strict')).some((finding) => finding.rule === 'invariant:txt-1'))
      assert.ok(performance.now() - from < 2_000)
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

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Finding } from './findings.ts'
import { HI_TYPES, type HiType } from './hi-type.ts'
import { pathsOf, put, sampleDocument } from './sample-documents.ts'
import { validateDocument } from './validate.ts'

const errors = (findings: readonly Finding[]) => findings.filter((finding) => finding.severity === 'error')
const PATIENT = 'Bundle.entry[1].resource'
const COMPOSITION = 'Bundle.entry[0].resource'

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

describe('validateDocument, broken documents', () => {
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
})

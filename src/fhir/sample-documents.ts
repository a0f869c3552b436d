import type { HiType } from './hi-type.ts'

/** Documents for tests: the least that each of the eight profiles demands, and little more. Synthetic throughout. */

export type Json = { [key: string]: unknown }

const SNOMED = 'http://snomed.info/sct'
const PROFILE = 'https://nrces.in/ndhm/fhir/r4/StructureDefinition/'
const V2_0203 = 'http://terminology.hl7.org/CodeSystem/v2-0203'

const urn = (n: number) => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const COMPOSITION = urn(1)
const PATIENT = urn(2)
const DOCTOR = urn(3)
const ENCOUNTER = urn(4)
const FIRST = urn(5)
const SECOND = urn(6)

const snomed = (code: string, display: string) => ({ coding: [{ system: SNOMED, code, display }] })
const to = (reference: string, type?: string) => (type === undefined ? { reference } : { reference, type })
const resource = (resourceType: string, profile: string, rest: Json): Json => ({
  resourceType,
  id: '',
  meta: { profile: [PROFILE + profile] },
  ...rest,
})

const PATIENT_RESOURCE = resource('Patient', 'Patient', {
  identifier: [
    {
      type: { coding: [{ system: V2_0203, code: 'MR', display: 'Medical record number' }] },
      system: 'https://hospital.example/mrn',
      value: '22-7225',
    },
  ],
  name: [{ text: 'Asha Rao' }],
  gender: 'female',
  birthDate: '1981-01-12',
})
const DOCTOR_RESOURCE = resource('Practitioner', 'Practitioner', {
  identifier: [
    { type: { coding: [{ system: V2_0203, code: 'MD', display: 'Medical License number' }] }, value: 'KA-21-1521' },
  ],
  name: [{ text: 'Dr. Farida Khan' }],
})
const ENCOUNTER_RESOURCE = resource('Encounter', 'Encounter', {
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  subject: to(PATIENT),
})
const MEDICATION_REQUEST = resource('MedicationRequest', 'MedicationRequest', {
  status: 'active',
  intent: 'order',
  medicationCodeableConcept: { text: 'Metformin 500 mg tablet' },
  subject: to(PATIENT),
  authoredOn: '2026-03-31',
  requester: to(DOCTOR),
  dosageInstruction: [{ text: 'One tablet twice a day after food' }],
})
const CONDITION = resource('Condition', 'Condition', {
  code: snomed('44054006', 'Type 2 diabetes mellitus'),
  subject: to(PATIENT),
})
const HBA1C = { system: 'http://loinc.org', code: '4548-4', display: 'Hemoglobin A1c/Hemoglobin.total in Blood' }
const STEPS = { system: 'http://loinc.org', code: '55423-8', display: 'Number of steps in unspecified time Pedometer' }

const OBSERVATION = (profile: string, code = HBA1C) =>
  resource('Observation', profile, {
    status: 'final',
    code: { coding: [code] },
    subject: to(PATIENT),
    valueQuantity: { value: 7.2, unit: '%', system: 'http://unitsofmeasure.org', code: '%' },
  })
const ATTACHED = resource('DocumentReference', 'DocumentReference', {
  status: 'current',
  content: [{ attachment: { contentType: 'application/pdf', data: 'JVBERi0xLjQK' } }],
})

type Parts = {
  readonly profile: string
  readonly type: Json
  readonly section: readonly Json[]
  readonly encounter?: true
  readonly resources: readonly (readonly [url: string, resource: Json])[]
}

const PARTS: { readonly [T in HiType]: Parts } = {
  OPConsultation: {
    profile: 'OPConsultRecord',
    type: snomed('371530004', 'Clinical consultation report'),
    encounter: true,
    section: [
      { title: 'Chief complaints', code: snomed('422843007', 'Chief complaint section'), entry: [to(FIRST)] },
      { title: 'Medications', code: snomed('721912009', 'Medication summary document'), entry: [to(SECOND)] },
    ],
    resources: [
      [FIRST, CONDITION],
      [SECOND, MEDICATION_REQUEST],
    ],
  },
  Prescription: {
    profile: 'PrescriptionRecord',
    type: snomed('440545006', 'Prescription record'),
    section: [
      {
        code: snomed('440545006', 'Prescription record'),
        entry: [to(FIRST, 'MedicationRequest'), to(SECOND, 'Binary')],
      },
    ],
    resources: [
      [FIRST, MEDICATION_REQUEST],
      [SECOND, resource('Binary', 'Binary', { contentType: 'application/pdf', data: 'JVBERi0xLjQK' })],
    ],
  },
  DiagnosticReport: {
    profile: 'DiagnosticReportRecord',
    type: snomed('721981007', 'Diagnostic studies report'),
    section: [{ code: snomed('4241000179101', 'Laboratory report'), entry: [to(FIRST, 'DiagnosticReport')] }],
    resources: [
      [
        FIRST,
        resource('DiagnosticReport', 'DiagnosticReportLab', {
          status: 'final',
          code: { coding: [{ system: 'http://loinc.org', code: '4548-4', display: 'Hemoglobin A1c' }] },
          subject: to(PATIENT),
          resultsInterpreter: [to(DOCTOR)],
          result: [to(SECOND)],
          conclusion: 'Above target',
        }),
      ],
      [SECOND, OBSERVATION('Observation')],
    ],
  },
  DischargeSummary: {
    profile: 'DischargeSummaryRecord',
    type: snomed('373942005', 'Discharge summary'),
    encounter: true,
    section: [
      { title: 'Medical history', code: snomed('1003642006', 'Past medical history section'), entry: [to(FIRST)] },
    ],
    resources: [[FIRST, CONDITION]],
  },
  ImmunizationRecord: {
    profile: 'ImmunizationRecord',
    type: snomed('41000179103', 'Immunization record'),
    section: [{ code: snomed('41000179103', 'Immunization record'), entry: [to(FIRST, 'Immunization')] }],
    resources: [
      [
        FIRST,
        resource('Immunization', 'Immunization', {
          status: 'completed',
          vaccineCode: { text: 'Measles and rubella vaccine' },
          patient: to(PATIENT),
          occurrenceDateTime: '2026-02-01',
        }),
      ],
    ],
  },
  HealthDocumentRecord: {
    profile: 'HealthDocumentRecord',
    type: snomed('419891008', 'Record artifact'),
    section: [{ code: snomed('419891008', 'Record artifact'), entry: [to(FIRST)] }],
    resources: [[FIRST, ATTACHED]],
  },
  WellnessRecord: {
    profile: 'WellnessRecord',
    type: { text: 'Wellness Record' },
    section: [{ title: 'Physical Activity', entry: [to(FIRST)] }],
    resources: [[FIRST, OBSERVATION('ObservationPhysicalActivity', STEPS)]],
  },
  Invoice: {
    profile: 'InvoiceRecord',
    type: { text: 'Invoice Record' },
    section: [{ entry: [to(FIRST, 'Invoice')] }],
    resources: [
      [
        FIRST,
        resource('Invoice', 'Invoice', {
          identifier: [{ system: 'https://hospital.example/bills', value: 'B-77' }],
          status: 'issued',
          type: {
            coding: [
              {
                system: 'https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-billing-codes',
                code: '00',
                display: 'Consultation',
              },
            ],
          },
          subject: to(PATIENT),
          date: '2026-03-31',
          lineItem: [
            {
              chargeItemReference: to(SECOND),
              priceComponent: [
                {
                  type: 'base',
                  code: {
                    coding: [
                      {
                        system: 'https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-price-components',
                        code: '01',
                        display: 'Rate',
                      },
                    ],
                  },
                  amount: { value: 500, currency: 'INR' },
                },
              ],
            },
          ],
          totalNet: { value: 500, currency: 'INR' },
          totalGross: { value: 500, currency: 'INR' },
        }),
      ],
      [
        SECOND,
        resource('ChargeItem', 'ChargeItem', {
          status: 'billed',
          code: {
            coding: [
              {
                system: 'https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-billing-codes',
                code: '00',
                display: 'Consultation',
              },
            ],
          },
          subject: to(PATIENT),
          quantity: { value: 1 },
          productCodeableConcept: snomed('11429006', 'Consultation'),
        }),
      ],
    ],
  },
}

/** A small valid document of the type, new at each call, so that tests may break it. */
export function sampleDocument(type: HiType): Json {
  const { profile, type: concept, section, encounter, resources } = PARTS[type]
  const composition = resource('Composition', profile, {
    status: 'final',
    type: concept,
    subject: to(PATIENT),
    ...(encounter === true ? { encounter: to(ENCOUNTER) } : {}),
    date: '2026-03-31T10:00:00+05:30',
    author: [to(DOCTOR)],
    title: 'A record',
    section,
  })
  const entries: (readonly [string, Json])[] = [
    [COMPOSITION, composition],
    [PATIENT, PATIENT_RESOURCE],
    [DOCTOR, DOCTOR_RESOURCE],
    ...(encounter === true ? [[ENCOUNTER, ENCOUNTER_RESOURCE] as const] : []),
    ...resources,
  ]
  return structuredClone({
    resourceType: 'Bundle',
    id: 'sample',
    meta: { versionId: '1', profile: [`${PROFILE}DocumentBundle`] },
    identifier: { system: 'https://hospital.example/documents', value: `sample-${type}` },
    type: 'document',
    timestamp: '2026-03-31T10:00:00+05:30',
    entry: entries.map(([fullUrl, body]) => ({
      fullUrl,
      resource: { ...body, id: fullUrl.slice('urn:uuid:'.length) },
    })),
  })
}

const stepsOf = (path: string) => (path.match(/[^.[\]]+/g) ?? []).slice(1)

/** Puts `value` at a path of a document (`undefined` takes away what is there). */
export function put(document: Json, path: string, value: unknown): Json {
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

/** Every path of a document, its array items among them; what is below `resource.meta` says nothing to the profiles. */
export function pathsOf(document: Json): string[] {
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

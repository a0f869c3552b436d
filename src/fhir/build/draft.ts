import type { Encounter, FhirResource, Organization, Patient, Practitioner, Reference } from 'fhir/r4.js'
import { coded, coding, each, NRCES, present, V2_0203 } from './coding.ts'
import type { DocumentInput, EncounterInput, OrganisationInput, PatientInput, PractitionerInput } from './inputs.ts'
import { sentence, showDate } from './narrative.ts'

/** What makes two runs the same: the id of the bundle, the clock and the source of resource ids. */
export type BuildContext = {
  /** Also `Bundle.identifier.value`: two bundles with one identifier show as one in the patient's app. FHIR id. */
  readonly bundleId: string
  readonly now: Date
  readonly makeUuid: () => string
}

/** A document under construction: its resources so far, and references to the ones that all others point at. */
export type Draft = {
  readonly date: string
  readonly entries: { fullUrl: string; resource: FhirResource }[]
  readonly newId: () => string
  /** Adds a resource that already has its id, and answers a reference to it. */
  readonly add: (resource: FhirResource & { id: string }, display?: string) => Reference
  readonly subject: Reference
  readonly author: Reference
  readonly organisation: Reference
  readonly encounter: Reference | undefined
}

/** Begins a document: patient, author, facility and, where given, the encounter. */
export function startDraft(input: DocumentInput, context: BuildContext): Draft {
  const entries: Draft['entries'] = []
  const add: Draft['add'] = (resource, display) => {
    const fullUrl = `urn:uuid:${resource.id}`
    entries.push({ fullUrl, resource })
    return display === undefined ? { reference: fullUrl } : { reference: fullUrl, display }
  }
  const newId = context.makeUuid
  const subject = add(makePatient(input.patient, input.organisation, newId()), input.patient.name)
  const author = add(makePractitioner(input.author, newId()), input.author.name)
  const organisation = add(makeOrganisation(input.organisation, newId()), input.organisation.name)
  const encounter = input.encounter && add(makeEncounter(input.encounter, newId(), subject, organisation))
  return { date: input.date, entries, newId, add, subject, author, organisation, encounter }
}

export const profile = (name: string) => ({ versionId: '1', profile: [`${NRCES}/StructureDefinition/${name}`] })

/** HIN carries the ABHA number and ABHA the address: NRCES' own definitions; the local number goes as MR. */
function makePatient(input: PatientInput, holder: OrganisationInput, id: string): Patient & { id: string } {
  const types = `${NRCES}/CodeSystem/ndhm-identifier-type-code`
  const number = input.abhaNumber?.replace(/^(\d{2})(\d{4})(\d{4})(\d{4})$/, '$1-$2-$3-$4')
  const identifiers = [
    { type: coded(V2_0203, 'MR', 'Medical record number'), system: facilityUri(holder, 'patients'), value: input.mrn },
    number && {
      type: coded(types, 'HIN', 'Health ID issued by NDHM'),
      system: 'https://healthid.abdm.gov.in',
      value: number,
    },
    input.abhaAddress && {
      type: coded(types, 'ABHA', 'Ayushman Bharat Health Account (ABHA) ID'),
      system: 'https://phr.abdm.gov.in',
      value: input.abhaAddress,
    },
  ]
  const { address } = input
  return present<Patient & { id: string }>({
    resourceType: 'Patient',
    id,
    meta: profile('Patient'),
    text: sentence(`${input.name}, ${input.gender}, born ${showDate(input.birthDate)}`),
    identifier: identifiers.filter((found) => typeof found === 'object'),
    name: [{ text: input.name }],
    telecom: input.phone === undefined ? undefined : [{ system: 'phone', value: input.phone, use: 'mobile' }],
    gender: input.gender,
    birthDate: input.birthDate,
    address: address && [
      {
        text: `${address.line}, ${address.district}, ${address.state} ${address.pincode}`,
        line: [address.line],
        district: address.district,
        state: address.state,
        postalCode: address.pincode,
        country: 'IN',
      },
    ],
  })
}

function makePractitioner(input: PractitionerInput, id: string): Practitioner & { id: string } {
  return present<Practitioner & { id: string }>({
    resourceType: 'Practitioner',
    id,
    meta: profile('Practitioner'),
    text: sentence(`${input.name}, registration ${input.registrationNumber}`),
    identifier: [
      {
        type: coded(V2_0203, 'MD', 'Medical License number'),
        system: 'https://doctor.abdm.gov.in',
        value: input.registrationNumber,
      },
    ],
    name: [{ text: input.name }],
    qualification: each(input.qualification === undefined ? [] : [input.qualification], (text) => ({ code: { text } })),
  })
}

function makeOrganisation(input: OrganisationInput, id: string): Organization & { id: string } {
  return {
    resourceType: 'Organization',
    id,
    meta: profile('Organization'),
    text: sentence(`${input.name}, facility ${input.facilityId}`),
    identifier: [
      {
        type: coded(V2_0203, 'PRN', 'Provider number'),
        system: 'https://facility.abdm.gov.in',
        value: input.facilityId,
      },
    ],
    name: input.name,
  }
}

const CLASSES = {
  ambulatory: ['AMB', 'ambulatory', 'Visit'],
  inpatient: ['IMP', 'inpatient encounter', 'Stay'],
  emergency: ['EMER', 'emergency', 'Emergency visit'],
  virtual: ['VR', 'virtual', 'Teleconsultation'],
} as const

function makeEncounter(
  input: EncounterInput,
  id: string,
  subject: Reference,
  organisation: Reference,
): Encounter & { id: string } {
  const [code, display, word] = CLASSES[input.class]
  return {
    resourceType: 'Encounter',
    id,
    meta: profile('Encounter'),
    text: sentence(`${word} from ${showDate(input.start)}`, input.end && `to ${showDate(input.end)}`),
    status: 'finished',
    class: coding('http://terminology.hl7.org/CodeSystem/v3-ActCode', code, display),
    subject,
    period: present<{ start: string; end?: string }>({ start: input.start, end: input.end }),
    serviceProvider: organisation,
  }
}

/** A namespace of identifiers that one facility gives out. */
export function facilityUri(organisation: OrganisationInput, kind: string): string {
  return `https://facility.abdm.gov.in/${encodeURIComponent(organisation.facilityId)}/${kind}`
}

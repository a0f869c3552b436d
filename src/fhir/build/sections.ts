import type { CompositionSection, Reference } from 'fhir/r4.js'
import {
  addAllergy,
  addAttachment,
  addCarePlan,
  addCondition,
  addFamilyHistory,
  addFollowUp,
  addMedication,
  addProcedure,
  addService,
} from './clinical.ts'
import { coded, coding, SNOMED } from './coding.ts'
import type { Draft } from './draft.ts'
import { addImmunisation, addRecommendation } from './immunisation.ts'
import type {
  DiagnosticReportInput,
  DischargeSummaryInput,
  DocumentInput,
  HealthDocumentInput,
  ImmunizationRecordInput,
  InvoiceInput,
  ObservationInput,
  OpConsultationInput,
  PrescriptionInput,
  WellnessRecordInput,
} from './inputs.ts'
import { addInvoice } from './invoice.ts'
import { addObservation, type ObservationProfile } from './observation.ts'
import { addReport } from './report.ts'

/** The sections of the document, in the order of its profile, each with its resources added to `draft`. */
export function makeSections(draft: Draft, input: DocumentInput): CompositionSection[] {
  switch (input.hiType) {
    case 'OPConsultation':
      return consultation(draft, input)
    case 'DischargeSummary':
      return discharge(draft, input)
    case 'Prescription':
      return prescription(draft, input)
    case 'DiagnosticReport':
      return diagnostic(draft, input)
    case 'ImmunizationRecord':
      return immunisation(draft, input)
    case 'HealthDocumentRecord':
      return healthDocuments(draft, input)
    case 'WellnessRecord':
      return wellness(draft, input)
    case 'Invoice':
      return invoice(draft, input)
  }
}

type Fixed = readonly [title: string, code: string, display: string]

/** Displays are fixed by the profiles: another wording fails (ndhm.in 6.5.0). */
const CONSULTATION = {
  complaints: ['Chief complaints', '422843007', 'Chief complaint section'],
  examination: ['Physical examination', '425044008', 'Physical exam section'],
  allergies: ['Allergies', '722446000', 'Allergy record'],
  history: ['Medical history', '371529009', 'History and physical report'],
  family: ['Family history', '422432008', 'Family history section'],
  investigations: ['Investigations advised', '721963009', 'Order document'],
  medications: ['Medications', '721912009', 'Medication summary document'],
  followUp: ['Follow up', '390906007', 'Follow-up encounter'],
  procedures: ['Procedures', '371525003', 'Clinical procedure report'],
  referral: ['Referral', '306206005', 'Referral to service'],
  other: ['Other observations', '404684003', 'Clinical finding'],
  documents: ['Documents', '371530004', 'Clinical consultation report'],
} as const satisfies Record<string, Fixed>

/** Three codes differ from those of the consultation: 1003642006, 1003606003, 1003640003. */
const DISCHARGE = {
  complaints: CONSULTATION.complaints,
  examination: CONSULTATION.examination,
  allergies: CONSULTATION.allergies,
  history: ['Past medical history', '1003642006', 'Past medical history section'],
  family: CONSULTATION.family,
  investigations: ['Investigations', '721981007', 'Diagnostic studies report'],
  medications: ['Medications', '1003606003', 'Medication history section'],
  procedures: ['Procedures', '1003640003', 'History of past procedure section'],
  carePlan: ['Care plan', '734163000', 'Care plan'],
  documents: ['Documents', '373942005', 'Discharge summary'],
} as const satisfies Record<string, Fixed>

function section([title, code, display]: Fixed, entry: readonly Reference[]): CompositionSection[] {
  if (entry.length === 0) return []
  return [{ title, code: { coding: [coding(SNOMED, code, display)], text: display }, entry: [...entry] }]
}

function all<T>(items: readonly T[] | undefined, add: (item: T) => Reference): Reference[] {
  return (items ?? []).map(add)
}

type Common = Pick<
  OpConsultationInput,
  | 'complaints'
  | 'examination'
  | 'allergies'
  | 'history'
  | 'familyHistory'
  | 'medications'
  | 'procedures'
  | 'attachments'
>

function commonEntries(draft: Draft, input: Common) {
  return {
    complaints: all(input.complaints, (one) => addCondition(draft, one)),
    examination: all(input.examination, (one) => addObservation(draft, one)),
    allergies: all(input.allergies, (one) => addAllergy(draft, one)),
    history: all(input.history, (one) =>
      one.kind === 'procedure' ? addProcedure(draft, one) : addCondition(draft, one),
    ),
    family: all(input.familyHistory, (one) => addFamilyHistory(draft, one)),
    medications: all(input.medications, (one) => addMedication(draft, one)),
    procedures: all(input.procedures, (one) => addProcedure(draft, one)),
    documents: all(input.attachments, (one) => addAttachment(draft, one)),
  }
}

function consultation(draft: Draft, input: OpConsultationInput): CompositionSection[] {
  const common = commonEntries(draft, input)
  const entries = {
    ...common,
    investigations: all(input.investigationsAdvised, (one) => addService(draft, one)),
    followUp: input.followUp ? [addFollowUp(draft, input.followUp)] : [],
    referral: all(input.referrals, (one) => addService(draft, one)),
    other: all(input.otherObservations, (one) => addObservation(draft, one)),
  }
  return keysOf(CONSULTATION).flatMap((key) => section(CONSULTATION[key], entries[key]))
}

function discharge(draft: Draft, input: DischargeSummaryInput): CompositionSection[] {
  const common = commonEntries(draft, input)
  const entries = {
    ...common,
    investigations: all(input.investigations, (one) => addReport(draft, one)),
    carePlan: input.carePlan ? [addCarePlan(draft, input.carePlan)] : [],
  }
  return keysOf(DISCHARGE).flatMap((key) => section(DISCHARGE[key], entries[key]))
}

/** Closed slices by `entry.type`: each entry must say its type (PrescriptionRecord and three others). */
const typed = (type: string) => (reference: Reference) => ({ ...reference, type })

function prescription(draft: Draft, input: PrescriptionInput): CompositionSection[] {
  const entries = input.medications.map((one) => addMedication(draft, one)).map(typed('MedicationRequest'))
  if (input.scan) {
    const { contentType, data } = input.scan
    const scan = draft.add({ resourceType: 'Binary', id: draft.newId(), contentType, data }, input.scan.title)
    entries.push(typed('Binary')(scan))
  }
  return section(['Prescription', '440545006', 'Prescription record'], entries)
}

function diagnostic(draft: Draft, input: DiagnosticReportInput): CompositionSection[] {
  const entries = [typed('DiagnosticReport')(addReport(draft, input.report))]
  if (input.attachment) entries.push(typed('DocumentReference')(addAttachment(draft, input.attachment)))
  return section([input.title, '721981007', 'Diagnostic studies report'], entries)
}

function immunisation(draft: Draft, input: ImmunizationRecordInput): CompositionSection[] {
  const given = input.immunisations.map((one) => addImmunisation(draft, one)).map(typed('Immunization'))
  const due = addRecommendation(draft, input.immunisations)
  const documents = all(input.attachments, (one) => addAttachment(draft, one)).map(typed('DocumentReference'))
  const entries = [...given, ...(due ? [typed('ImmunizationRecommendation')(due)] : []), ...documents]
  return section(['Immunization record', '41000179103', 'Immunization record'], entries)
}

function healthDocuments(draft: Draft, input: HealthDocumentInput): CompositionSection[] {
  const entries = input.documents.map((one) => addAttachment(draft, one)).map(typed('DocumentReference'))
  return section(['Health document', '419891008', 'Record artifact'], entries)
}

function wellness(draft: Draft, input: WellnessRecordInput): CompositionSection[] {
  const part = (title: string, items: readonly ObservationInput[] | undefined, as: ObservationProfile) => {
    const entry = all(items, (one) => addObservation(draft, one, as))
    return entry.length > 0 ? [{ title, entry }] : []
  }
  const documents = all(input.attachments, (one) => addAttachment(draft, one))
  return [
    ...part('Vital Signs', input.vitalSigns, 'ObservationVitalSigns'),
    ...part('Body Measurement', input.bodyMeasurements, 'ObservationBodyMeasurement'),
    ...part('Physical Activity', input.physicalActivity, 'ObservationPhysicalActivity'),
    ...part('General Assessment', input.generalAssessment, 'ObservationGeneralAssessment'),
    ...part('Women Health', input.womenHealth, 'ObservationWomenHealth'),
    ...part('Lifestyle', input.lifestyle, 'ObservationLifestyle'),
    ...part('Other Observations', input.otherObservations, 'Observation'),
    ...(documents.length > 0 ? [{ title: 'Document Reference', entry: documents }] : []),
  ]
}

function invoice(draft: Draft, input: InvoiceInput): CompositionSection[] {
  return [{ title: 'Invoice', entry: [typed('Invoice')(addInvoice(draft, input))] }]
}

/** `Composition.type`; two types have no code but fixed words. */
export function documentType(hiType: DocumentInput['hiType']) {
  switch (hiType) {
    case 'OPConsultation':
      return coded(SNOMED, '371530004', 'Clinical consultation report')
    case 'DischargeSummary':
      return coded(SNOMED, '373942005', 'Discharge summary')
    case 'Prescription':
      return coded(SNOMED, '440545006', 'Prescription record')
    case 'DiagnosticReport':
      return coded(SNOMED, '721981007', 'Diagnostic studies report')
    case 'ImmunizationRecord':
      return coded(SNOMED, '41000179103', 'Immunization record')
    case 'HealthDocumentRecord':
      return coded(SNOMED, '419891008', 'Record artifact')
    case 'WellnessRecord':
      return { text: 'Wellness Record' }
    case 'Invoice':
      return { text: 'Invoice Record' }
  }
}

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[]
}

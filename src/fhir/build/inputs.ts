import { z } from 'zod'

/** What hospital software posts: plain facts, from which `buildDocument` makes one ABDM document. */

const text = (max: number) => z.string().trim().min(1).max(max)
const code = z.object({ code: text(40), display: text(300) })

/** FHIR dateTime: a year, a month, a date (`2026-01-12`), or a moment with its offset (`2026-01-12T10:30:00+05:30`). */
const moment = z.union([
  z.iso.date(),
  z.iso.datetime({ offset: true }),
  z.string().regex(/^[12]\d{3}(-(0[1-9]|1[0-2]))?$/, 'a year or a month such as 2018-05'),
])
/** A moment with its offset: FHIR instants and appointment starts need the time. */
const instant = z.iso.datetime({ offset: true })

/** Something named in words, with codes where the sender has them. Words alone pass the ABDM profiles. */
export const concept = z.object({
  text: text(300),
  snomed: code.optional(),
  icd10: code.optional(),
  loinc: code.optional(),
})

/** A file inside the document. ABDM refuses attachments by link: the bytes travel along, in base64. */
export const attachment = z.object({
  title: text(200),
  contentType: z.string().regex(/^[a-z]+\/[a-zA-Z0-9.+-]+$/, 'a MIME type such as application/pdf'),
  data: z.base64().min(1),
  date: moment.optional(),
  kind: concept.optional(),
})

const patientInput = z.object({
  name: text(200),
  gender: z.enum(['male', 'female', 'other', 'unknown']),
  birthDate: z.iso.date(),
  abhaNumber: z
    .string()
    .regex(/^\d{14}$/, '14 digits without dashes')
    .optional(),
  abhaAddress: text(100).optional(),
  mrn: text(60),
  phone: text(20).optional(),
  address: z
    .object({ line: text(200), district: text(80), state: text(80), pincode: z.string().regex(/^\d{6}$/) })
    .optional(),
})

const practitionerInput = z.object({
  name: text(200),
  registrationNumber: text(60),
  qualification: text(120).optional(),
})

const organisationInput = z.object({ name: text(200), facilityId: text(64) })

/** `ambulatory` is a visit, `inpatient` a stay, `emergency` casualty, `virtual` a teleconsultation. */
const encounterInput = z.object({
  class: z.enum(['ambulatory', 'inpatient', 'emergency', 'virtual']),
  start: moment,
  end: moment.optional(),
})

const quantity = z.object({ value: z.number(), unit: text(40), ucum: text(40) })

/** One measurement or finding. `value` is a number with its UCUM unit, words, or a concept. */
const observationInput = z.object({
  code: concept,
  value: z.union([quantity, z.object({ text: text(1000) }), z.object({ concept })]).optional(),
  components: z.array(z.object({ code: concept, value: quantity })).optional(),
  range: z.object({ low: z.number().optional(), high: z.number().optional(), text: text(200).optional() }).optional(),
  flag: z.enum(['N', 'L', 'H', 'LL', 'HH', 'A']).optional(),
  date: moment.optional(),
})

const conditionInput = z.object({
  kind: z.literal('condition').optional(),
  what: concept,
  status: z.enum(['active', 'remission', 'resolved']).optional(),
  onset: moment.optional(),
  recorded: moment.optional(),
  note: text(1000).optional(),
})

const procedureInput = z.object({
  kind: z.literal('procedure'),
  what: concept,
  date: moment.optional(),
  note: text(1000).optional(),
})

const allergyInput = z.object({
  what: concept,
  category: z.enum(['food', 'medication', 'environment', 'biologic']).optional(),
  severe: z.boolean().optional(),
  reaction: concept.optional(),
  recorded: moment.optional(),
})

const familyHistoryInput = z.object({
  relation: z.enum(['mother', 'father', 'sister', 'brother', 'grandparent']),
  conditions: z.array(concept).min(1),
})

const medicationInput = z.object({
  medicine: concept,
  dose: text(100),
  timing: text(200),
  timesPerDay: z.number().positive().max(24).optional(),
  duration: z.object({ value: z.number().positive(), unit: z.enum(['d', 'wk', 'mo']) }).optional(),
  route: concept.optional(),
  reason: concept.optional(),
  authored: moment.optional(),
})

const serviceInput = z.object({ what: concept, note: text(500).optional(), date: moment.optional() })
const followUpInput = z.object({ start: instant, description: text(300).optional() })
const carePlanInput = z.object({
  title: text(200),
  description: text(1000),
  activities: z.array(text(300)).optional(),
})

const labReportInput = z.object({
  kind: z.literal('lab'),
  what: concept,
  service: concept.optional(),
  specimen: z.object({ type: concept, collected: moment, received: moment }).optional(),
  results: z.array(observationInput).min(1).max(200),
  conclusion: text(2000),
  issued: instant,
  printed: attachment.optional(),
})

const imagingReportInput = z.object({
  kind: z.literal('imaging'),
  what: concept,
  service: concept.optional(),
  images: z.array(attachment).min(1).max(20),
  conclusion: text(2000),
  issued: instant,
  printed: attachment.optional(),
})

const reportInput = z.discriminatedUnion('kind', [labReportInput, imagingReportInput])

const immunisationInput = z.object({
  vaccine: concept,
  doseNumber: z.number().int().positive(),
  seriesDoses: z.number().int().positive().optional(),
  date: moment,
  lot: text(40).optional(),
  manufacturer: text(120).optional(),
  expiry: z.iso.date().optional(),
  site: concept.optional(),
  nextDue: moment.optional(),
})

/** Amounts in rupees for one unit of the item; tax in percent, split into CGST and SGST halves by the caller. */
const invoiceItemInput = z.object({
  description: text(200),
  category: z.enum(['Consultation', 'Pathology', 'Medicines', 'Nursing Charges', 'Handling Charges', 'Others']),
  quantity: z.number().positive(),
  unit: text(40).optional(),
  rate: z.number().nonnegative(),
  mrp: z.number().nonnegative().optional(),
  discountPercent: z.number().min(0).max(100).optional(),
  cgstPercent: z.number().min(0).max(50).optional(),
  sgstPercent: z.number().min(0).max(50).optional(),
})

const common = {
  patient: patientInput,
  author: practitionerInput,
  organisation: organisationInput,
  date: instant,
  title: text(200),
}
const list = <T extends z.ZodType>(item: T) => z.array(item).max(200).optional()

const clinical = {
  complaints: list(conditionInput),
  examination: list(observationInput),
  allergies: list(allergyInput),
  history: list(z.union([procedureInput, conditionInput])),
  familyHistory: list(familyHistoryInput),
  medications: list(medicationInput),
  procedures: list(procedureInput),
  attachments: list(attachment),
}

const opConsultationInput = z.object({
  hiType: z.literal('OPConsultation'),
  ...common,
  ...clinical,
  encounter: encounterInput,
  investigationsAdvised: list(serviceInput),
  followUp: followUpInput.optional(),
  referrals: list(serviceInput),
  otherObservations: list(observationInput),
})

const dischargeSummaryInput = z.object({
  hiType: z.literal('DischargeSummary'),
  ...common,
  ...clinical,
  encounter: encounterInput,
  investigations: list(reportInput),
  carePlan: carePlanInput.optional(),
})

const prescriptionInput = z.object({
  hiType: z.literal('Prescription'),
  ...common,
  encounter: encounterInput.optional(),
  medications: z.array(medicationInput).min(1).max(100),
  scan: attachment.optional(),
})

const diagnosticReportInput = z.object({
  hiType: z.literal('DiagnosticReport'),
  ...common,
  encounter: encounterInput.optional(),
  report: reportInput,
  attachment: attachment.optional(),
})

const immunizationRecordInput = z.object({
  hiType: z.literal('ImmunizationRecord'),
  ...common,
  encounter: encounterInput.optional(),
  immunisations: z.array(immunisationInput).min(1).max(100),
  attachments: list(attachment),
})

const healthDocumentInput = z.object({
  hiType: z.literal('HealthDocumentRecord'),
  ...common,
  encounter: encounterInput.optional(),
  documents: z.array(attachment).min(1).max(50),
})

const wellnessRecordInput = z.object({
  hiType: z.literal('WellnessRecord'),
  ...common,
  encounter: encounterInput.optional(),
  vitalSigns: list(observationInput),
  bodyMeasurements: list(observationInput),
  physicalActivity: list(observationInput),
  generalAssessment: list(observationInput),
  womenHealth: list(observationInput),
  lifestyle: list(observationInput),
  otherObservations: list(observationInput),
  attachments: list(attachment),
})

const invoiceInput = z.object({
  hiType: z.literal('Invoice'),
  ...common,
  encounter: encounterInput.optional(),
  number: text(60),
  kind: z.enum(['Consultation', 'Pharmacy', 'IPD', 'OPD', 'Others']),
  items: z.array(invoiceItemInput).min(1).max(200),
})

/** Members that are no content of their own. */
const FRAME = new Set(['hiType', 'patient', 'author', 'organisation', 'encounter', 'date', 'title'])

/** Composition.section is 1..*: a document about nothing cannot be built. */
function hasContent(input: object): boolean {
  return Object.entries(input).some(
    ([name, value]) => !FRAME.has(name) && (Array.isArray(value) ? value.length > 0 : value !== undefined),
  )
}

/** What `buildDocument` takes: one of the eight record types of ABDM, told apart by `hiType`. */
export const documentInput = z
  .discriminatedUnion('hiType', [
    opConsultationInput,
    dischargeSummaryInput,
    prescriptionInput,
    diagnosticReportInput,
    immunizationRecordInput,
    healthDocumentInput,
    wellnessRecordInput,
    invoiceInput,
  ])
  .refine(hasContent, { message: 'needs at least one entry in one section' })

export type DocumentInput = z.infer<typeof documentInput>
export type OpConsultationInput = z.infer<typeof opConsultationInput>
export type DischargeSummaryInput = z.infer<typeof dischargeSummaryInput>
export type PrescriptionInput = z.infer<typeof prescriptionInput>
export type DiagnosticReportInput = z.infer<typeof diagnosticReportInput>
export type ImmunizationRecordInput = z.infer<typeof immunizationRecordInput>
export type HealthDocumentInput = z.infer<typeof healthDocumentInput>
export type WellnessRecordInput = z.infer<typeof wellnessRecordInput>
export type InvoiceInput = z.infer<typeof invoiceInput>
export type Concept = z.infer<typeof concept>
export type AttachmentInput = z.infer<typeof attachment>
export type PatientInput = z.infer<typeof patientInput>
export type PractitionerInput = z.infer<typeof practitionerInput>
export type OrganisationInput = z.infer<typeof organisationInput>
export type EncounterInput = z.infer<typeof encounterInput>
export type ObservationInput = z.infer<typeof observationInput>
export type ConditionInput = z.infer<typeof conditionInput>
export type ProcedureInput = z.infer<typeof procedureInput>
export type AllergyInput = z.infer<typeof allergyInput>
export type FamilyHistoryInput = z.infer<typeof familyHistoryInput>
export type MedicationInput = z.infer<typeof medicationInput>
export type ServiceInput = z.infer<typeof serviceInput>
export type FollowUpInput = z.infer<typeof followUpInput>
export type CarePlanInput = z.infer<typeof carePlanInput>
export type ReportInput = z.infer<typeof reportInput>
export type LabReportInput = z.infer<typeof labReportInput>
export type ImagingReportInput = z.infer<typeof imagingReportInput>
export type ImmunisationInput = z.infer<typeof immunisationInput>
export type InvoiceItemInput = z.infer<typeof invoiceItemInput>

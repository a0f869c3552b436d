import type {
  AllergyIntolerance,
  Appointment,
  CarePlan,
  Condition,
  DocumentReference,
  FamilyMemberHistory,
  MedicationRequest,
  Procedure,
  Quantity,
  Reference,
  ServiceRequest,
} from 'fhir/r4.js'
import { codeable, coded, each, present, UCUM } from './coding.ts'
import { type Draft, profile } from './draft.ts'
import type {
  AllergyInput,
  AttachmentInput,
  CarePlanInput,
  ConditionInput,
  FamilyHistoryInput,
  FollowUpInput,
  MedicationInput,
  ProcedureInput,
  ServiceInput,
} from './inputs.ts'
import { sentence, showDate } from './narrative.ts'

type Made<T> = T & { id: string }

export function addCondition(draft: Draft, input: ConditionInput): Reference {
  const status = input.status ?? 'active'
  return draft.add(
    present<Made<Condition>>({
      resourceType: 'Condition',
      id: draft.newId(),
      meta: profile('Condition'),
      text: sentence(input.what.text, `(${status})`, input.onset && `since ${showDate(input.onset)}`),
      clinicalStatus: coded(
        'http://terminology.hl7.org/CodeSystem/condition-clinical',
        status,
        status.charAt(0).toUpperCase() + status.slice(1),
      ),
      code: codeable(input.what, 'icd10', 'snomed'),
      subject: draft.subject,
      encounter: draft.encounter,
      onsetDateTime: input.onset,
      recordedDate: input.recorded ?? draft.date,
      note: input.note === undefined ? undefined : [{ text: input.note }],
    }),
    input.what.text,
  )
}

export function addProcedure(draft: Draft, input: ProcedureInput): Reference {
  const date = input.date ?? draft.date
  return draft.add(
    present<Made<Procedure>>({
      resourceType: 'Procedure',
      id: draft.newId(),
      meta: profile('Procedure'),
      text: sentence(input.what.text, `on ${showDate(date)}`),
      status: 'completed',
      code: codeable(input.what, 'snomed'),
      subject: draft.subject,
      performedDateTime: date,
      note: input.note === undefined ? undefined : [{ text: input.note }],
    }),
    input.what.text,
  )
}

/** ait-1: an allergy says its clinical status unless it was entered in error. */
export function addAllergy(draft: Draft, input: AllergyInput): Reference {
  const base = 'http://terminology.hl7.org/CodeSystem/allergyintolerance'
  return draft.add(
    present<Made<AllergyIntolerance>>({
      resourceType: 'AllergyIntolerance',
      id: draft.newId(),
      meta: profile('AllergyIntolerance'),
      text: sentence('Allergy:', input.what.text, input.reaction && `with ${input.reaction.text}`),
      clinicalStatus: coded(`${base}-clinical`, 'active', 'Active'),
      verificationStatus: coded(`${base}-verification`, 'confirmed', 'Confirmed'),
      category: input.category && [input.category],
      criticality: input.severe === undefined ? undefined : input.severe ? 'high' : 'low',
      code: codeable(input.what, 'snomed'),
      patient: draft.subject,
      recordedDate: input.recorded ?? draft.date,
      recorder: draft.author,
      reaction: input.reaction && [{ manifestation: [codeable(input.reaction, 'snomed')] }],
    }),
    input.what.text,
  )
}

const RELATIONS = { mother: 'MTH', father: 'FTH', sister: 'SIS', brother: 'BRO', grandparent: 'GRPRN' } as const

export function addFamilyHistory(draft: Draft, input: FamilyHistoryInput): Reference {
  return draft.add({
    resourceType: 'FamilyMemberHistory',
    id: draft.newId(),
    meta: profile('FamilyMemberHistory'),
    text: sentence(`${input.relation}:`, input.conditions.map((c) => c.text).join(', ')),
    status: 'completed',
    patient: draft.subject,
    date: draft.date,
    relationship: coded('http://terminology.hl7.org/CodeSystem/v3-RoleCode', RELATIONS[input.relation], input.relation),
    condition: input.conditions.map((found) => ({ code: codeable(found, 'snomed') })),
  } satisfies Made<FamilyMemberHistory>)
}

export function addService(draft: Draft, input: ServiceInput): Reference {
  return draft.add(
    present<Made<ServiceRequest>>({
      resourceType: 'ServiceRequest',
      id: draft.newId(),
      meta: profile('ServiceRequest'),
      text: sentence('Advised:', input.what.text),
      status: 'active',
      intent: 'order',
      code: codeable(input.what, 'snomed'),
      subject: draft.subject,
      authoredOn: input.date ?? draft.date,
      requester: draft.author,
      note: input.note === undefined ? undefined : [{ text: input.note }],
    }),
    input.what.text,
  )
}

/** app-2: an appointment has both start and end; a follow-up visit is booked for 15 minutes. */
export function addFollowUp(draft: Draft, input: FollowUpInput): Reference {
  const end = new Date(Date.parse(input.start) + 15 * 60_000).toISOString()
  return draft.add(
    present<Made<Appointment>>({
      resourceType: 'Appointment',
      id: draft.newId(),
      meta: profile('Appointment'),
      text: sentence(`Follow-up on ${showDate(input.start)}`),
      status: 'booked',
      description: input.description,
      start: input.start,
      end,
      created: draft.date,
      participant: [
        { actor: draft.subject, status: 'accepted' },
        { actor: draft.author, status: 'accepted' },
      ],
    }),
  )
}

export function addCarePlan(draft: Draft, input: CarePlanInput): Reference {
  return draft.add(
    present<Made<CarePlan>>({
      resourceType: 'CarePlan',
      id: draft.newId(),
      meta: profile('CarePlan'),
      text: sentence(input.title),
      status: 'active',
      intent: 'plan',
      title: input.title,
      description: input.description,
      subject: draft.subject,
      created: draft.date,
      author: draft.author,
      activity: each(input.activities, (description) => ({ detail: { status: 'scheduled' as const, description } })),
    }),
    input.title,
  )
}

export function addMedication(draft: Draft, input: MedicationInput): Reference {
  const { duration, timesPerDay } = input
  const bounds = duration && { boundsDuration: quantityOf(duration.value, DURATIONS[duration.unit], duration.unit) }
  const words = [input.dose, input.timing, duration && `for ${duration.value} ${DURATIONS[duration.unit]}`]
  const dosageText = words.filter((word) => word !== undefined).join(', ')
  const dose = doseQuantity(input.dose)
  const repeat = { ...bounds, ...(timesPerDay && { frequency: timesPerDay, period: 1, periodUnit: 'd' as const }) }
  return draft.add(
    present<Made<MedicationRequest>>({
      resourceType: 'MedicationRequest',
      id: draft.newId(),
      meta: profile('MedicationRequest'),
      text: sentence(`${input.medicine.text}:`, dosageText),
      status: 'active',
      intent: 'order',
      medicationCodeableConcept: codeable(input.medicine, 'snomed'),
      subject: draft.subject,
      authoredOn: input.authored ?? draft.date,
      requester: draft.author,
      reasonCode: input.reason && [codeable(input.reason, 'snomed')],
      dosageInstruction: [
        present<NonNullable<MedicationRequest['dosageInstruction']>[number]>({
          text: dosageText,
          timing: Object.keys(repeat).length > 0 ? { repeat } : undefined,
          route: input.route && codeable(input.route, 'snomed'),
          doseAndRate: dose && [{ doseQuantity: dose }],
        }),
      ],
    }),
    input.medicine.text,
  )
}

export function addAttachment(draft: Draft, input: AttachmentInput): Reference {
  return draft.add(
    present<Made<DocumentReference>>({
      resourceType: 'DocumentReference',
      id: draft.newId(),
      meta: profile('DocumentReference'),
      text: sentence(`${input.title}, ${input.contentType}`),
      status: 'current',
      docStatus: 'final',
      type: input.kind && codeable(input.kind, 'snomed', 'loinc'),
      subject: draft.subject,
      content: [{ attachment: toAttachment(input, draft.date) }],
    }),
    input.title,
  )
}

export function toAttachment(input: AttachmentInput, date: string) {
  const { contentType, data, title } = input
  return { contentType, language: 'en-IN', data, title, creation: input.date ?? date }
}

const DURATIONS = { d: 'days', wk: 'weeks', mo: 'months' } as const
const DOSE_UNITS: Readonly<Record<string, string>> = {
  mg: 'mg',
  g: 'g',
  mcg: 'ug',
  ml: 'mL',
  units: '[iU]',
  IU: '[iU]',
  tablet: '{tbl}',
  tablets: '{tbl}',
  capsule: '{capsule}',
  puffs: '{puff}',
  drop: '[drp]',
  drops: '[drp]',
}

function quantityOf(value: number, unit: string, code: string): Quantity {
  return { value, unit, system: UCUM, code }
}

/** `500 mg` as a quantity; undefined for doses such as `thin layer`, which stay words. */
function doseQuantity(dose: string): Quantity | undefined {
  const [, value, unit] = /^(\d+(?:\.\d+)?) (\S+)$/.exec(dose) ?? []
  const code = unit === undefined ? undefined : DOSE_UNITS[unit]
  return value !== undefined && unit !== undefined && code !== undefined
    ? quantityOf(Number(value), unit, code)
    : undefined
}

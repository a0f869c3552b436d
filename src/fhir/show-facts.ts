import { type BillFacts, billFacts } from './show-bill.ts'
import {
  type AllergyFacts,
  type AppointmentFacts,
  allergyFacts,
  appointmentFacts,
  type FamilyFacts,
  familyFacts,
  type OrderFacts,
  orderFacts,
  type PlanFacts,
  type ProblemFacts,
  type ProcedureFacts,
  planFacts,
  problemFacts,
  procedureFacts,
} from './show-clinical.ts'
import { type MedicineFacts, medicineFacts } from './show-medicine.ts'
import {
  conceptText,
  displayOf,
  filled,
  follow,
  items,
  type Json,
  type Named,
  named,
  object,
  type Resolve,
  text,
} from './show-reading.ts'
import { type ResultFacts, resultFacts } from './show-result.ts'
import { type VaccineFacts, type VaccinesDueFacts, vaccineFacts, vaccinesDueFacts } from './show-vaccine.ts'

/** A report of a laboratory or of images; its results are the rows below. */
export type ReportFacts = {
  readonly type: 'report'
  readonly name: Named
  readonly status?: string
  readonly at?: string
  readonly issued?: string
  readonly conclusion?: string
  readonly diagnoses?: readonly string[]
  readonly specimen?: string
  readonly collected?: string
  readonly interpreters?: readonly string[]
}

/** What a row says, in a shape of its kind. */
export type Facts =
  | MedicineFacts
  | ResultFacts
  | ReportFacts
  | ProblemFacts
  | AllergyFacts
  | ProcedureFacts
  | OrderFacts
  | FamilyFacts
  | PlanFacts
  | AppointmentFacts
  | VaccineFacts
  | VaccinesDueFacts
  | BillFacts

/** The facts of a resource; undefined for kinds that have none, and for resources that do not say what they are about. */
export function factsOf(resource: Json, resolve: Resolve): Facts | undefined {
  switch (resource['resourceType']) {
    case 'MedicationRequest':
    case 'MedicationStatement':
      return medicineFacts(resource, resolve)
    case 'Observation':
      return resultFacts(resource)
    case 'DiagnosticReport':
      return reportFacts(resource, resolve)
    case 'Condition':
      return problemFacts(resource)
    case 'AllergyIntolerance':
      return allergyFacts(resource)
    case 'Procedure':
      return procedureFacts(resource, resolve)
    case 'ServiceRequest':
      return orderFacts(resource, resolve)
    case 'FamilyMemberHistory':
      return familyFacts(resource)
    case 'CarePlan':
      return planFacts(resource, resolve)
    case 'Appointment':
      return appointmentFacts(resource)
    case 'Immunization':
      return vaccineFacts(resource)
    case 'ImmunizationRecommendation':
      return vaccinesDueFacts(resource)
    case 'Invoice':
      return billFacts(resource, resolve)
    default:
      return undefined
  }
}

function reportFacts(resource: Json, resolve: Resolve): ReportFacts | undefined {
  const name = named(resource['code'])
  if (name === undefined) return undefined
  const specimen = follow(items(resource['specimen'])[0], resolve)
  return filled<ReportFacts>({
    type: 'report',
    name,
    status: text(resource['status']),
    at: text(resource['effectiveDateTime']) ?? text(object(resource['effectivePeriod'])['start']),
    issued: text(resource['issued']),
    conclusion: text(resource['conclusion']),
    diagnoses: items(resource['conclusionCode']).flatMap((one) => conceptText(one) ?? []),
    specimen: conceptText(specimen?.['type']),
    collected: text(object(specimen?.['collection'])['collectedDateTime']),
    interpreters: items(resource['resultsInterpreter']).flatMap((one) => displayOf(one) ?? []),
  })
}

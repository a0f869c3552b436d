import type { Access } from '../audit/access.ts'
import type { Machine } from '../db/tx.ts'
import type { DocumentInput } from '../fhir/build/inputs.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { Refusal } from '../kernel/refusal.ts'
import type { FacilityPatient } from './patient.ts'

/** What is known of a record without opening it. */
export type RecordHead = {
  /** Names the record within its source. */
  readonly key: string
  readonly careContextReference: string
  readonly hiType: HiType
  readonly date: Date
  /** For the patient's app; says nothing clinical. */
  readonly display: string
}

/** A record, opened: facts from which we build the document, or a document made by others, byte for byte. */
export type RecordContent =
  | { readonly form: 'input'; readonly bundleId: string; readonly input: DocumentInput }
  | { readonly form: 'document'; readonly bytes: Uint8Array }

/**
 * Where a facility's records lie. Both calls run outside a transaction (a source may be across the network) and throw
 * {@link SourceUnavailable} when the source does not answer: the caller tries again later.
 */
export type RecordSource = {
  readonly name: string
  readonly list: (machine: Machine, patient: FacilityPatient) => Promise<readonly RecordHead[]>
  /** Opens a record for whom `access` names. Refuses (`records/unreadable`) what is gone or not what the head says. */
  readonly read: (
    machine: Machine,
    patient: FacilityPatient,
    head: RecordHead,
    access: Access,
  ) => Promise<RecordContent | Refusal>
}

/** The source of records does not answer now. */
export class SourceUnavailable extends Error {
  override readonly name = 'SourceUnavailable'
}

const KIND: Readonly<Record<HiType, string>> = {
  OPConsultation: 'Visit',
  DischargeSummary: 'Hospital stay',
  DiagnosticReport: 'Report',
  Prescription: 'Prescription',
  ImmunizationRecord: 'Immunisation',
  HealthDocumentRecord: 'Document',
  WellnessRecord: 'Wellness record',
  Invoice: 'Invoice',
}
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const INDIA_OFFSET_MS = 330 * 60_000

/** `Report of 12 Jan 2026`: the kind and the day in India, never words of the document (protocol sheet 2.2, HIP rules). */
export function displayOf(hiType: HiType, date: Date): string {
  const day = new Date(date.getTime() + INDIA_OFFSET_MS)
  return `${KIND[hiType]} of ${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]} ${day.getUTCFullYear()}`
}

/** Whether ABDM lets this be a care context reference (protocol sheet 1.2 (2)), and a little shorter than it allows. */
export function isCareContextReference(text: string): boolean {
  return /^[a-zA-Z0-9_\-@,().\\"/:| ]{1,200}$/.test(text) && text.trim() === text
}

/** A care context reference from any text: other characters become `-`. */
export function toCareContextReference(text: string): string {
  const clean = text.replaceAll(/[^a-zA-Z0-9_\-@,()./:|]/g, '-').slice(-200)
  return clean === '' ? 'record' : clean
}

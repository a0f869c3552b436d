import type { PatientInput } from '../fhir/build/inputs.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'

/** A patient as a facility knows them. `reference` is its own number for them: MRN in documents, patientReference on the wire. */
export type FacilityPatient = {
  readonly reference: string
  readonly name: string
  readonly gender: PatientInput['gender']
  /** `1984-05-17` */
  readonly birthDate: string
  readonly abhaAddress?: AbhaAddress
  readonly abhaNumber?: AbhaNumber
  /** Ten digits. */
  readonly mobile?: string
  readonly address?: PatientInput['address']
}

export const EVENTS = {
  'records.patient-registered': 'The facility registered a patient.',
  'records.patient-changed': 'The facility changed what it knows about a patient.',
  'records.names-indexed': 'The facility put names of its patients into the keyed index by which they are found.',
  'records.record-added': 'The facility added a record of a patient.',
  'records.viewed': 'A person of the staff read records that the facility holds itself.',
  'records.exported': 'The records office took records that the facility holds itself out as a file.',
  'records.view-denied': 'A person of the staff wanted to read records of a patient and may not.',
} as const

/** An Indian mobile number as ten digits, whatever prefix and blanks it came with; undefined when it is none. */
export function parseMobile(text: string): string | undefined {
  const digits = text.replaceAll(/[\s()-]/g, '').replace(/^(\+?91|0)(?=\d{10}$)/, '')
  return /^[1-9]\d{9}$/.test(digits) ? digits : undefined
}

/** ABDM's letter for a FHIR gender. */
export function genderLetter(gender: FacilityPatient['gender']): 'M' | 'F' | 'O' | 'U' {
  switch (gender) {
    case 'male':
      return 'M'
    case 'female':
      return 'F'
    case 'other':
      return 'O'
    case 'unknown':
      return 'U'
  }
}

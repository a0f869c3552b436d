import type { HeldPatient, HeldRecord } from './fake-hip.ts'
import type { Person } from './network.ts'

/** Invented people of the journeys. */
export const ASHA: Person = {
  abhaAddress: 'asha.rao@sbx',
  abhaNumber: '91000000000001',
  name: 'Asha Rao',
  gender: 'F',
  birthDate: '1981-01-12',
  mobile: '9000000001',
}
export const RAVI: Person = {
  abhaAddress: 'ravi.iyer@sbx',
  abhaNumber: '91000000000002',
  name: 'Ravi Iyer',
  gender: 'M',
  birthDate: '1975-06-03',
  mobile: '9000000002',
}

/** The person as a HIP's desk knows them. */
export function heldPatient(person: Person): HeldPatient {
  const { abhaAddress, abhaNumber, name, gender } = person
  return { abhaAddress, abhaNumber, name, gender, yearOfBirth: Number(person.birthDate.slice(0, 4)) }
}

export const DAY_MS = 86_400_000
/** Before the day of every sample document, however late the tests run; after that of the one that is too old. */
export const LONG_AGO = new Date('2020-01-01T00:00:00.000Z')
export const daysFromNow = (days: number): Date => new Date(Date.now() + days * DAY_MS)

export function heldRecord(
  reference: string,
  hiType: string,
  text: string,
  patientReference = 'patient-1',
): HeldRecord {
  return { patientReference, reference, hiType, display: `Visit ${reference}`, text }
}

import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { isSimilarName } from '../linking/demographics.ts'
import { type FacilityPatient, genderLetter } from '../records/patient.ts'

/** Whom the exchange asks about in a discovery (protocol sheet 2.2 no. 2). */
export type Wanted = {
  readonly abhaAddress: AbhaAddress
  readonly abhaNumber?: AbhaNumber
  readonly name: string
  readonly gender: string
  readonly yearOfBirth: number
  /** Verified mobile numbers, ten digits. */
  readonly mobiles: readonly string[]
  /** Medical record numbers that the patient gave. */
  readonly recordNumbers: readonly string[]
}

export type MatchedBy = 'ABHA_ADDRESS' | 'ABHA_NUMBER' | 'MOBILE' | 'MR'
export type Match = { readonly patient: FacilityPatient; readonly matchedBy: readonly MatchedBy[] }

/** Patients of ours that share an identifier with whom is wanted. */
export type Candidates = {
  readonly byAddress: readonly FacilityPatient[]
  readonly byNumber: readonly FacilityPatient[]
  readonly byMobile: readonly FacilityPatient[]
  readonly byRecordNumber: readonly FacilityPatient[]
}

const YEARS_APART_MAX = 5

/**
 * Finds the one patient who is meant: by ABHA address or number; else by mobile or record number together with gender, age within five
 * years and a similar name. Several are none: a wrong match would show a stranger's visits.
 */
export function match(wanted: Wanted, candidates: Candidates): Match | undefined {
  if (candidates.byAddress.length > 0) return only(candidates.byAddress, ['ABHA_ADDRESS'])
  const byNumber = candidates.byNumber.filter((patient) => patient.abhaAddress === undefined)
  if (byNumber.length > 0) return only(byNumber, ['ABHA_NUMBER'])
  const fits = (patient: FacilityPatient): boolean => isSimilar(patient, wanted)
  const byMobile = candidates.byMobile.filter(fits)
  const byRecord = candidates.byRecordNumber.filter(fits)
  const all = new Map([...byMobile, ...byRecord].map((patient) => [patient.reference, patient]))
  const [patient] = all.values()
  if (patient === undefined || all.size > 1) return undefined
  const has = (list: readonly FacilityPatient[]): boolean =>
    list.some(({ reference }) => reference === patient.reference)
  return {
    patient,
    matchedBy: [...(has(byMobile) ? (['MOBILE'] as const) : []), ...(has(byRecord) ? (['MR'] as const) : [])],
  }
}

function only(patients: readonly FacilityPatient[], matchedBy: readonly MatchedBy[]): Match | undefined {
  const [patient] = patients
  return patient === undefined || patients.length > 1 ? undefined : { patient, matchedBy }
}

function isSimilar(patient: FacilityPatient, wanted: Wanted): boolean {
  // Somebody whose ABHA we know to be another one is another person, however alike.
  if (patient.abhaAddress !== undefined && patient.abhaAddress !== wanted.abhaAddress) return false
  if (patient.abhaNumber !== undefined && wanted.abhaNumber !== undefined && patient.abhaNumber !== wanted.abhaNumber)
    return false
  const gender = wanted.gender === 'T' ? 'O' : wanted.gender
  const year = Number(patient.birthDate.slice(0, 4))
  return (
    genderLetter(patient.gender) === gender &&
    Math.abs(year - wanted.yearOfBirth) <= YEARS_APART_MAX &&
    isSimilarName(patient.name, wanted.name)
  )
}

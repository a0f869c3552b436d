import { compositionOf } from '../fhir/infer-type.ts'
import { isObject, type Obj } from '../fhir/json.ts'
import { parseAbhaAddress, parseAbhaNumber } from '../kernel/id.ts'
import type { FacilityPatient } from './patient.ts'

/** Whom a document is about, as its Patient resource says. */
export type DocumentIdentity = {
  readonly abhaNumbers: readonly string[]
  readonly abhaAddresses: readonly string[]
  /** All other identifiers: numbers of whoever made it. */
  readonly others: readonly string[]
  readonly birthDate?: string
}

/** Reads the Patient that `Composition.subject` points at, else the only Patient; undefined when there is none. */
export function identityOf(bundle: unknown): DocumentIdentity | undefined {
  const patient = patientOf(bundle)
  if (patient === undefined) return undefined
  const values = objects(patient['identifier']).flatMap(({ value }) =>
    typeof value === 'string' && value.length <= 200 ? [value.trim()] : [],
  )
  const abhaNumbers = values.flatMap((value) => parseAbhaNumber(value) ?? [])
  const abhaAddresses = values.flatMap((value) => parseAbhaAddress(value) ?? [])
  const others = values.filter((value) => parseAbhaNumber(value) === undefined && parseAbhaAddress(value) === undefined)
  const birthDate = patient['birthDate']
  return { abhaNumbers, abhaAddresses, others, ...(typeof birthDate === 'string' ? { birthDate } : {}) }
}

/**
 * Whether a document is about `patient`: `yes` when an identifier says so and none says otherwise, `no` when an identifier or the
 * birth date contradicts, `unknown` when nothing tells. Names never decide.
 */
export function isAbout(identity: DocumentIdentity, patient: FacilityPatient): 'yes' | 'no' | 'unknown' {
  const number = compare(identity.abhaNumbers, patient.abhaNumber)
  const address = compare(identity.abhaAddresses, patient.abhaAddress)
  if (number === 'no' || address === 'no') return 'no'
  const { birthDate } = identity
  if (birthDate !== undefined && !agreeOnBirth(birthDate, patient.birthDate)) return 'no'
  if (number === 'yes' || address === 'yes' || identity.others.includes(patient.reference)) return 'yes'
  return 'unknown'
}

/** Whether two birth dates can be of one person: either may be given to the year or the month only. */
export function agreeOnBirth(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one)
}

function compare(found: readonly string[], known: string | undefined): 'yes' | 'no' | 'unknown' {
  if (known === undefined || found.length === 0) return 'unknown'
  return found.includes(known) ? 'yes' : 'no'
}

function patientOf(bundle: unknown): Obj | undefined {
  if (!isObject(bundle)) return undefined
  const entries = objects(bundle['entry'])
  const patients = entries.filter(
    (entry) => isObject(entry['resource']) && entry['resource']['resourceType'] === 'Patient',
  )
  const subject = compositionOf(bundle)?.['subject']
  const reference = isObject(subject) && typeof subject['reference'] === 'string' ? subject['reference'] : undefined
  const named = patients.find((entry) => {
    const resource = entry['resource']
    return (
      reference !== undefined &&
      isObject(resource) &&
      (entry['fullUrl'] === reference || reference === `Patient/${String(resource['id'])}`)
    )
  })
  const chosen = named ?? (patients.length === 1 ? patients[0] : undefined)
  return isObject(chosen?.['resource']) ? chosen['resource'] : undefined
}

function objects(value: unknown): readonly Obj[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

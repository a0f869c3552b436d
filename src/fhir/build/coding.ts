import type { CodeableConcept, Coding } from 'fhir/r4.js'
import type { Concept } from './inputs.ts'

export const SNOMED = 'http://snomed.info/sct'
export const LOINC = 'http://loinc.org'
const ICD10 = 'http://hl7.org/fhir/sid/icd-10'
export const UCUM = 'http://unitsofmeasure.org'
export const V2_0203 = 'http://terminology.hl7.org/CodeSystem/v2-0203'
export const NRCES = 'https://nrces.in/ndhm/fhir/r4'

export function coding(system: string, code: string, display: string): Coding {
  return { system, code, display }
}

export function coded(system: string, code: string, display: string): CodeableConcept {
  return { coding: [coding(system, code, display)], text: display }
}

/** The concept with those of its codes that the profile of the place allows; words always. */
export function codeable(concept: Concept, ...allowed: readonly ('snomed' | 'icd10' | 'loinc')[]): CodeableConcept {
  const systems = { snomed: SNOMED, icd10: ICD10, loinc: LOINC }
  const codings = allowed.flatMap((name) => {
    const found = concept[name]
    return found ? [coding(systems[name], found.code, found.display)] : []
  })
  return codings.length > 0 ? { coding: codings, text: concept.text } : { text: concept.text }
}

/** Drops absent members and empty arrays: FHIR knows neither null nor empty (R4 json.html). */
export function present<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  const kept = Object.entries(members).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  return Object.fromEntries(kept) as T
}

/** `items` mapped, or undefined when there are none, so that {@link present} drops the member. */
export function each<In, Out>(items: readonly In[] | undefined, make: (item: In) => Out): Out[] | undefined {
  return items && items.length > 0 ? items.map(make) : undefined
}

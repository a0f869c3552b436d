import type { Finding } from '../fhir/findings.ts'
import { hasErrors } from '../fhir/findings.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { isObject } from '../fhir/json.ts'
import { isAt } from '../policy/period.ts'
import { agreeOnBirth, type DocumentIdentity } from '../records/identity.ts'
import type { Terms } from './hiu.ts'

/** What a received document says about itself (as `records/document-bytes.ts` reads it). */
export type Received = {
  readonly hiType: HiType
  readonly date: Date
  readonly identity: DocumentIdentity
  readonly bundle: object
}

/** Who the document must be about. An artefact names the ABHA address only; the rest is known when the patient is registered here. */
export type Expected = {
  readonly abhaAddress: string
  readonly abhaNumber?: string
  readonly birthDate?: string
  readonly name?: string
}

/**
 * Why a document that opened must not be shown: it is about somebody else, is not covered by the artefact, or is no valid document.
 * Undefined when it may be.
 */
export function quarantineReason(
  received: Received,
  careContextReference: string,
  terms: Terms,
  expected: Expected,
  findings: readonly Finding[],
): string | undefined {
  const { abhaAddresses, abhaNumbers, birthDate } = received.identity
  if (differs(abhaAddresses, expected.abhaAddress) || differs(abhaNumbers, expected.abhaNumber))
    return 'It belongs to another patient: the ABHA identifiers differ.'
  if (birthDate !== undefined && expected.birthDate !== undefined && !agreeOnBirth(birthDate, expected.birthDate))
    return 'It belongs to another patient: the birth dates differ.'
  if (
    terms.careContexts.length > 0 &&
    !terms.careContexts.some((context) => context.careContextReference === careContextReference)
  ) {
    return 'The consent does not cover this care context.'
  }
  if (!terms.hiTypes.includes(received.hiType)) return `The consent does not cover the HI type ${received.hiType}.`
  if (!isAt(received.date, terms.range)) return 'Its date is outside the dates of the consent.'
  if (hasErrors(findings)) return 'It is not a valid FHIR document.'
  return undefined
}

function differs(found: readonly string[], known: string | undefined): boolean {
  return known !== undefined && found.length > 0 && !found.includes(known)
}

/** A warning when no name in the document is the patient's: spellings differ too often to decide by it. */
export function nameWarning(bundle: object, expected: Expected): string | undefined {
  if (expected.name === undefined) return undefined
  const names = namesIn(bundle)
  const wanted = wordsOf(expected.name)
  if (names.length === 0 || names.some((name) => wordsOf(name).some((word) => wanted.includes(word)))) return undefined
  return 'The name in the document is not the name that we know the patient by.'
}

function wordsOf(name: string): readonly string[] {
  return name
    .toLowerCase()
    .split(/[\s.,]+/)
    .filter((word) => word.length > 1)
}

function namesIn(bundle: object): readonly string[] {
  const entries = 'entry' in bundle && Array.isArray(bundle.entry) ? (bundle.entry as readonly unknown[]) : []
  const patients = entries.flatMap((entry) =>
    isObject(entry) && isObject(entry['resource']) && entry['resource']['resourceType'] === 'Patient'
      ? [entry['resource']]
      : [],
  )
  return patients
    .flatMap(({ name }) =>
      (Array.isArray(name) ? (name as readonly unknown[]) : []).flatMap((one) => (isObject(one) ? [textOf(one)] : [])),
    )
    .filter((name) => name !== '')
}

function textOf(name: { readonly [key: string]: unknown }): string {
  const given: readonly unknown[] = Array.isArray(name['given']) ? name['given'] : []
  return [name['text'], ...given, name['family']].filter((part) => typeof part === 'string').join(' ')
}

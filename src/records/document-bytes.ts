import type { HiType } from '../fhir/hi-type.ts'
import { compositionOf, inferHiType } from '../fhir/infer-type.ts'
import { exceeds } from '../fhir/json.ts'
import { DOCUMENT_DEPTH_MAX, DOCUMENT_VALUES_MAX } from '../fhir/validate.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { type DocumentIdentity, identityOf } from './identity.ts'

/** A FHIR document made by others: what it is, when, about whom. The bytes stay as they came. */
export type ForeignDocument = {
  readonly bundle: object
  readonly hiType: HiType
  readonly date: Date
  readonly identity: DocumentIdentity
  /** `Bundle.identifier.value`, where it has one. */
  readonly identifier?: string
}

/** Reads the bytes of a FHIR document in JSON; the refusal says what is wrong with it, without its values. */
export function readDocument(bytes: Uint8Array): ForeignDocument | Refusal {
  if (bytes.length > LIMITS.documentBytesMax) {
    return refuse('request/too-large', `The document has more than ${LIMITS.documentBytesMax} bytes.`)
  }
  const bundle = parse(bytes)
  if (bundle === undefined) return refuse('fhir/not-a-document', 'The file is not JSON in UTF-8.')
  const excess = exceeds(bundle, DOCUMENT_VALUES_MAX, DOCUMENT_DEPTH_MAX)
  if (excess !== undefined) return refuse('fhir/not-a-document', `The document ${excess}.`)
  const hiType = inferHiType(bundle)
  if (typeof bundle !== 'object' || bundle === null || hiType === undefined) {
    return refuse('fhir/not-a-document', 'It is no FHIR document whose record type can be told from its Composition.')
  }
  const date = compositionOf(bundle)?.['date']
  const at = typeof date === 'string' ? new Date(date) : undefined
  if (at === undefined || Number.isNaN(at.getTime()))
    return refuse('fhir/not-a-document', 'Composition.date is missing or is no date.')
  const identity = identityOf(bundle)
  if (identity === undefined)
    return refuse('fhir/not-a-document', 'It has no Patient that Composition.subject points at.')
  const identifier = identifierOf(bundle)
  return { bundle, hiType, date: at, identity, ...(identifier === undefined ? {} : { identifier }) }
}

function parse(bytes: Uint8Array): unknown {
  try {
    // A byte order mark is dropped by the decoder: JSON of Windows tools often has one.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown
  } catch {
    return undefined
  }
}

function identifierOf(bundle: object): string | undefined {
  const identifier = 'identifier' in bundle ? bundle.identifier : undefined
  const value =
    typeof identifier === 'object' && identifier !== null && 'value' in identifier ? identifier.value : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

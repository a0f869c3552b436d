import type { HiType } from './hi-type.ts'
import { compositionOf, inferHiType } from './infer-type.ts'
import { isObject } from './narrow-dates.ts'
import { type Item, makeResolver } from './narrow-references.ts'
import {
  type Attestation,
  attestationsOf,
  nameBehind,
  partyOf,
  placeOf,
  type ShownParty,
  type ShownVisit,
  signatureOf,
  visitOf,
} from './show-frame.ts'
import { type NarrativeBlock, readNarrative } from './show-narrative.ts'
import { conceptText, filled, follow, items, type Json, object, type Resolve, text } from './show-reading.ts'
import { type Row, rowOf } from './show-rows.ts'
import { roleOfSection, type SectionRole } from './show-sections.ts'

export type ShownSection = {
  readonly title: string
  readonly role?: SectionRole
  readonly rows: readonly Row[]
  /** What the author wrote in running text, as plain text. */
  readonly words?: readonly NarrativeBlock[]
}

/** A document as a page shows it: header, sections in document order, and what no section names. */
export type ShownDocument = {
  readonly hiType?: HiType
  readonly title: string
  readonly date?: string
  /** FHIR status: `final`, `amended`, `preliminary`, `entered-in-error`. */
  readonly status?: string
  readonly authors: readonly string[]
  readonly writers: readonly ShownParty[]
  /** The facility. */
  readonly custodian?: string
  /** The custodian, or the next best that tells where it was made. */
  readonly place?: string
  readonly patient?: { readonly name?: string; readonly gender?: string; readonly birthDate?: string }
  readonly encounter?: ShownVisit
  readonly attested?: readonly Attestation[]
  /** It carries a signature; whether that is right is not known here. */
  readonly signature?: { readonly at?: string; readonly name?: string }
  /** `replaces`, `appends`, `transforms` another document. */
  readonly relation?: string
  /** `Bundle.identifier`: the same for two copies of one document. */
  readonly identifier?: string
  /** Whether it was cut before it came (FHIR tag SUBSETTED). */
  readonly isSubset: boolean
  readonly sections: readonly ShownSection[]
  readonly others: readonly Row[]
}

/** Shown in the header or inside other rows. */
const FRAME = new Set([
  'Composition',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Encounter',
  'Location',
  'Specimen',
  'ChargeItem',
  'Medication',
  'Substance',
  'Device',
  'RelatedPerson',
])

/**
 * Reads a document of anybody for display: structured values, and narratives as plain text only (they are HTML of strangers).
 * Missing parts and dangling references are left out; undefined when there is no Composition. Never throws.
 */
export function showDocument(bundle: unknown): ShownDocument | undefined {
  const composition = compositionOf(bundle)
  if (!isObject(bundle) || !composition) return undefined
  const entries = itemsOf(bundle)
  const resolveItem = makeResolver(entries)
  const used = new Set<unknown>()
  const resolve: Resolve = (reference) => {
    const found = resolveItem(reference)?.resource
    used.add(found)
    return found
  }
  const hiType = inferHiType(bundle)
  const sections = items(composition['section']).flatMap((section) => showSection(section, resolve, 0))
  const others = entries.filter(({ resource }) => !used.has(resource) && !FRAME.has(String(resource['resourceType'])))
  return {
    ...header(bundle, composition, entries, resolve),
    ...filled({ hiType }),
    title: text(composition['title']) ?? conceptText(composition['type']) ?? hiType ?? 'Document',
    authors: items(composition['author']).flatMap((author) => nameBehind(author, resolve) ?? []),
    writers: items(composition['author']).flatMap((author) => partyOf(author, resolve)),
    isSubset: isSubset(bundle),
    sections,
    others: others.map(({ resource }) => rowOf(resource, resolve)),
  }
}

function header(bundle: Json, composition: Json, entries: readonly Item[], resolve: Resolve) {
  return filled<Omit<ShownDocument, 'title' | 'authors' | 'writers' | 'isSubset' | 'sections' | 'others' | 'hiType'>>({
    date: text(composition['date']),
    status: text(composition['status']),
    custodian: nameBehind(composition['custodian'], resolve),
    place: placeOf(composition, entries, resolve),
    patient: showPatient(composition['subject'], resolve),
    encounter: visitOf(composition['encounter'], resolve),
    attested: attestationsOf(composition, resolve),
    signature: signatureOf(bundle, resolve),
    relation: text(items(composition['relatesTo'])[0]?.['code']),
    identifier: text(object(bundle['identifier'])['value']),
  })
}

const SECTION_DEPTH_MAX = 8

function showSection(section: Json, resolve: Resolve, depth: number): ShownSection[] {
  const rows = items(section['entry']).flatMap((entry) => {
    const target = follow(entry, resolve)
    return target ? [rowOf(target, resolve)] : []
  })
  const title = text(section['title']) ?? conceptText(section['code']) ?? 'Section'
  const words = readNarrative(object(section['text'])['div'])
  const shown = { title, rows, ...filled({ role: roleOfSection(section), words }) }
  const below = depth < SECTION_DEPTH_MAX ? items(section['section']) : []
  return [
    ...(rows.length > 0 || words.length > 0 ? [shown] : []),
    ...below.flatMap((one) => showSection(one, resolve, depth + 1)),
  ]
}

function itemsOf(bundle: Json): Item[] {
  return items(bundle['entry']).flatMap(({ fullUrl, resource }, at) =>
    isObject(resource) ? [{ fullUrl: text(fullUrl) ?? `#entry-${at}`, resource }] : [],
  )
}

function showPatient(reference: unknown, resolve: Resolve): ShownDocument['patient'] {
  const patient = follow(reference, resolve)
  const name = nameBehind(reference, resolve)
  if (!patient && name === undefined) return undefined
  return filled({ name, gender: text(patient?.['gender']), birthDate: text(patient?.['birthDate']) })
}

function isSubset(bundle: Json): boolean {
  return items(object(bundle['meta'])['tag']).some((tag) => tag['code'] === 'SUBSETTED')
}

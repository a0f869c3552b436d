import type { HiType } from './hi-type.ts'
import { compositionOf, inferHiType } from './infer-type.ts'
import { isObject } from './narrow-dates.ts'
import { type Item, makeResolver } from './narrow-references.ts'
import { conceptText, filled, follow, items, type Resolve, type Row, rowOf, text } from './show-rows.ts'

type Json = { readonly [key: string]: unknown }

export type ShownSection = { readonly title: string; readonly rows: readonly Row[] }

/** A document as a page shows it: header, sections in document order, and what no section names. */
export type ShownDocument = {
  readonly hiType?: HiType
  readonly title: string
  readonly date?: string
  readonly status?: string
  readonly authors: readonly string[]
  /** The facility. */
  readonly custodian?: string
  readonly patient?: { readonly name?: string; readonly gender?: string; readonly birthDate?: string }
  readonly encounter?: { readonly start?: string; readonly end?: string }
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
])

/**
 * Reads a document of anybody for display: structured values only, never its narratives (which are HTML of strangers).
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
    ...filled({
      hiType,
      date: text(composition['date']),
      status: text(composition['status']),
      custodian: nameBehind(composition['custodian'], resolve),
      patient: showPatient(composition['subject'], resolve),
      encounter: showPeriod(composition['encounter'], resolve),
    }),
    title: text(composition['title']) ?? conceptText(composition['type']) ?? hiType ?? 'Document',
    authors: items(composition['author']).flatMap((author) => nameBehind(author, resolve) ?? []),
    isSubset: isSubset(bundle),
    sections,
    others: others.map(({ resource }) => rowOf(resource, resolve)),
  }
}

const SECTION_DEPTH_MAX = 8

function showSection(section: Json, resolve: Resolve, depth: number): ShownSection[] {
  const rows = items(section['entry']).flatMap((entry) => {
    const target = follow(entry, resolve)
    return target ? [rowOf(target, resolve)] : []
  })
  const title = text(section['title']) ?? conceptText(section['code']) ?? 'Section'
  const below = depth < SECTION_DEPTH_MAX ? items(section['section']) : []
  return [
    ...(rows.length > 0 ? [{ title, rows }] : []),
    ...below.flatMap((one) => showSection(one, resolve, depth + 1)),
  ]
}

function itemsOf(bundle: Json): Item[] {
  return items(bundle['entry']).flatMap(({ fullUrl, resource }, at) =>
    isObject(resource) ? [{ fullUrl: text(fullUrl) ?? `#entry-${at}`, resource }] : [],
  )
}

/** The name of a person or organisation, `PractitionerRole` looked through; else the display of the reference. */
function nameBehind(reference: unknown, resolve: Resolve): string | undefined {
  if (!isObject(reference)) return undefined
  const target = follow(reference, resolve)
  const inner = target?.['practitioner'] ?? target?.['organization']
  const role = isObject(inner) && target?.['resourceType'] === 'PractitionerRole' ? follow(inner, resolve) : undefined
  return (role && nameOfParty(role)) ?? (target && nameOfParty(target)) ?? text(reference['display'])
}

function nameOfParty(resource: Json): string | undefined {
  const { name } = resource
  if (!Array.isArray(name)) return text(name)
  const [first] = items(name)
  const given = Array.isArray(first?.['given']) ? first['given'].filter((one) => typeof one === 'string') : []
  const built = [...given, text(first?.['family'])].filter(Boolean).join(' ')
  return text(first?.['text']) ?? text(built)
}

function showPatient(reference: unknown, resolve: Resolve): ShownDocument['patient'] {
  const patient = isObject(reference) ? follow(reference, resolve) : undefined
  const name = nameBehind(reference, resolve)
  if (!patient && name === undefined) return undefined
  return filled({ name, gender: text(patient?.['gender']), birthDate: text(patient?.['birthDate']) })
}

function showPeriod(reference: unknown, resolve: Resolve): ShownDocument['encounter'] {
  const period = isObject(reference) ? follow(reference, resolve)?.['period'] : undefined
  return isObject(period) ? filled({ start: text(period['start']), end: text(period['end']) }) : undefined
}

function isSubset(bundle: Json): boolean {
  const meta = isObject(bundle['meta']) ? bundle['meta'] : {}
  return items(meta['tag']).some((tag) => tag['code'] === 'SUBSETTED')
}

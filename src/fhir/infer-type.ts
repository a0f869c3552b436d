import type { HiType } from './hi-type.ts'

const SNOMED = 'http://snomed.info/sct'

/** Composition.type code → HI type (ndhm.in 6.0.0 to 6.5.0, fixed values of the eight Composition profiles). */
const BY_CODE: ReadonlyMap<string, HiType> = new Map([
  ['371530004', 'OPConsultation'],
  ['440545006', 'Prescription'],
  ['721981007', 'DiagnosticReport'],
  ['4241000179101', 'DiagnosticReport'],
  ['373942005', 'DischargeSummary'],
  ['41000179103', 'ImmunizationRecord'],
  ['419891008', 'HealthDocumentRecord'],
])

/** Composition.type.text of the two types without a code, and what senders write in its place. */
const BY_TEXT: ReadonlyMap<string, HiType> = new Map([
  ['wellness record', 'WellnessRecord'],
  ['wellnessrecord', 'WellnessRecord'],
  ['invoice record', 'Invoice'],
  ['invoicerecord', 'Invoice'],
  ['invoice', 'Invoice'],
  ['clinical consultation report', 'OPConsultation'],
  ['op consultation', 'OPConsultation'],
  ['op consultation record', 'OPConsultation'],
  ['op consultation document', 'OPConsultation'],
  ['opconsultation', 'OPConsultation'],
  ['prescription record', 'Prescription'],
  ['prescription', 'Prescription'],
  ['diagnostic studies report', 'DiagnosticReport'],
  ['diagnostic report', 'DiagnosticReport'],
  ['diagnostic report record', 'DiagnosticReport'],
  ['laboratory report', 'DiagnosticReport'],
  ['discharge summary', 'DischargeSummary'],
  ['discharge summary record', 'DischargeSummary'],
  ['immunization record', 'ImmunizationRecord'],
  ['record artifact', 'HealthDocumentRecord'],
  ['health document record', 'HealthDocumentRecord'],
  ['health document', 'HealthDocumentRecord'],
])

/** Composition profile name (last step of its URL) → HI type. */
export const HI_TYPE_OF_PROFILE: ReadonlyMap<string, HiType> = new Map([
  ['OPConsultRecord', 'OPConsultation'],
  ['PrescriptionRecord', 'Prescription'],
  ['DiagnosticReportRecord', 'DiagnosticReport'],
  ['DischargeSummaryRecord', 'DischargeSummary'],
  ['ImmunizationRecord', 'ImmunizationRecord'],
  ['HealthDocumentRecord', 'HealthDocumentRecord'],
  ['WellnessRecord', 'WellnessRecord'],
  ['InvoiceRecord', 'Invoice'],
])

/**
 * Section titles that only a WellnessRecord has. A title such as "Document Reference" alone tells nothing.
 */
const WELLNESS_TITLES: ReadonlySet<string> = new Set([
  'vital signs',
  'body measurement',
  'physical activity',
  'general assessment',
  'women health',
  'lifestyle',
])

/** Kind of the first entry that decides when type and section codes are silent. */
const BY_ENTRY: ReadonlyMap<string, HiType> = new Map([
  ['MedicationRequest', 'Prescription'],
  ['DiagnosticReport', 'DiagnosticReport'],
  ['Immunization', 'ImmunizationRecord'],
  ['ImmunizationRecommendation', 'ImmunizationRecord'],
  ['Invoice', 'Invoice'],
])

type Obj = { readonly [key: string]: unknown }

/**
 * The HI type of a document, from Composition.type (code, then display or text), then from the codes of its sections,
 * then from the Composition's declared profile, then from titles and entries of the sections. Other people's
 * documents often carry no `meta.profile` and use code systems of their own, so the code's system is not required.
 * Undefined when it is no document or nothing tells. Never throws.
 */
export function inferHiType(bundle: unknown): HiType | undefined {
  const composition = compositionOf(bundle)
  if (composition === undefined) return undefined
  const sections = objects(composition['section'])
  return (
    byConcept(composition['type']) ??
    first(sections, (section) => byConcept(section['code'])) ??
    byProfile(composition) ??
    first(sections, bySection)
  )
}

/** The first Composition among the entries; documents have it first, some senders do not. */
export function compositionOf(bundle: unknown): Obj | undefined {
  if (!isObject(bundle)) return undefined
  return first(objects(bundle['entry']), (entry) => {
    const resource = entry['resource']
    return isObject(resource) && resource['resourceType'] === 'Composition' ? resource : undefined
  })
}

function byConcept(concept: unknown): HiType | undefined {
  if (!isObject(concept)) return undefined
  const codings = objects(concept['coding'])
  const ranked = [...codings].sort((a, b) => Number(b['system'] === SNOMED) - Number(a['system'] === SNOMED))
  return (
    first(ranked, (coding) => lookUp(BY_CODE, coding['code'])) ??
    lookUp(BY_TEXT, concept['text']) ??
    first(codings, (coding) => lookUp(BY_TEXT, coding['display']))
  )
}

function byProfile(composition: Obj): HiType | undefined {
  const meta = composition['meta']
  const profiles = isObject(meta) && Array.isArray(meta['profile']) ? meta['profile'] : []
  return first(profiles, (url) => (typeof url === 'string' ? HI_TYPE_OF_PROFILE.get(profileName(url)) : undefined))
}

/** `https://nrces.in/ndhm/fhir/r4/StructureDefinition/OPConsultRecord|6.0.0` → `OPConsultRecord`. */
function profileName(url: string): string {
  const withoutVersion = url.split('|', 1)[0] ?? ''
  return withoutVersion.slice(withoutVersion.lastIndexOf('/') + 1)
}

function bySection(section: Obj): HiType | undefined {
  const title = section['title']
  if (typeof title === 'string' && WELLNESS_TITLES.has(title.trim().toLowerCase())) return 'WellnessRecord'
  return first(objects(section['entry']), (entry) => {
    const type = entry['type'] ?? (typeof entry['reference'] === 'string' ? entry['reference'].split('/').at(-2) : '')
    return typeof type === 'string' ? BY_ENTRY.get(type) : undefined
  })
}

function lookUp(table: ReadonlyMap<string, HiType>, key: unknown): HiType | undefined {
  if (typeof key !== 'string' || key.length > 200) return undefined
  return table.get(key.trim().toLowerCase())
}

function first<T, R>(items: readonly T[], look: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = look(item)
    if (found !== undefined) return found
  }
  return undefined
}

function objects(value: unknown): readonly Obj[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function isObject(value: unknown): value is Obj {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

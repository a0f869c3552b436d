/** Which elements may stay: the part of `narrow` that decides by field. */

import { isObject } from './narrow-dates.ts'

type Json = { readonly [key: string]: unknown }

/** Allowed paths as a tree; a node without children allows all below it. */
export type Fields = { readonly all: boolean; readonly children: ReadonlyMap<string, Fields> }

/** Reads `MedicationRequest.dosageInstruction`, `Observation.value[x]`, `Condition` into one tree. */
export function readFields(paths: readonly string[]): Fields {
  const split = paths.map((path) => path.replaceAll('[x]', '').split('.'))
  return toTree(split.filter((steps) => steps.every((step) => step !== '')))
}

function toTree(paths: readonly (readonly string[])[]): Fields {
  const groups = Map.groupBy(
    paths.filter((steps) => steps.length > 0),
    (steps) => steps[0] ?? '',
  )
  return {
    all: paths.some((steps) => steps.length === 0),
    children: new Map([...groups].map(([name, group]) => [name, toTree(group.map((steps) => steps.slice(1)))])),
  }
}

/** Who and where: these stay in a document whose fields are cut, reduced to what identifies them. */
const FRAME_TYPES: Readonly<Record<string, readonly string[]>> = {
  Patient: ['identifier', 'name', 'gender', 'birthDate', 'active'],
  Practitioner: ['identifier', 'name', 'active'],
  PractitionerRole: ['identifier', 'practitioner', 'organization', 'active'],
  Organization: ['identifier', 'name', 'active'],
  RelatedPerson: ['identifier', 'patient', 'name', 'active'],
  Location: ['identifier', 'name', 'status'],
  Encounter: ['identifier', 'status', 'class', 'subject', 'period', 'serviceProvider'],
}

/**
 * What, whose and when of a resource of which some field is allowed, and every modifier element (R4 isModifier): to
 * drop one would turn the meaning round. What these resources say beyond that stays only when it is named.
 */
const FRAME_ELEMENTS = [
  'identifier',
  'status',
  'intent',
  'doNotPerform',
  'clinicalStatus',
  'verificationStatus',
  'isSubpotent',
  'primarySource',
  'modifierExtension',
  'implicitRules',
  'code',
  'type',
  'medicationCodeableConcept',
  'medicationReference',
  'vaccineCode',
  'relationship',
  'subject',
  'patient',
  'participant',
  'requester',
  'resultsInterpreter',
  'authoredOn',
  'effectiveDateTime',
  'effectivePeriod',
  'issued',
  'occurrenceDateTime',
  'occurrenceString',
  'performedDateTime',
  'performedPeriod',
  'recordedDate',
  'date',
  'created',
  'createdDateTime',
  'start',
  'end',
  'receivedTime',
] as const

const ALWAYS = ['resourceType', 'id', 'meta']

/** Content that the profiles require: without it the resource is nothing, so it goes whole. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  Binary: ['contentType', 'data'],
  ChargeItem: ['quantity'],
  DocumentReference: ['content'],
  FamilyMemberHistory: ['condition'],
  ImmunizationRecommendation: ['recommendation'],
  Invoice: ['lineItem', 'totalNet', 'totalGross'],
  Media: ['content'],
  MedicationRequest: ['dosageInstruction'],
  Specimen: ['collection'],
}

/**
 * `resource` with nothing but allowed fields: the same object when nothing goes, undefined when no field of its type is
 * allowed.
 */
export function keepFields(resource: Json, fields: Fields): Json | undefined {
  const type = String(resource['resourceType'])
  const allowed = fields.children.get(type)
  if (type === 'Composition') return allowed?.all ? resource : withoutWords(resource)
  const frame = FRAME_TYPES[type]
  if (allowed?.all) return resource
  if (!allowed && !frame) return undefined
  const kept = new Set([...ALWAYS, ...(frame ?? FRAME_ELEMENTS)])
  const pruned = prune(resource, allowed ?? { all: false, children: new Map() }, kept)
  const lost = REQUIRED[type]?.some((name) => resource[name] !== undefined && pruned[name] === undefined)
  return lost || isHollowReport(resource, pruned) ? undefined : pruned
}

/** Narratives of a document and its sections may tell what no allowed field tells; `narrow` drops those of sections. */
function withoutWords(composition: Json): Json {
  if (!hasWords(composition)) return composition
  const { text: _, ...rest } = composition
  return rest
}

function hasWords({ text, section }: Json): boolean {
  return text !== undefined || (Array.isArray(section) && section.some((one) => isObject(one) && hasWords(one)))
}

/** Whether a report lost the last of what it reports: pictures for imaging, results for a laboratory. */
export function isHollowReport(before: Json, after: Json): boolean {
  if (before['resourceType'] !== 'DiagnosticReport') return false
  const profiles = isObject(before['meta']) ? before['meta']['profile'] : undefined
  const isImaging = Array.isArray(profiles) && profiles.some((url) => String(url).includes('DiagnosticReportImaging'))
  const name = isImaging || before['result'] === undefined ? 'media' : 'result'
  return before[name] !== undefined && (after[name] === undefined || Object.keys(after[name] ?? {}).length === 0)
}

function prune(node: Json, fields: Fields, kept: ReadonlySet<string>): Json {
  const entries = Object.entries(node).flatMap(([name, value]): [string, unknown][] => {
    const plain = name.startsWith('_') ? name.slice(1) : name
    if (kept.has(plain)) return [[name, value]]
    const allowed = childOf(fields, plain)
    if (!allowed) return []
    return [[name, allowed.all ? value : pruneValue(value, allowed)]]
  })
  const same = entries.length === Object.keys(node).length && entries.every(([name, value]) => node[name] === value)
  return same ? node : Object.fromEntries(entries)
}

/** `modifierExtension` stays at every depth. */
const KEPT_INSIDE = new Set(['modifierExtension'])

function pruneValue(value: unknown, fields: Fields): unknown {
  if (Array.isArray(value)) {
    const pruned = value.map((item) => pruneValue(item, fields))
    return pruned.every((item, at) => item === value[at]) ? value : pruned
  }
  return isObject(value) ? prune(value, fields, KEPT_INSIDE) : value
}

/** `value` allows `valueQuantity` and its siblings, as FHIR paths name choice elements. */
function childOf(fields: Fields, name: string): Fields | undefined {
  const exact = fields.children.get(name)
  if (exact) return exact
  for (const [allowed, node] of fields.children) {
    if (CHOICES.has(allowed) && name.startsWith(allowed) && /^[A-Z]/.test(name.slice(allowed.length))) return node
  }
  return undefined
}

/** Names of the choice elements in the resources of the ABDM profiles. */
const CHOICES = new Set([
  'value',
  'onset',
  'abatement',
  'effective',
  'performed',
  'occurrence',
  'medication',
  'product',
  'chargeItem',
  'asNeeded',
  'dose',
  'rate',
  'bounds',
  'doseNumber',
  'seriesDoses',
  'collected',
  'created',
  'deceased',
  'multipleBirth',
  'age',
  'born',
  'reported',
  'allowed',
  'serviced',
  'timing',
  'quantity',
  'scheduled',
])

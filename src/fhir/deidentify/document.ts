import { isObject, type Obj } from '../json.ts'
import { currentProfiles, type Member, type Rule, type TypeRef } from '../profiles.ts'
import { patientPseudonym, pseudonymousUuid, shiftDaysOf } from './project.ts'
import { type Element, filled, TREATMENTS } from './values.ts'
import { type Order, type Reason, type Reviewable, Work } from './work.ts'

export type Deidentified = {
  readonly document: Obj
  /** How often something was taken, by reason. */
  readonly removed: Readonly<Partial<Record<Reason, number>>>
  /** Texts and attachments that were taken and that a reviewer may let stay. They are health data. */
  readonly toReview: readonly Reviewable[]
}

const WITHHELD = 'withheld'
/** What identifies by itself and is never content: ids of elements, versions, languages, narratives, foreign rules. */
const NEVER = new Set(['id', 'meta', 'implicitRules', 'language', 'text', 'extension', 'fullUrl', 'link', 'signature'])
const PSEUDONYMOUS = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'PSEUDED' }

/**
 * A copy of a FHIR document without what identifies people (45 CFR 164.514). Only what is known to be harmless stays: an element that R4
 * does not have, a type without a treatment, a code of no known system is dropped. Never changes its input. The result is pseudonymous.
 */
export function deidentify(bundle: unknown, order: Order): Deidentified {
  const work = new Work(currentProfiles(), order, shiftDaysOf(order.project, order.patient))
  const entries = isObject(bundle) && Array.isArray(bundle['entry']) ? bundle['entry'].filter(isObject) : []
  const patient = entries.find((one) => isObject(one['resource']) && one['resource']['resourceType'] === 'Patient')
  giveAddresses(work, entries, patient)
  const entry = entries.flatMap((one, at) => {
    const address = work.addresses.get(addressOf(one, at))
    const resource = address === undefined ? undefined : resourceOf(work, one['resource'], address, one === patient)
    return resource === undefined ? [] : [{ fullUrl: address, resource }]
  })
  const taken = isObject(bundle) ? bundle : {}
  const document = {
    resourceType: 'Bundle',
    meta: { security: [PSEUDONYMOUS] },
    identifier: pseudonymOf(work, 'document', JSON.stringify(taken['identifier'] ?? taken['id'] ?? null)),
    type: 'document',
    ...filled({ timestamp: dateOf(work, taken['timestamp']) }),
    entry,
  }
  return { document, removed: Object.fromEntries(work.removed), toReview: work.toReview }
}

/** The address of an entry, or what stands for it: what it is and which, or only its place. */
function addressOf(entry: Obj, at: number): string {
  const url = entry['fullUrl']
  if (typeof url === 'string') return url
  const { resourceType, id } = isObject(entry['resource']) ? entry['resource'] : {}
  return typeof id === 'string' && id !== '' ? `${String(resourceType)}/${id}` : `#${at}`
}

/** Every entry gets an address made from its old one; the patient's is the same in all her documents. */
function giveAddresses(work: Work, entries: readonly Obj[], patient: Obj | undefined): void {
  for (const [at, entry] of entries.entries()) {
    const resource = isObject(entry['resource']) ? entry['resource'] : {}
    const old = addressOf(entry, at)
    const name = entry === patient ? 'patient' : old
    const address = `urn:uuid:${pseudonymousUuid(work.order.project, work.order.patient, name)}`
    work.addresses.set(old, address)
    if (typeof resource['id'] === 'string' && resource['id'] !== '')
      work.addresses.set(`${String(resource['resourceType'])}/${resource['id']}`, address)
  }
}

function pseudonymOf(work: Work, kind: 'document' | 'patient', name: string): Obj {
  const { project, patient } = work.order
  const system = `urn:amanat:project:${encodeURIComponent(project.id)}:${kind}`
  const value = kind === 'patient' ? patientPseudonym(project, patient) : pseudonymousUuid(project, patient, name)
  return { system, value }
}

function dateOf(work: Work, value: unknown): unknown {
  const type: TypeRef = { code: 'instant', profiles: [], targets: [] }
  const rule = work.profiles.base('Bundle')?.root.members?.get('timestamp')?.rule
  return rule && TREATMENTS.get('instant')?.(work, { value, rule, type, path: 'Bundle.timestamp' })
}

/**
 * One resource by the definition of its type. One that carries a modifier extension goes whole: without that extension it would say
 * something else (R4 §2.4.1). Of several Patients (a mother, her child) the first is whom the document is about.
 */
function resourceOf(work: Work, value: unknown, address: string, isPatient: boolean): Obj | undefined {
  if (!isObject(value)) return undefined
  const type = String(value['resourceType'])
  const definition = work.profiles.base(type)
  if (definition?.kind !== 'resource' || definition.abstract) return work.drop('unknown-element')
  if (value['modifierExtension'] !== undefined) return work.drop('extension')
  const id = address.slice('urn:uuid:'.length)
  const identifier = isPatient ? { identifier: [pseudonymOf(work, 'patient', '')] } : {}
  return { resourceType: type, id, ...identifier, ...membersOf(work, value, definition.root, type) }
}

function membersOf(work: Work, value: Obj, shape: Rule, path: string): Obj {
  const kept: { [key: string]: unknown } = {}
  for (const [key, one] of Object.entries(value)) {
    if (key === 'resourceType') continue
    const member = NEVER.has(key) || key.startsWith('_') ? undefined : shape.members?.get(key)
    if (member === undefined) {
      work.drop(NEVER.has(key) ? 'extension' : 'unknown-element')
      continue
    }
    const left = valueOf(work, one, member, `${path}.${key}`)
    if (left !== undefined) kept[key] = left
  }
  for (const { name, rule } of shape.wanted) if (kept[name] === undefined && isWords(rule)) kept[name] = WITHHELD
  return kept
}

/** A text that R4 demands says that it is withheld. */
function isWords(rule: Rule): boolean {
  return !rule.list && rule.types.length === 1 && ['string', 'markdown'].includes(rule.types[0]?.code ?? '')
}

function valueOf(work: Work, value: unknown, { rule, type }: Member, path: string): unknown {
  if (!rule.list) return Array.isArray(value) ? undefined : itemOf(work, { value, rule, type, path })
  if (!Array.isArray(value)) return undefined
  const items = value.flatMap((item) => itemOf(work, { value: item, rule, type, path }) ?? [])
  return items.length === 0 ? undefined : items
}

function itemOf(work: Work, element: Element): unknown {
  const { value, rule, type, path } = element
  const code = type?.code ?? ''
  if (path === 'Location.position') return work.drop('place')
  const treat = TREATMENTS.get(code)
  if (treat !== undefined) return treat(work, element)
  // Contained resources have no address of their own, so what refers to them is dropped, and they with it.
  if (work.profiles.base(code)?.kind === 'resource') return work.drop('reference')
  const shape = work.profiles.shape(rule, type)
  if (!isObject(value) || shape === undefined) return work.drop('unknown-element')
  if (value['modifierExtension'] !== undefined) return work.drop('extension')
  return filled(membersOf(work, value, shape, path))
}

import { isObject, type Obj } from '../json.ts'
import type { Rule, TypeRef } from '../profiles.ts'
import { isKnownCode } from './codes.ts'
import { shiftDate, yearOf } from './dates.ts'
import { knownPinCode, knownState } from './places.ts'
import type { Work } from './work.ts'

/** A number with ten digits before the point is no measurement: it is a phone number or an identifier. */
const NUMBER_MAX = 1e9
const AGE_MAX = 89
const MASKED = { system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'masked' }
const MEDIA_TYPES = new Set([
  'application/pdf',
  'image/jpeg',
  'image/png',
  'application/dicom',
  'text/plain',
  'video/mp4',
])

export type Element = {
  readonly value: unknown
  readonly rule: Rule
  readonly type: TypeRef | undefined
  readonly path: string
}
type Treat = (work: Work, element: Element) => unknown

/** What happens to a value, by its data type. A type that is not here, nor made of such types, does not stay. */
export const TREATMENTS: ReadonlyMap<string, Treat> = new Map<string, Treat>([
  ['boolean', (_, { value }) => (typeof value === 'boolean' ? value : undefined)],
  ['integer', keepNumber],
  ['positiveInt', keepNumber],
  ['unsignedInt', keepNumber],
  ['decimal', keepNumber],
  ['date', keepDate],
  ['dateTime', keepDate],
  ['instant', keepDate],
  ['time', (work, { value }) => (/^\d{2}:\d{2}:\d{2}$/.test(String(value)) ? value : work.drop('date'))],
  ['code', keepCode],
  ['string', keepText],
  ['markdown', keepText],
  ['base64Binary', keepAttached],
  ['xhtml', (work) => work.drop('free-text')],
  ['uri', (work) => work.drop('address-of-a-resource')],
  ['url', (work) => work.drop('address-of-a-resource')],
  ['canonical', (work) => work.drop('address-of-a-resource')],
  ['oid', (work) => work.drop('identifier')],
  ['uuid', (work) => work.drop('identifier')],
  ['id', (work) => work.drop('identifier')],
  ['Identifier', (work) => work.drop('identifier')],
  ['HumanName', (work) => work.drop('name-or-contact')],
  ['ContactPoint', (work) => work.drop('name-or-contact')],
  ['Address', keepPlace],
  ['Signature', (work) => work.drop('name-or-contact')],
  ['Narrative', (work) => work.drop('free-text')],
  ['Extension', (work) => work.drop('extension')],
  ['SampledData', (work) => work.drop('attachment')],
  ['Coding', (work, { value }) => codingOf(work, value)],
  ['CodeableConcept', keepConcept],
  ['Reference', keepReference],
  ['Quantity', keepQuantity],
  ['SimpleQuantity', keepQuantity],
  ['Duration', keepQuantity],
  ['Count', keepQuantity],
  ['Distance', keepQuantity],
  ['Age', keepAge],
])

function keepNumber(work: Work, { value }: Element): unknown {
  if (typeof value !== 'number') return undefined
  return Math.abs(value) < NUMBER_MAX ? value : work.drop('large-number')
}

function keepDate(work: Work, { value, type }: Element): unknown {
  const { mode, now } = work.order
  const year = typeof value === 'string' ? yearOf(value, now) : undefined
  if (typeof value !== 'string' || year === undefined) return work.drop('date')
  if (mode === 'limited') return shiftDate(value, work.shiftDays, now)
  // An instant has no shorter form: the first moment of its year says no more than the year.
  return type?.code === 'instant' ? `${year}-01-01T00:00:00Z` : String(year)
}

/** A `code` names no system: its value set does, and it has to be one that lists its codes. */
function keepCode(work: Work, { value, rule, path }: Element): unknown {
  if (typeof value !== 'string') return undefined
  if (path.endsWith('.contentType') && MEDIA_TYPES.has(value)) return value
  if (path.endsWith('.currency') && isKnownCode(work.profiles, 'urn:iso:std:iso:4217', value)) return value
  const systems = rule.binding === undefined ? undefined : work.profiles.codes(rule.binding.valueSet)
  const isListed = [...(systems?.values() ?? [])].some((codes) => codes.has(value))
  return isListed ? value : work.drop('unknown-code')
}

function keepText(work: Work, { value, path }: Element): unknown {
  return typeof value === 'string' ? work.reviewedOnly(path, value, 'free-text') : undefined
}

function keepAttached(work: Work, { value, path }: Element): unknown {
  return typeof value === 'string' ? work.reviewedOnly(path, value, 'attachment') : undefined
}

function keepPlace(work: Work, { value }: Element): unknown {
  if (!isObject(value)) return undefined
  work.drop('place')
  const state = knownState(value['state'])
  const postalCode = work.order.mode === 'limited' ? knownPinCode(value['postalCode']) : undefined
  return filled({ state, postalCode, ...(state === undefined ? {} : { country: 'IN' }) })
}

function codingOf(work: Work, value: unknown): Obj | undefined {
  if (!isObject(value)) return undefined
  const { system, code } = value
  if (typeof system !== 'string' || typeof code !== 'string') return work.drop('unknown-code')
  return isKnownCode(work.profiles, system, code) ? { system, code } : work.drop('unknown-code')
}

/** A concept without any code that may stay is said to be masked: that something stood there is part of the record. */
function keepConcept(work: Work, { value, path }: Element): unknown {
  if (!isObject(value)) return undefined
  const codings = Array.isArray(value['coding']) ? value['coding'] : []
  const kept = codings.flatMap((coding) => codingOf(work, coding) ?? [])
  const words = value['text']
  const text = typeof words === 'string' ? work.reviewedOnly(`${path}.text`, words, 'free-text') : undefined
  return filled({ coding: kept.length > 0 ? kept : text === undefined ? [MASKED] : undefined, text })
}

/** Only what is in the document itself is still referred to, by its new address. */
function keepReference(work: Work, { value }: Element): unknown {
  const target = isObject(value) ? value['reference'] : undefined
  const address = typeof target === 'string' ? work.addresses.get(target) : undefined
  return address === undefined ? work.drop('reference') : { reference: address }
}

function keepQuantity(work: Work, { value }: Element): Obj | undefined {
  if (!isObject(value)) return undefined
  const amount = value['value']
  if (typeof amount !== 'number') return undefined
  if (Math.abs(amount) >= NUMBER_MAX) return work.drop('large-number')
  const comparator = /^(?:<|<=|>=|>)$/.test(String(value['comparator'])) ? value['comparator'] : undefined
  return filled({ value: amount, comparator, ...unitOf(work, value) })
}

function unitOf(work: Work, { system, code, unit }: Obj): Obj {
  const ucum = 'http://unitsofmeasure.org'
  for (const name of [system === ucum ? code : undefined, unit])
    if (typeof name === 'string' && isKnownCode(work.profiles, ucum, name))
      return { unit: name, system: ucum, code: name }
  if (typeof unit === 'string') work.drop('free-text')
  return {}
}

/** Ages over 89 become one class (164.514(b)(2)(i)(C)). */
function keepAge(work: Work, element: Element): unknown {
  const age = keepQuantity(work, element)
  const { value, code } = age ?? {}
  if (work.order.mode === 'limited' || typeof value !== 'number' || (code === 'a' && value <= AGE_MAX)) return age
  const years = code === 'mo' ? value / 12 : code === 'wk' ? value / 52 : code === 'd' ? value / 365 : value
  if (years <= AGE_MAX) return age
  work.drop('age-over-89')
  return { value: AGE_MAX + 1, comparator: '>=', unit: 'a', system: 'http://unitsofmeasure.org', code: 'a' }
}

/** The object without what is undefined; undefined when nothing is left. */
export function filled(value: Obj): Obj | undefined {
  const left = Object.entries(value).filter(([, one]) => one !== undefined)
  return left.length === 0 ? undefined : Object.fromEntries(left)
}

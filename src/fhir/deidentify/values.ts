import { isObject, type Obj } from '../json.ts'
import type { Rule, TypeRef } from '../profiles.ts'
import { isKnownCode } from './codes.ts'
import { ageAt, shiftDate, yearOf } from './dates.ts'
import { bareNumber, measured } from './numbers.ts'
import { knownPinCode, knownState } from './places.ts'
import type { Work } from './work.ts'

const AGE_MAX = 89
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d$/
export const MASKED = { system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'masked' }
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
  ['time', (work, { value }) => (TIME.test(String(value)) ? value : work.drop('date'))],
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
  ['Money', keepMoney],
])

function keepNumber(work: Work, { value }: Element): unknown {
  if (typeof value !== 'number') return undefined
  return bareNumber(value, work.order.mode) ?? work.drop('large-number')
}

/** An amount of money is measured when its currency is one. */
function keepMoney(work: Work, { value }: Element): unknown {
  if (!isObject(value) || typeof value['value'] !== 'number') return undefined
  const currency = isKnownCode(work.profiles, 'urn:iso:std:iso:4217', String(value['currency']))
  const amount = currency ? measured(value['value']) : bareNumber(value['value'], work.order.mode)
  if (amount === undefined) return work.drop('large-number')
  return filled({ value: amount, currency: currency ? value['currency'] : undefined })
}

function keepDate(work: Work, { value, type }: Element): unknown {
  const { mode, now } = work.order
  const year = typeof value === 'string' ? yearOf(value, now) : undefined
  if (typeof value !== 'string' || year === undefined) return work.drop('date')
  if (mode === 'limited') return shiftDate(value, work.shiftDays, now)
  // 164.514(b)(2)(i)(C): no year that tells an age over 89, of the patient or a relative: of birth, of an illness, of a vaccination.
  if ((ageAt(value, now) ?? 0) > AGE_MAX) return work.drop('age-over-89')
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
  if (typeof value['value'] !== 'number') return undefined
  const unit = unitOf(work, value)
  const hasUnit = typeof unit['code'] === 'string' && !PLAIN_NUMBERS.has(unit['code'])
  const amount = hasUnit ? measured(value['value']) : bareNumber(value['value'], work.order.mode)
  if (amount === undefined) return work.drop('large-number')
  const comparator = /^(?:<|<=|>=|>)$/.test(String(value['comparator'])) ? value['comparator'] : undefined
  if (isOld(work, amount, unit['code'])) return oldAge(work)
  return filled({ value: amount, comparator, ...unit })
}

function unitOf(work: Work, { system, code, unit }: Obj): Obj {
  const ucum = 'http://unitsofmeasure.org'
  const words = typeof unit === 'string' ? (UNITS_OF_TIME.get(unit.trim().toLowerCase()) ?? unit) : undefined
  for (const name of [system === ucum ? code : undefined, words])
    if (typeof name === 'string' && isKnownCode(work.profiles, ucum, name))
      return { unit: name, system: ucum, code: name }
  if (typeof unit === 'string') work.drop('free-text')
  return {}
}

/** Units of nothing: who writes them measures nothing that has six digits. */
const PLAIN_NUMBERS = new Set(['1', '%', '{score}', '{ratio}', '{INR}'])

/** Ages are written in words as often as in UCUM. */
const UNITS_OF_TIME: ReadonlyMap<string, string> = new Map(
  [
    ['a', 'year', 'years', 'yr', 'yrs', 'y'],
    ['mo', 'month', 'months'],
    ['wk', 'week', 'weeks'],
    ['d', 'day', 'days'],
    ['h', 'hour', 'hours', 'hr', 'hrs'],
  ].flatMap(([unit = '', ...words]) => words.map((word) => [word, unit] as const)),
)

const YEARS_OF: ReadonlyMap<unknown, number> = new Map([
  ['a', 1],
  ['mo', 1 / 12],
  ['wk', 7 / 365.25],
  ['d', 1 / 365.25],
  ['h', 1 / 8766],
])

/** So long a time is an age, wherever it stands: ages over 89 become one class (164.514(b)(2)(i)(C)). Without a unit `value` is none. */
function isOld(work: Work, value: number, unit: unknown): boolean {
  return work.order.mode === 'safe-harbour' && value * (YEARS_OF.get(unit) ?? 0) >= AGE_MAX + 1
}

function oldAge(work: Work): Obj {
  work.drop('age-over-89')
  return { value: AGE_MAX + 1, comparator: '>=', unit: 'a', system: 'http://unitsofmeasure.org', code: 'a' }
}

/** An age without a unit that is known counts as one in years. */
function keepAge(work: Work, element: Element): unknown {
  const age = keepQuantity(work, element)
  const { value, code } = age ?? {}
  return typeof value === 'number' && !YEARS_OF.has(code) && isOld(work, value, 'a') ? oldAge(work) : age
}

/** The object without what is undefined; undefined when nothing is left. */
export function filled(value: Obj): Obj | undefined {
  const left = Object.entries(value).filter(([, one]) => one !== undefined)
  return left.length === 0 ? undefined : Object.fromEntries(left)
}

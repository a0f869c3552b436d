import { asText, isObject, type Obj } from './json.ts'
import type { Profiles, Rule } from './profiles.ts'

/** FHIR R4 §2.24: what each primitive type may look like. */
const TEXT_CHARS_MAX = 1_048_576
const YEAR = String.raw`(\d{4})`
const DAY = String.raw`${YEAR}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?`
const CLOCK = String.raw`([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?`
const ZONE = String.raw`(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))`
const DATE = new RegExp(`^${DAY}$`)
const DATE_TIME = new RegExp(String.raw`^${YEAR}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T${CLOCK}${ZONE})?)?)?$`)
const INSTANT = new RegExp(String.raw`^${YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T${CLOCK}${ZONE}$`)
const TIME = new RegExp(`^${CLOCK}$`)
const CODE = /^\S+(?: \S+)*$/
const ID = /^[A-Za-z0-9\-.]{1,64}$/
const OID = /^urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+$/
const UUID = /^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const URI = /^\S+$/
const BASE64 = /^[0-9A-Za-z+/]*={0,2}$/
/** Below U+0020 only tab, line feed and carriage return are text. */
const CONTROL = /[^\P{Cc}\t\n\r\u007f-\u009f]/u

const STRING_FORMS: { readonly [type: string]: readonly [form: (text: string) => boolean, words: string] } = {
  date: [(text) => DATE.test(text) && isRealDay(text), 'a date such as 2026-03-31'],
  dateTime: [(text) => DATE_TIME.test(text) && isRealDay(text), 'a dateTime such as 2026-03-31T10:00:00+05:30'],
  instant: [(text) => INSTANT.test(text) && isRealDay(text), 'an instant such as 2026-03-31T10:00:00+05:30'],
  time: [(text) => TIME.test(text), 'a time such as 10:00:00'],
  code: [(text) => CODE.test(text), 'a code without outer or double spaces'],
  id: [(text) => ID.test(text), 'an id of 1 to 64 letters, digits, "-" and "."'],
  oid: [(text) => OID.test(text), 'an OID such as urn:oid:2.16.840'],
  uuid: [(text) => UUID.test(text), 'a lower-case urn:uuid'],
  uri: [(text) => URI.test(text), 'a URI without spaces'],
  url: [(text) => URI.test(text), 'a URL without spaces'],
  canonical: [(text) => URI.test(text), 'a canonical URL without spaces'],
  base64Binary: [isBase64, 'base64'],
  xhtml: [(text) => text.trimStart().startsWith('<div'), 'an XHTML <div>'],
}

const INTEGERS: { readonly [type: string]: readonly [min: number, max: number] } = {
  integer: [-2_147_483_648, 2_147_483_647],
  unsignedInt: [0, 2_147_483_647],
  positiveInt: [1, 2_147_483_647],
}

/** JSON kind of a primitive type; undefined when the type is no primitive. */
export function jsonKind(type: string): 'string' | 'number' | 'boolean' | undefined {
  if (type === 'boolean') return 'boolean'
  if (type === 'decimal' || Object.hasOwn(INTEGERS, type)) return 'number'
  return type === 'string' || type === 'markdown' || Object.hasOwn(STRING_FORMS, type) ? 'string' : undefined
}

/** What a value of the right JSON kind should have been, or undefined when it is well formed. */
export function malformed(type: string, value: string | number | boolean): string | undefined {
  if (typeof value === 'boolean') return undefined
  if (typeof value === 'number') {
    const bounds = INTEGERS[type]
    if (bounds === undefined) return Number.isFinite(value) ? undefined : 'a finite number'
    return Number.isInteger(value) && value >= bounds[0] && value <= bounds[1]
      ? undefined
      : `a whole number from ${bounds[0]} to ${bounds[1]}`
  }
  if (value.length === 0) return 'left out rather than empty'
  const form = STRING_FORMS[type]
  if (form !== undefined) return form[0](value) ? undefined : form[1]
  if (value.length > TEXT_CHARS_MAX) return `at most ${TEXT_CHARS_MAX} characters`
  return CONTROL.test(value) ? 'text without control characters' : undefined
}

/** 31 February matches the pattern of dates and is none. */
function isRealDay(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number)
  if (year === undefined || month === undefined || day === undefined) return true
  const last = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
  return day <= last
}

/** Attachments are megabytes: one linear pattern, white space allowed as R4 does. */
function isBase64(text: string): boolean {
  const dense = /\s/.test(text) ? text.replace(/\s+/g, '') : text
  return dense.length % 4 === 0 && BASE64.test(dense)
}

/** Two required sets of R4 are grammars, not lists. */
const GRAMMARS: { readonly [valueSet: string]: (code: string) => boolean } = {
  'http://hl7.org/fhir/ValueSet/mimetypes': (code) => /^[\w.+-]+\/[\w.+*-]+(?:\s*;.*)?$/.test(code),
  'http://hl7.org/fhir/ValueSet/currencies': (code) => /^[A-Z]{3}$/.test(code),
}

export type BindingResult = { readonly severity: 'error' | 'warning'; readonly found: string; readonly message: string }

/**
 * Checks a coded value against the value set that its element is bound to. Required: a code of the set must be there.
 * Extensible: a code outside the set is a warning when it claims a code system of the set. Sets that cannot be
 * listed offline say nothing.
 */
export function checkBinding(profiles: Profiles, rule: Rule, value: unknown): BindingResult | undefined {
  const { binding } = rule
  if (binding === undefined) return undefined
  const grammar = GRAMMARS[binding.valueSet]
  const codes = grammar === undefined ? profiles.codes(binding.valueSet) : undefined
  if (grammar === undefined && codes === undefined) return undefined
  const codings = codingsOf(value)
  const has = ({ system, code }: Coded) => {
    if (typeof code !== 'string') return false
    if (grammar !== undefined) return grammar(code)
    if (system === ANY) return [...(codes?.values() ?? [])].some((set) => set.has(code))
    return typeof system === 'string' && codes?.get(system)?.has(code) === true
  }
  if (codings.some(has)) return undefined
  const found = codings.map((c) => (typeof c.system === 'string' ? `${c.system}|` : '') + asText(c.code)).join(', ')
  const name = binding.valueSet.slice(binding.valueSet.lastIndexOf('/') + 1)
  if (binding.required) {
    return { severity: 'error', found, message: `must be a code of ${name} (${binding.valueSet})${some(codes)}` }
  }
  const claims = codings.some((c) => typeof c.system === 'string' && codes?.has(c.system))
  if (!claims) return undefined
  return { severity: 'warning', found, message: `claims a code system of ${name} with a code that is not in it` }
}

function some(codes: ReadonlyMap<string, ReadonlySet<string>> | undefined): string {
  const all = [...(codes?.values() ?? [])].flatMap((set) => [...set])
  return all.length === 0 || all.length > 12 ? '' : `: ${all.join(', ')}`
}

const ANY = Symbol('any system')
type Coded = { readonly system: unknown; readonly code: unknown }

function codingsOf(value: unknown): readonly Coded[] {
  if (typeof value === 'string') return [{ system: ANY, code: value }]
  if (!isObject(value)) return []
  if (Array.isArray(value['coding'])) return value['coding'].filter(isObject).map(coded)
  return 'code' in value ? [coded(value)] : []
}

function coded(value: Obj): Coded {
  return { system: value['system'], code: value['code'] }
}

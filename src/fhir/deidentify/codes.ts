import type { Profiles } from '../profiles.ts'

/**
 * Which codes may stay. A code field can carry anything, an identifier too, so a code stays only when it is a member of a code system that
 * is known here, or has the full form of one that is too large to be listed: check digit, name space, length.
 */
export function isKnownCode(profiles: Profiles, system: string, code: string): boolean {
  return FORMS.get(system)?.(code) ?? listed(profiles).get(system)?.has(code) ?? false
}

const FORMS: ReadonlyMap<string, (code: string) => boolean> = new Map<string, (code: string) => boolean>([
  ['http://snomed.info/sct', isSnomedConcept],
  ['http://loinc.org', isLoincCode],
  ['http://hl7.org/fhir/sid/icd-10', (code) => /^[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,3})?$/.test(code)],
  ['http://hl7.org/fhir/sid/cvx', (code) => /^\d{1,3}$/.test(code)],
  ['http://www.whocc.no/atc', (code) => /^[A-DGHJLMNPRSV]\d{2}(?:[A-Z](?:[A-Z](?:\d{2})?)?)?$/.test(code)],
  ['http://unitsofmeasure.org', isUnit],
  ['urn:iso:std:iso:4217', (code) => /^[A-Z]{3}$/.test(code) && currencies().has(code)],
])

const bySystem = new WeakMap<Profiles, ReadonlyMap<string, ReadonlySet<string>>>()

/** All codes that the value sets of the profiles name, by code system. */
function listed(profiles: Profiles): ReadonlyMap<string, ReadonlySet<string>> {
  const known = bySystem.get(profiles)
  if (known !== undefined) return known
  const all = new Map<string, Set<string>>()
  for (const set of Object.values(profiles.data.valueSets))
    for (const [system, codes] of Object.entries(set)) {
      const codesSoFar = all.get(system) ?? new Set<string>()
      for (const code of codes) codesSoFar.add(code)
      all.set(system, codesSoFar)
    }
  bySystem.set(profiles, all)
  return all
}

/** Name spaces of extensions that ABDM documents use: the Indian national extension and that of NRCES. */
const SNOMED_NAMESPACES = new Set(['1000189', '1000179', '1000004'])

/**
 * SNOMED CT identifiers of concepts (SNOMED RF2 §6): 6 to 18 digits, check digit by Verhoeff, partition 00 (international, today at most ten
 * digits, the longest beginning with 1) or 10 (of an extension whose name space is known). No phone or ABHA number passes.
 */
function isSnomedConcept(code: string): boolean {
  if (!/^[1-9]\d{5,17}$/.test(code) || !passesVerhoeff(code)) return false
  const partition = code.slice(-3, -1)
  if (partition === '00') return code.length < 10 || (code.length === 10 && code.startsWith('1'))
  return partition === '10' && code.length > 10 && SNOMED_NAMESPACES.has(code.slice(-10, -3))
}

/** Verhoeff (1969): multiplication in the dihedral group of order 10. */
function passesVerhoeff(digits: string): boolean {
  const multiply = (a: number, b: number): number => {
    if (a < 5) return b < 5 ? (a + b) % 5 : ((a + b - 5) % 5) + 5
    return b < 5 ? ((a - b + 5) % 5) + 5 : (a - b + 5) % 5
  }
  const step = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
  let check = 0
  for (let place = 0; place < digits.length; place++) {
    let digit = Number(digits[digits.length - 1 - place])
    for (let turn = 0; turn < place % 8; turn++) digit = step[digit] ?? 0
    check = multiply(check, digit)
  }
  return check === 0
}

/** LOINC codes: at most six digits and a check digit by mod 10 (LOINC Users' Guide, appendix C). */
function isLoincCode(code: string): boolean {
  const match = /^(\d{1,6})-(\d)$/.exec(code)
  if (match === null) return false
  const [, digits = '', check] = match
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place])
    const twice = place % 2 === 0 ? digit * 2 : digit
    sum += twice > 9 ? twice - 9 : twice
  }
  return (10 - (sum % 10)) % 10 === Number(check)
}

const PREFIX = '(?:da|[kMGTPhdcmunpf])?'
const METRIC =
  '(?:\\[iU\\]|\\[IU\\]|m\\[Hg\\]|cal|mol|osm|bar|Cel|kat|lm|lx|Pa|Hz|eq|Eq|Bq|Gy|Sv|m|g|s|K|A|V|J|W|N|L|l|U|u|t)'
const OTHER =
  '(?:\\[lb_av\\]|\\[in_i\\]|\\[ft_i\\]|\\[degF\\]|\\[pH\\]|\\[drp\\]|\\[ppm\\]|min|mo|wk|deg|10\\*\\d{1,2}|h|d|a|%|1)'
const UNIT = new RegExp(
  `^(?:/?(?:${PREFIX}${METRIC}|${OTHER})-?[1-6]?)(?:[./](?:${PREFIX}${METRIC}|${OTHER})-?[1-6]?){0,4}$`,
)
const ANNOTATIONS = new Set([
  '{tablet}',
  '{capsule}',
  '{dose}',
  '{count}',
  '{score}',
  '{ratio}',
  '{INR}',
  '{steps}',
  '{cells}',
])

/** UCUM units as medicine uses them, without free annotations (which could say anything). */
function isUnit(code: string): boolean {
  return code.length <= 24 && (UNIT.test(code) || ANNOTATIONS.has(code))
}

let known: ReadonlySet<string> | undefined

function currencies(): ReadonlySet<string> {
  known ??= new Set(Intl.supportedValuesOf('currency'))
  return known
}

import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'
import { type FacilityPatient, genderLetter } from '../records/patient.ts'

/** Whom the exchange asks about in a discovery (protocol sheet 2.2 no. 2). */
export type Wanted = {
  readonly abhaAddress: AbhaAddress
  readonly abhaNumber?: AbhaNumber
  readonly name: string
  readonly gender: string
  readonly yearOfBirth: number
  /** Verified mobile numbers, ten digits. */
  readonly mobiles: readonly string[]
  /** Medical record numbers that the patient gave. */
  readonly recordNumbers: readonly string[]
}

export type MatchedBy = 'ABHA_ADDRESS' | 'ABHA_NUMBER' | 'MOBILE' | 'MR'
export type Match = { readonly patient: FacilityPatient; readonly matchedBy: readonly MatchedBy[] }

/** Patients of ours that share an identifier with whom is wanted. */
export type Candidates = {
  readonly byAddress: readonly FacilityPatient[]
  readonly byNumber: readonly FacilityPatient[]
  readonly byMobile: readonly FacilityPatient[]
  readonly byRecordNumber: readonly FacilityPatient[]
}

const YEARS_APART_MAX = 5

/**
 * Finds the one patient who is meant: by ABHA address or number; else by mobile or record number together with gender, age within five
 * years and a similar name. Several are none: a wrong match would show a stranger's visits.
 */
export function match(wanted: Wanted, candidates: Candidates): Match | undefined {
  if (candidates.byAddress.length > 0) return only(candidates.byAddress, ['ABHA_ADDRESS'])
  const byNumber = candidates.byNumber.filter((patient) => patient.abhaAddress === undefined)
  if (byNumber.length > 0) return only(byNumber, ['ABHA_NUMBER'])
  const fits = (patient: FacilityPatient): boolean => isSimilar(patient, wanted)
  const byMobile = candidates.byMobile.filter(fits)
  const byRecord = candidates.byRecordNumber.filter(fits)
  const all = new Map([...byMobile, ...byRecord].map((patient) => [patient.reference, patient]))
  const [patient] = all.values()
  if (patient === undefined || all.size > 1) return undefined
  const has = (list: readonly FacilityPatient[]): boolean =>
    list.some(({ reference }) => reference === patient.reference)
  return {
    patient,
    matchedBy: [...(has(byMobile) ? (['MOBILE'] as const) : []), ...(has(byRecord) ? (['MR'] as const) : [])],
  }
}

function only(patients: readonly FacilityPatient[], matchedBy: readonly MatchedBy[]): Match | undefined {
  const [patient] = patients
  return patient === undefined || patients.length > 1 ? undefined : { patient, matchedBy }
}

function isSimilar(patient: FacilityPatient, wanted: Wanted): boolean {
  // Somebody whose ABHA we know to be another one is another person, however alike.
  if (patient.abhaAddress !== undefined && patient.abhaAddress !== wanted.abhaAddress) return false
  if (patient.abhaNumber !== undefined && wanted.abhaNumber !== undefined && patient.abhaNumber !== wanted.abhaNumber)
    return false
  const gender = wanted.gender === 'T' ? 'O' : wanted.gender
  const year = Number(patient.birthDate.slice(0, 4))
  return (
    genderLetter(patient.gender) === gender &&
    Math.abs(year - wanted.yearOfBirth) <= YEARS_APART_MAX &&
    isSimilarName(patient.name, wanted.name)
  )
}

const TITLES = new Set([
  'dr',
  'mr',
  'mrs',
  'ms',
  'miss',
  'smt',
  'shri',
  'sri',
  'shrimati',
  'kum',
  'kumari',
  'baby',
  'master',
])

/**
 * Whether two names sound alike as Indian names are spelled: `Sita Lakshmi` and `Seetha Laxmi`. Every word of the shorter name must sound
 * like a word of the longer (an initial fits a word that begins with it), and at least one whole word must.
 */
export function isSimilarName(a: string, b: string): boolean {
  const [short = [], long = []] = [wordsOf(a), wordsOf(b)].sort((x, y) => x.length - y.length)
  const left = [...long]
  let whole = 0
  // Whole words first, so that an initial does not take a word from them.
  for (const word of [...short].sort((x, y) => y.length - x.length)) {
    const at = left.findIndex((other) => soundsLike(word, other))
    if (at < 0) return false
    const [other = ''] = left.splice(at, 1)
    if (word.length > 1 && other.length > 1) whole++
  }
  return whole > 0
}

function wordsOf(name: string): readonly string[] {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^\p{L}\s.'-]/gu, '')
  return plain.split(/[\s.'-]+/).filter((word) => word !== '' && !TITLES.has(word))
}

function soundsLike(a: string, b: string): boolean {
  if (a === b) return true
  const [keyA, keyB] = [soundOf(a), soundOf(b)]
  if (a.length === 1 || b.length === 1) return keyA[0] === keyB[0]
  return keyA === keyB
}

/** What stays of a word when spelling habits are taken away: aspirates, doubled letters, long vowels, v/w, x/ksh, vowels inside. */
function soundOf(word: string): string {
  const folded = word
    .replaceAll(/ksh|x/g, 'ks')
    .replaceAll(/([kgcjtdpb])h/g, '$1')
    .replaceAll('sh', 's')
    .replaceAll('ph', 'f')
    .replaceAll('w', 'v')
    .replaceAll('z', 'j')
    .replaceAll('q', 'k')
    .replaceAll(/ee|ie|y/g, 'i')
    .replaceAll(/oo|ou/g, 'u')
    .replaceAll('aa', 'a')
    .replaceAll(/(.)\1+/g, '$1')
  const first = /^[aeiou]/.test(folded) ? (folded[0] ?? '') : ''
  const consonants = folded.slice(first.length).replaceAll(/[aeiouh]/g, '')
  return `${first}${consonants}`.replaceAll(/(.)\1+/g, '$1') || folded
}

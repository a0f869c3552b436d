import type { Gender } from '../people/patient.ts'

/** What a facility says of a patient to prove that it knows them. */
export type Demographics = { readonly name: string; readonly gender: Gender; readonly yearOfBirth: number }

const TITLES = new Set([
  'mr',
  'mrs',
  'ms',
  'miss',
  'dr',
  'prof',
  'shri',
  'sri',
  'smt',
  'kumari',
  'kum',
  'km',
  'master',
  'baby',
  'late',
])
/** Honorifics written behind a name. */
const SUFFIXES = new Set(['ji', 'saheb', 'sahib'])

/** Spellings of one sound in Indian names as they are written in Latin letters. */
const SOUNDS: readonly (readonly [RegExp, string])[] = [
  [/ph/g, 'f'],
  [/(sh|sch)/g, 's'],
  [/ck|q/g, 'k'],
  [/([bcdgjkpt])h/g, '$1'],
  [/z/g, 'j'],
  [/w/g, 'v'],
  [/x/g, 'ks'],
  [/ee|ea|ie/g, 'i'],
  [/oo|ou/g, 'u'],
  [/y/g, 'i'],
  [/(.)\1+/g, '$1'],
]

/** Letter distance at which two words of some length still count as one name spelt differently. */
const CLOSE_FROM_LENGTH = 5

/**
 * Whether two names are probably one person's: same words in any order, allowing for titles, initials, left-out middle names and
 * differing spellings (Lakshmi / Laxmi). One word alone must match fully, an initial alone never proves anything.
 */
export function isSimilarName(a: string, b: string): boolean {
  const [short, long] = [wordsOf(a), wordsOf(b)].toSorted((x, y) => x.length - y.length)
  if (short === undefined || long === undefined || short.length === 0) return false
  const left = [...long]
  let fullWords = 0
  for (const word of short.toSorted((x, y) => y.length - x.length)) {
    const at = bestMatch(word, left)
    if (at === -1) return false
    if (word.length > 1 && (left[at] ?? '').length > 1) fullWords++
    left.splice(at, 1)
  }
  return fullWords > 0
}

/** `O`, `D`, `T` and `U` say the same of a document that has no more room than M, F and other. */
export function isSameGender(a: Gender, b: Gender): boolean {
  const fold = (gender: Gender): string => (gender === 'M' || gender === 'F' ? gender : 'O')
  return fold(a) === fold(b)
}

/** The demographic match behind a link token: name similar, gender and year of birth the same (protocol sheet 2.1). */
export function isSamePerson(known: Demographics, said: Demographics): boolean {
  return (
    isSameGender(known.gender, said.gender) &&
    known.yearOfBirth === said.yearOfBirth &&
    isSimilarName(known.name, said.name)
  )
}

function wordsOf(name: string): readonly string[] {
  const words = name
    .normalize('NFKD')
    .replace(/\p{Diacritic}/gu, (mark) => (/\p{Script=Latin}|\p{Script=Inherited}/u.test(mark) ? '' : mark))
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== '')
  const kept = words.filter((word) => !TITLES.has(word) && !SUFFIXES.has(word))
  return (kept.length === 0 ? words : kept).map(soundOf)
}

function soundOf(word: string): string {
  const folded = SOUNDS.reduce((text, [pattern, into]) => text.replace(pattern, into), word)
  // One letter would count as an initial, which a whole word is not: Ie, Oo.
  if (folded.length < 2) return word
  // A final short a is often left out: Ashoka, Ashok.
  return folded.length > 4 ? folded.replace(/a$/, '') : folded
}

function bestMatch(word: string, candidates: readonly string[]): number {
  const exact = candidates.indexOf(word)
  if (exact !== -1) return exact
  const close = candidates.findIndex((other) => isClose(word, other))
  return close !== -1 ? close : candidates.findIndex((other) => isInitialOf(word, other) || isInitialOf(other, word))
}

function isInitialOf(initial: string, word: string): boolean {
  return initial.length === 1 && word.startsWith(initial)
}

function isClose(a: string, b: string): boolean {
  if (Math.min(a.length, b.length) < CLOSE_FROM_LENGTH || a[0] !== b[0]) return false
  return editDistance(a, b) <= 1
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

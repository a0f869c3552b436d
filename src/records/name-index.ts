/** The way in which names are cut; a higher number makes the index of everybody anew. */
export const NAME_INDEX = 1

const BEGINNING_CHARS_MIN = 3
/** Longer words are found by this much of them; the rest is compared after opening. */
const BEGINNING_CHARS_MAX = 8
const WORDS_MAX = 8

/** Words as they are compared: lower case, one form of each letter, Latin letters without accents; vowel signs of Indian scripts stay. */
function wordsOf(text: string): readonly string[] {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/(\p{Script=Latin})\p{M}+/gu, '$1')
    .normalize('NFKC')
    .toLowerCase()
  return [...new Set(plain.split(/[^\p{L}\p{M}\p{N}]+/u).filter((word) => word !== ''))].slice(0, WORDS_MAX)
}

/** By code points: a letter of a rarer script is not cut in two. */
const lettersOf = (word: string): readonly string[] => Array.from(word)
const beginning = (word: string, chars: number): string => lettersOf(word).slice(0, chars).join('')
const lengthOf = (word: string): number => lettersOf(word).length

/** What of a name goes into the index: each word's beginnings from three to eight letters; shorter words whole. */
export function indexWords(name: string): readonly string[] {
  const found = wordsOf(name).flatMap((word) => {
    const chars = lengthOf(word)
    if (chars <= BEGINNING_CHARS_MIN) return [word]
    const longest = Math.min(chars, BEGINNING_CHARS_MAX)
    return Array.from({ length: longest - BEGINNING_CHARS_MIN + 1 }, (_, i) => beginning(word, BEGINNING_CHARS_MIN + i))
  })
  return [...new Set(found)]
}

/** What to look up for a search; empty when no word is long enough, since one or two letters would fit half the town. */
export function searchWords(text: string): readonly string[] {
  const words = wordsOf(text)
  if (!words.some((word) => lengthOf(word) >= BEGINNING_CHARS_MIN)) return []
  return [...new Set(words.map((word) => beginning(word, BEGINNING_CHARS_MAX)))]
}

/** Whether every word of a search begins a word of the name; words of one or two letters must be whole. */
export function isNamed(name: string, text: string): boolean {
  const own = wordsOf(name)
  return wordsOf(text).every((word) =>
    own.some((mine) => (lengthOf(word) < BEGINNING_CHARS_MIN ? mine === word : mine.startsWith(word))),
  )
}

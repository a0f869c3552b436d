import { LIMITS } from '../kernel/limits.ts'

export type PasswordFault = 'too-short' | 'too-long' | 'own-name' | 'too-plain'

/** Twelve characters and more that stand high in every list of leaked passwords. */
const KNOWN =
  /^(1234567890+|0123456789.*|123456789[012]{3}|qwertyuiop.*|password\W?\d*|passwordpassword|abcdefghijkl.*|administrator\d*|welcome\W?\d+)$/

/** What a person with few different characters left over would be guessed by. */
const OTHERS_MIN = 6
const DIFFERENT_MIN = 5

/** Whose password it is to be, and where. */
export type PasswordOwner = { readonly login: string; readonly name: string; readonly facility: string }

/**
 * What is wrong with a password, undefined when it may be taken. Length counts, not which kinds of characters (NIST SP 800-63B §3.1.1.2);
 * the person's own login and name and the name of the facility alone will not do. Spaces and all scripts are welcome.
 */
export function passwordFault(password: string, who: PasswordOwner): PasswordFault | undefined {
  const plain = plainOf(password)
  const { length } = Array.from(plain)
  if (length < LIMITS.passwordCharsMin) return 'too-short'
  if (length > LIMITS.passwordCharsMax) return 'too-long'
  if (new Set(plain).size < DIFFERENT_MIN || KNOWN.test(plain)) return 'too-plain'
  const words = [...who.login.split(/[._-]/), ...wordsOf(who.name), ...wordsOf(who.facility)].filter(
    (word) => word.length > 2,
  )
  const others = words.reduce((rest, word) => rest.replaceAll(word, ''), plain)
  const isOwnName = others !== plain && Array.from(others.replaceAll(/[\s._-]/g, '')).length < OTHERS_MIN
  return isOwnName ? 'own-name' : undefined
}

const plainOf = (password: string): string => password.normalize('NFKC').toLowerCase()
const wordsOf = (name: string): string[] => plainOf(name).split(/[^\p{L}\p{M}]+/u)

/** Figures and marks that stand for letters; one may stand for two of them. */
const LOOK_ALIKES: readonly Readonly<Record<string, string>>[] = [
  { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'i' },
  { 0: 'o', 1: 'l', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'l' },
]
/** What people put before or after a word to make it long enough: a date, a count, marks. */
const ADDED_CHARS_MAX = 10
const WORD_CHARS_MIN = 4

/**
 * What somebody who guesses from a list begins with when this is the password: itself without capitals, the word that it repeats, and the
 * word without figures and marks around it or in place of letters.
 */
export function guessesOf(password: string): readonly string[] {
  const plain = plainOf(password)
  const once = plain.slice(0, `${plain}${plain}`.indexOf(plain, 1))
  const bare = once.replace(/^[^\p{L}\p{M}]{0,10}/u, '').replace(/[^\p{L}\p{M}]{0,10}$/u, '')
  const isWord = bare.length >= WORD_CHARS_MIN && once.length - bare.length <= ADDED_CHARS_MAX
  const words = isWord ? [once, bare] : [once]
  const spelled = words.flatMap((word) =>
    LOOK_ALIKES.map((letters) => word.replaceAll(/[013457@$!]/g, (mark) => letters[mark] ?? mark)),
  )
  return [...new Set([plain, ...words, ...spelled])]
}

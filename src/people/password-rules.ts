import { LIMITS } from '../kernel/limits.ts'

export type PasswordFault = 'too-short' | 'too-long' | 'own-name' | 'too-plain'

/** Twelve characters and more that stand high in every list of leaked passwords. */
const KNOWN =
  /^(1234567890+|0123456789.*|123456789[012]{3}|qwertyuiop.*|password\W?\d*|passwordpassword|abcdefghijkl.*|administrator\d*|welcome\W?\d+)$/

/** What a person with few different characters left over would be guessed by. */
const OTHERS_MIN = 6
const DIFFERENT_MIN = 5

/**
 * What is wrong with a password, undefined when it may be taken. Length counts, not which kinds of characters (NIST SP 800-63B §3.1.1.2);
 * the person's own login and name alone will not do. Spaces and all scripts are welcome.
 */
export function passwordFault(
  password: string,
  who: { readonly login: string; readonly name: string },
): PasswordFault | undefined {
  const plain = password.normalize('NFKC').toLowerCase()
  const { length } = Array.from(plain)
  if (length < LIMITS.passwordCharsMin) return 'too-short'
  if (length > LIMITS.passwordCharsMax) return 'too-long'
  if (new Set(plain).size < DIFFERENT_MIN || KNOWN.test(plain)) return 'too-plain'
  const words = [...who.login.split(/[._-]/), ...who.name.toLowerCase().split(/[^\p{L}\p{M}]+/u)].filter(
    (word) => word.length > 2,
  )
  const others = words.reduce((rest, word) => rest.replaceAll(word, ''), plain)
  const isOwnName = others !== plain && Array.from(others.replaceAll(/[\s._-]/g, '')).length < OTHERS_MIN
  return isOwnName ? 'own-name' : undefined
}

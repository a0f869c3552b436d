/** What people read in words that others wrote: one rule for names (of patients, requesters, facilities, staff) and for other words. */

/** Turn the order of what stands beside them (U+202A–202E, U+2066–2069): a name could be read as another one. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/
/** All but tab and line breaks. */
const CONTROL = /(?![\t\n\r])\p{Cc}|\p{Cs}/u
/**
 * Show nothing, so that two names look alike and differ: zero-width blanks, soft hyphens, fillers, tags. Marks of direction that turn
 * nothing (U+200E, U+200F, U+061C) stay: keyboards of Urdu write them.
 */
const HIDDEN = /(?![\u200c-\u200f\u061c])\p{Default_Ignorable_Code_Point}|[\u2028\u2029\ufff0-\uffff]/u
/** Joiners (U+200C, U+200D) that belong to a word: after a letter or sign of a script that is written with them, also at its end (Malayalam). */
const JOINER_ELSEWHERE =
  /(?<![\p{L}\p{M}])[\u200c\u200d]|(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]\p{M}*)[\u200c\u200d]/u
const LINE_BREAK = /[\t\n\r]/

/** What is wrong with words that people read; undefined when nothing is. */
export function faultOfWords(text: string): string | undefined {
  if (CONTROL.test(text)) return 'must not hold control characters'
  return TURNING.test(text) ? 'must not hold marks that turn the order of what is read' : undefined
}

/** What is wrong with a name: it is one line with a letter or a digit, and nothing in it hides. */
export function faultOfName(text: string): string | undefined {
  const fault = faultOfWords(text)
  if (fault !== undefined) return fault
  if (LINE_BREAK.test(text)) return 'must be one line'
  if (HIDDEN.test(text) || JOINER_ELSEWHERE.test(text)) return 'must not hold characters that cannot be seen'
  return /[\p{L}\p{N}]/u.test(text) ? undefined : 'must have a letter or a digit'
}

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

/** Pieces with dots between them and no blank: `Dr.Farida`, `M.S.Iyer`, `evil.example`, `10.0.0.1`. */
const DOTTED = /[\p{L}\p{M}\p{N}_-]+(?:[.\u3002\uff0e\uff61][\p{L}\p{M}\p{N}_-]+)+/gu
const DOT = /[.\u3002\uff0e\uff61]/u
/** What people write before a dot in a name. */
const TITLES: ReadonlySet<string> = new Set(
  'adv capt col dr er fr jr kum lt maj md mohd mr mrs ms no ph prof pt shri smt sr sri st'.split(' '),
)
/** Ends of addresses that phones know and that no surname is; those of two letters are of countries. India's own in its scripts. */
const ENDS: ReadonlySet<string> = new Set(
  (
    'app bank biz buzz club com dev edu gov icu info link live net online org page pay pro shop site store top vip web xyz zip ' +
    'भारत भारतम् भारोत ভারত ভাৰত ਭਾਰਤ ભારત ଭାରତ இந்தியா భారత్ ಭಾರತ ഭാരതം بھارت بارت ڀارت'
  ).split(' '),
)
/** Five digits or more, with little between them. */
const NUMBER_TO_CALL = /\p{Nd}(?:[\s.()\-\u2010-\u2015/]{0,2}\p{Nd}){4,}/u

/**
 * What is wrong with a name that a text message shows: phones make links, and numbers to call, of what looks like them. A dot without a
 * blank is taken after a title or an initial only, before a name: `Dr.Farida`.
 */
export function faultOfNameInText(text: string): string | undefined {
  if (NUMBER_TO_CALL.test(text))
    return 'must not hold five digits or more: text messages show it, and it would read as a number to call'
  const isLink = /:\/\/|www\./iu.test(text) || (text.match(DOTTED) ?? []).some(looksLikeAddress)
  return isLink ? 'must not look like a link: put a blank after each dot' : undefined
}

function looksLikeAddress(dotted: string): boolean {
  const labels = dotted.split(DOT)
  const end = (labels.pop() ?? '').toLowerCase()
  if (/^\p{N}+$/u.test(end)) return labels.length >= 3 && labels.every((label) => /^\p{N}+$/u.test(label))
  if (ENDS.has(end) || /^\p{Script=Latin}{2}$/u.test(end)) return true
  return !labels.every(
    (label) => TITLES.has(label.toLowerCase()) || /^(?:\p{L}\p{M}*|[^\p{Script=Latin}\p{N}]+)$/u.test(label),
  )
}

/** A name as a text message to a phone may hold it, of at most so many characters; undefined when it may not. */
export function nameInText(name: string, charsMax: number): string | undefined {
  return name.length > charsMax || faultOfNameInText(name) !== undefined ? undefined : name
}

import type { Mode } from './project.ts'

const MASK = '***'

/** Months as they are written in English, Hindi and Urdu; English ones also by their first letters. */
const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?' +
  '|जनवरी|फ\u093cरवरी|\u095eरवरी|फरवरी|मार्च|अप्रैल|मई|जून|जुलाई|अगस्त|सितंबर|सितम्बर|अक्टूबर|अक्तूबर|नवंबर|नवम्बर|दिसंबर|दिसम्बर' +
  '|جنوری|فروری|مارچ|اپریل|مئی|جون|جولائی|اگست|ستمبر|اکتوبر|نومبر|دسمبر)'
/** The end of a word: a vowel sign or a letter behind it would make it another one. */
const WORD_ENDS = String.raw`(?![\p{L}\p{M}])\.?`
const YEAR = String.raw`['’]?(?:\p{Nd}{4}|\p{Nd}{2})(?!\p{Nd})`
const DAY = String.raw`\p{Nd}{1,2}(?:st|nd|rd|th)?`
const BETWEEN = String.raw`[\s,.\p{Pd}/]{0,3}(?:of\s)?`
/** A month beside a day or a year, in either order; "may" without a year is also a verb. */
const MONTH_IN_WORDS = new RegExp(
  `(?<!\\p{Nd})${DAY}${BETWEEN}${MONTH}${WORD_ENDS}${BETWEEN}${YEAR}` +
    `|(?<![\\p{L}\\p{M}])${MONTH}${WORD_ENDS}[\\s,.\\p{Pd}/]{1,3}(?:${DAY}[\\s,.\\p{Pd}/]{1,3})?['’]?\\p{Nd}{4}(?!\\p{Nd})` +
    `|(?<!\\p{Nd})${DAY}${BETWEEN}(?!may)${MONTH}(?![\\p{L}\\p{M}])` +
    `|(?<![\\p{L}\\p{M}])(?!may)${MONTH}${WORD_ENDS}\\s?${DAY}(?![\\p{L}\\p{Nd}])`,
  'giu',
)

/** Day, month and year in any order: a year of four digits with whatever stands between them, one of two with the same sign twice. */
const WRITTEN_DATE =
  /(?<!\p{Nd})(?:\p{Nd}{4}\s?[-/.,\p{Pd}]\s?\p{Nd}{1,2}\s?[-/.,\p{Pd}]\s?\p{Nd}{1,2}|\p{Nd}{1,2}\s?[-/.,\p{Pd}]\s?\p{Nd}{1,2}\s?[-/.,\p{Pd}]\s?\p{Nd}{4}|\p{Nd}{1,2}([/.\p{Pd}]|\s[/\p{Pd}]\s)\p{Nd}{1,2}\1\p{Nd}{2})(?!\p{Nd})/gu

/**
 * Digits one after the other, with what people put between those of PIN codes, telephone and Aadhaar numbers: blanks, points, commas, strokes,
 * brackets, dashes of any kind, signs that nobody sees.
 */
const RUN =
  /(?<!\p{Nd})(?:\+|\(\+?(?=[\p{Nd}\s]{1,7}\)\s?[-\p{Nd}]))?\p{Nd}(?:[\s.,/()\p{Pd}\u2212_·•\p{Cf}]{0,4}\p{Nd}){5,}/gu
const RUN_DIGITS_MIN: Readonly<Record<Mode, number>> = { 'safe-harbour': 6, limited: 7 }
/** What follows a number that was measured: whole words, since PIN codes stand before names of places (226001 Lucknow), telephone numbers before a stroke. */
const UNIT_FOLLOWS =
  /^\s?(?:units?|i\.?u\.?|mcg|mg|g|kg|ng|pg|ml|l|cells|copies|m?mol|m?eq|k?cal|\/\s?(?:c(?:u|\.)?\.?\s?mm|mm|mcl|[uµμ]l|[md]?l|[hl]pf|k?g|hr?|d|day|min))(?!\p{L})/iu
/** A number, or two of at most three digits as the ends of a range, before a unit. */
const MEASURED = /^(?:\p{Nd}{1,8}|\p{Nd}{1,5}\.\p{Nd}{1,4}|\p{Nd}{1,3}\s?\p{Pd}\s?\p{Nd}{1,3})$/u
/** What stands by itself as a result: a pressure (120/80), a decimal (11.2, 0.00012), a count with commas (1,50,000). No telephone number looks so. */
const RESULT =
  /(?<![\p{Nd}.,/])(?:[1-9]\p{Nd}{1,2}\/\p{Nd}{2,3}|0\.\p{Nd}{1,6}|\p{Nd}{1,3}\.\p{Nd}{1,2}|\p{Nd}{1,3},\p{Nd}{3}|\p{Nd}{1,2},\p{Nd}{2,3},\p{Nd}{3})(?!\p{Nd}|[.,/]\p{Nd})/gu
/** Where one item of a list ends. */
const LIST_SIGN = /[.,]\s+|\s*\n\s*/u
const FOUR_DIGITS = /\p{Nd}{4}/u

const digitsIn = (text: string): number => text.replaceAll(/\P{Nd}/gu, '').length

/** Results one after the other, each too short or of too plain a shape to be a telephone number or a PIN code, or a part of one. */
function areResults(run: string, mode: Mode): boolean {
  const items = run.split(LIST_SIGN)
  return items.every((item) => {
    const left = item.replaceAll(RESULT, ' ')
    return digitsIn(left) < RUN_DIGITS_MIN[mode] && !FOUR_DIGITS.test(left)
  })
}

/**
 * A text without numbers that could be a PIN code, a telephone number or a date; a number with a unit behind it stays. A reviewer reads
 * words, and passes over digits.
 */
export function withoutTellingNumbers(text: string, mode: Mode): string {
  // Months before digits, whose days and years would be taken from them; dates in figures last, since a telephone number may begin like one.
  const rest = text.replaceAll(MONTH_IN_WORDS, MASK).replaceAll(RUN, (run: string, at: number, whole: string) => {
    if (digitsIn(run) < RUN_DIGITS_MIN[mode] || areResults(run, mode)) return run
    const isMeasured = MEASURED.test(run) && digitsIn(run) < 9 && UNIT_FOLLOWS.test(whole.slice(at + run.length))
    return isMeasured ? run : MASK
  })
  return rest.replaceAll(WRITTEN_DATE, MASK)
}

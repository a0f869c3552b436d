import type { Mode } from './project.ts'

/** Ten digits before the point is no measurement, whatever its unit: it is a phone number or an identifier. */
const NUMBER_MAX = 1e9
const DIGITS_MAX = 9
const DIGITS_KEPT = 6
/**
 * Without a unit nobody can tell a measurement from a PIN code (six digits), a telephone number (six to eight without its area) or a date
 * (six or eight). A limited data set may have PIN codes, and neither of the others (45 CFR 164.514(e)(2)).
 */
const BARE_MAX: Readonly<Record<Mode, number>> = { 'safe-harbour': 1e5, limited: 1e6 }
const BARE_DIGITS_KEPT: Readonly<Record<Mode, number>> = { 'safe-harbour': 5, limited: 6 }

/** A number as a measurement in a unit: one with more digits than anybody measures, a phone number behind a point perhaps, is rounded. */
export function measured(value: number): number | undefined {
  if (Math.abs(value) >= NUMBER_MAX) return undefined
  return digitsOf(value) > DIGITS_MAX ? Number(value.toPrecision(DIGITS_KEPT)) : value
}

/** A number that has no unit: undefined where it could be a PIN code, a telephone number or a date; rounded where those could stand behind a point. */
export function bareNumber(value: number, mode: Mode): number | undefined {
  if (Math.abs(value) >= BARE_MAX[mode]) return undefined
  const kept = BARE_DIGITS_KEPT[mode]
  return digitsOf(value) > kept ? Number(value.toPrecision(kept)) : value
}

function digitsOf(value: number): number {
  return value.toExponential().replace(/e.*$/, '').replaceAll(/\D/g, '').length
}

const MASK = '***'
/** Day, month and year in any order, with the signs that stand between them. */
const WRITTEN_DATE =
  /(?<!\p{Nd})(?:\p{Nd}{4}([-/.])\p{Nd}{1,2}\1\p{Nd}{1,2}|\p{Nd}{1,2}([-/.])\p{Nd}{1,2}\2\p{Nd}{2}(?:\p{Nd}{2})?)(?!\p{Nd})/gu
/** Digits one after the other, as PIN codes and telephone numbers are written, with spaces and hyphens between them. */
const RUN = /(?<![\p{Nd}.])\+?\p{Nd}(?:[ \u00a0-]?\p{Nd}){5,}/gu
const RUN_DIGITS_MIN: Readonly<Record<Mode, number>> = { 'safe-harbour': 6, limited: 7 }
/** What follows a number that was measured: whole words, since PIN codes stand before names of places (226001 Lucknow), telephone numbers before a stroke. */
const UNIT_FOLLOWS =
  /^\s?(?:units?|i\.?u\.?|mcg|mg|g|kg|ng|pg|ml|l|cells|copies|m?mol|m?eq|k?cal|\/\s?(?:c(?:u|\.)?\.?\s?mm|mm|mcl|[uµμ]l|[md]?l|[hl]pf|k?g|hr?|d|day|min))(?!\p{L})/iu

/**
 * A text without numbers that could be a PIN code, a telephone number or a date; a number with a unit behind it stays. A reviewer reads
 * words, and passes over digits.
 */
export function withoutTellingNumbers(text: string, mode: Mode): string {
  return text.replaceAll(WRITTEN_DATE, MASK).replaceAll(RUN, (run: string, at: number, whole: string) => {
    const digits = run.replaceAll(/\P{Nd}/gu, '')
    const isMeasured = digits === run && digits.length < 9 && UNIT_FOLLOWS.test(whole.slice(at + run.length))
    return digits.length < RUN_DIGITS_MIN[mode] || isMeasured ? run : MASK
  })
}

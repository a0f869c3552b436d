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

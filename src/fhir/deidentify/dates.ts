/** As R4 writes them and not otherwise: what stands beside a date could be anything. */
const DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:(T\d{2}:\d{2}(?::\d{2})?)(?:\.\d{1,20})?(Z|[+-]\d{2}:\d{2})?)?)?)?$/
const YEAR_MIN = 1850
/** Appointments and expiry dates lie ahead; a "year" beyond that is some other number. */
const YEARS_AHEAD_MAX = 50
const DAY_MS = 86_400_000

/** The year of a FHIR date, dateTime or instant; undefined for what is none, or cannot be one of a record at `now`. */
export function yearOf(text: string, now: Date): number | undefined {
  const match = DATE.exec(text)
  if (match === null || Number.isNaN(Date.parse(text))) return undefined
  const year = Number(match[1])
  return year >= YEAR_MIN && year <= now.getUTCFullYear() + YEARS_AHEAD_MAX ? year : undefined
}

/**
 * Moves a date by whole days and keeps its precision: years stay years, a time of day stays as it is, to the second. A month without a
 * day moves with its first day.
 */
export function shiftDate(text: string, days: number, now: Date): string | undefined {
  const match = DATE.exec(text)
  if (match === null || yearOf(text, now) === undefined) return undefined
  const [, year, month, day, time, zone] = match
  const start = Date.UTC(Number(year), month === undefined ? 6 : Number(month) - 1, Number(day ?? 1))
  const moved = new Date(start + days * DAY_MS).toISOString()
  if (month === undefined) return moved.slice(0, 4)
  return day === undefined ? moved.slice(0, 7) : `${moved.slice(0, 10)}${time ?? ''}${zone ?? ''}`
}

/** Whole years from a birth date to `now`; of a birth year alone the most that it can be. */
export function ageAt(birthDate: string, now: Date): number | undefined {
  const year = yearOf(birthDate, now)
  if (year === undefined) return undefined
  const hadBirthday = birthDate.length < 10 || birthDate.slice(5, 10) <= now.toISOString().slice(5, 10)
  return now.getUTCFullYear() - year - (hadBirthday ? 0 : 1)
}

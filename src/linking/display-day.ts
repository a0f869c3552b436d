const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const
const WRITTEN = /\b(\d{1,2})(?:st|nd|rd|th)?[ -]([a-z]{3,9})\.?,?[ -](\d{4})\b/i
const ISO = /\b(\d{4})-(\d{2})-(\d{2})(?!\d)/

/**
 * The day that a care context's display names, as `YYYY-MM-DD`: "Prescription of 12 March 2026". ABDM sends no date with a care context,
 * so this is all that an exchange can know of it; undefined when the display names no day, or none that exists.
 */
export function dayInDisplay(display: string): string | undefined {
  const iso = ISO.exec(display)
  if (iso) return dayOf(Number(iso[1]), Number(iso[2]), Number(iso[3]))
  const [, day, month = '', year] = WRITTEN.exec(display) ?? []
  if (month === '') return undefined
  const at = MONTHS.findIndex((name) => name.startsWith(month.toLowerCase()))
  return at < 0 ? undefined : dayOf(Number(year), at + 1, Number(day))
}

function dayOf(year: number, month: number, day: number): string | undefined {
  const at = new Date(Date.UTC(year, month - 1, day))
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === day ? at.toISOString().slice(0, 10) : undefined
}

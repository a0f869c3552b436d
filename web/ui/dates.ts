import { useMemo } from 'react'
import type { Language } from './languages.ts'
import { useAnyWords } from './words.tsx'

/** Dates and numbers as people of this language say them, in the time of the device. */
export type Dates = {
  /** 12 March 2027 */
  readonly day: (at: string | Date) => string
  /** 12 Mar 2027 */
  readonly shortDay: (at: string | Date) => string
  /** 10:03 */
  readonly time: (at: string | Date) => string
  /** 10:03:12 */
  readonly exactTime: (at: string | Date) => string
  /** 12 March 2027, 10:03 */
  readonly moment: (at: string | Date) => string
  /** March 2027 */
  readonly month: (at: string | Date) => string
  /** in 3 months, 2 days ago: the largest unit that fits. */
  readonly relative: (at: string | Date, now: Date) => string
  readonly number: (value: number) => string
}

const DAY_MS = 86_400_000
const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365 * DAY_MS],
  ['month', 30 * DAY_MS],
  ['week', 7 * DAY_MS],
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

const NO_BREAK = '\u00a0'

/** Whether a blank stands between an hour and its am or pm, which do not part at the end of a line. */
const isOfHour = (parts: readonly Intl.DateTimeFormatPart[], at: number): boolean =>
  parts[at - 1]?.type === 'dayPeriod' ? parts[at + 1]?.type === 'hour' : parts[at + 1]?.type === 'dayPeriod'

/** Makes the formats of a language; `timeZone` undefined = that of the device. */
export function makeDates(language: Language, timeZone?: string): Dates {
  const locale = `${language}-IN`
  const zone = timeZone === undefined ? {} : { timeZone }
  const format = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat(locale, { ...options, ...zone })
    return (at: string | Date): string =>
      formatter
        .formatToParts(new Date(at))
        .map(({ type, value }, part, parts) =>
          type === 'literal' && isOfHour(parts, part) ? value.replace(' ', NO_BREAK) : value,
        )
        .join('')
  }
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 6 })
  return {
    day: format({ day: 'numeric', month: 'long', year: 'numeric' }),
    shortDay: format({ day: 'numeric', month: 'short', year: 'numeric' }),
    time: format({ hour: 'numeric', minute: '2-digit' }),
    exactTime: format({ hour: 'numeric', minute: '2-digit', second: '2-digit' }),
    moment: format({ day: 'numeric', month: 'long', year: 'numeric', hour: 'numeric', minute: '2-digit' }),
    month: format({ month: 'long', year: 'numeric' }),
    relative: (at, now) => {
      const ms = new Date(at).getTime() - now.getTime()
      const [unit, size] = UNITS.find(([, unitMs]) => Math.abs(ms) >= unitMs) ?? ['minute', 60_000]
      return relative.format(Math.round(ms / size), unit)
    },
    number: (value) => numbers.format(value),
  }
}

export function useDates(): Dates {
  const { language } = useAnyWords()
  return useMemo(() => makeDates(language), [language])
}

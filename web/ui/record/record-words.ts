import { useMemo } from 'react'
import type { HiType } from '../../../src/fhir/hi-type.ts'
import { makeDates } from '../dates.ts'
import type { KitKey } from '../kit-words.ts'
import { useAnyWords, type Words } from '../words.tsx'

/** The words of the renderer, which every app has. */
export const useRecordWords = (): Words<KitKey> => useAnyWords() as Words<KitKey>

/** `Prescription`, as one document is called. */
export function useKindWords(): (hiType: HiType | undefined) => string {
  const { t } = useRecordWords()
  return (hiType) => t(hiType === undefined ? 'record.one.unknown' : `record.one.${hiType}`)
}

/** Dates and numbers of records: FHIR dates as precise as they were written; times in India, where the records are made. */
export type RecordDates = {
  /** `12 January 2026`, `January 2026`, `2026`; text that is no date stays as it is. */
  readonly day: (written: string) => string
  /** With the time of day, where one was written. */
  readonly moment: (written: string) => string
  readonly month: (at: Date) => string
  readonly year: (at: Date) => string
  readonly number: (value: number) => string
  readonly money: (value: number, currency: string) => string
  /** `a, b and c` */
  readonly list: (words: readonly string[]) => string
}

const PARTS = /^(\d{4})(-\d{2})?(-\d{2})?(T.+)?$/

export function useRecordDates(): RecordDates {
  const { language } = useRecordWords()
  return useMemo(() => {
    const locale = `${language}-IN`
    const [plain, india] = [makeDates(language, 'UTC'), makeDates(language, 'Asia/Kolkata')]
    const years = new Intl.DateTimeFormat(locale, { year: 'numeric', timeZone: 'UTC' })
    const lists = new Intl.ListFormat(locale, { type: 'conjunction' })
    const write = (written: string, withTime: boolean): string => {
      const [, year, month, day, time] = PARTS.exec(written) ?? []
      if (year === undefined || Number.isNaN(Date.parse(written))) return written
      if (time !== undefined) return withTime ? india.moment(written) : india.day(written)
      if (day !== undefined) return plain.day(written)
      return month === undefined ? years.format(new Date(written)) : plain.month(written)
    }
    return {
      day: (written) => write(written, false),
      moment: (written) => write(written, true),
      month: india.month,
      year: (at) => years.format(at),
      number: plain.number,
      money: (value, currency) => moneyFormat(locale, currency)(value),
      list: (words) => lists.format(words),
    }
  }, [language])
}

/** A currency of a stranger may be any text. */
function moneyFormat(locale: string, currency: string): (value: number) => string {
  const isCode = /^[A-Z]{3}$/.test(currency)
  const numbers = new Intl.NumberFormat(
    locale,
    isCode ? { style: 'currency', currency } : { minimumFractionDigits: 2, maximumFractionDigits: 2 },
  )
  return (value) => (isCode ? numbers.format(value) : `${currency} ${numbers.format(value)}`)
}

/** UCUM as people write it; other units stay as they are. */
const UNITS: Readonly<Record<string, string>> = {
  'mm[Hg]': 'mmHg',
  Cel: '°C',
  '[degF]': '°F',
  '[iU]': 'IU',
  'kg/m2': 'kg/m²',
  '10*3/uL': '10³/µL',
  '10^3/uL': '10³/µL',
  '10^6/uL': '10⁶/µL',
  '10*6/uL': '10⁶/µL',
  'ug/L': 'µg/L',
}

export function unitWords(unit: string): string {
  return Object.hasOwn(UNITS, unit) ? (UNITS[unit] ?? unit) : unit
}

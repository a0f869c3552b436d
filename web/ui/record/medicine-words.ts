import type { Dosage, HowOften, MedicineFacts } from '../../../src/fhir/show-medicine.ts'
import type { KitKey } from '../kit-words.ts'
import type { Words } from '../words.tsx'
import type { RecordDates } from './record-words.ts'

const WHEN = [
  'AC',
  'PC',
  'C',
  'ACM',
  'ACD',
  'ACV',
  'PCM',
  'PCD',
  'PCV',
  'CM',
  'CD',
  'CV',
  'HS',
  'WAKE',
  'MORN',
  'NOON',
  'AFT',
  'EVE',
  'NIGHT',
] as const
type When = (typeof WHEN)[number]

/** HL7 v3 GTSAbbreviation: doctors' shorthand as times a day, or a time of day. */
const SHORTHAND: Readonly<
  Record<string, { readonly times?: number; readonly hours?: number; readonly days?: number; readonly when?: When }>
> = {
  QD: { times: 1 },
  OD: { times: 1 },
  BID: { times: 2 },
  BD: { times: 2 },
  TID: { times: 3 },
  TDS: { times: 3 },
  QID: { times: 4 },
  QOD: { days: 2 },
  Q4H: { hours: 4 },
  Q6H: { hours: 6 },
  Q8H: { hours: 8 },
  Q12H: { hours: 12 },
  AM: { when: 'MORN' },
  PM: { when: 'EVE' },
  BED: { when: 'HS' },
  HS: { when: 'HS' },
}

/** Sentences about medicines in the reader's language, from the coded parts of an order. */
export function makeMedicineWords({ t, tn }: Words<KitKey>, dates: RecordDates) {
  const every = (n: number, unit: HowOften['unit']): string | undefined => {
    if (unit === 'h') return tn('record.every-hours', n)
    if (unit === 'd') return tn('record.every-days', n)
    if (unit === 'wk') return tn('record.every-weeks', n)
    return unit === 'mo' ? tn('record.every-months', n) : undefined
  }
  const times = (n: number, unit: HowOften['unit']): string | undefined => {
    if (unit === 'd') return tn('record.times-a-day', n)
    if (unit === 'wk') return tn('record.times-a-week', n)
    return unit === 'mo' ? tn('record.times-a-month', n) : undefined
  }
  const rhythm = ({ times: count, timesMax, every: period = 1, unit, words }: HowOften): string | undefined => {
    const short = words === undefined ? undefined : SHORTHAND[words.toUpperCase()]
    if (count === undefined || unit === undefined) {
      if (short?.times !== undefined) return times(short.times, 'd')
      if (short?.hours !== undefined) return every(short.hours, 'h')
      if (short?.days !== undefined) return every(short.days, 'd')
      return unit !== undefined && count === undefined ? every(period, unit) : undefined
    }
    // A range of times, or fractions: the author's own words say it better.
    if (timesMax !== undefined || !Number.isInteger(count) || !Number.isInteger(period)) return undefined
    if (count === 1 && period > 1) return every(period, unit)
    return period === 1 ? times(count, unit) : undefined
  }
  const moments = ({ when = [], words }: HowOften): string[] => {
    const short = words === undefined ? undefined : SHORTHAND[words.toUpperCase()]?.when
    return [...when, ...(short === undefined ? [] : [short])].flatMap((code) => {
      const known = WHEN.find((one) => one === code)
      return known === undefined ? [] : [t(`record.when.${known}`)]
    })
  }
  const howOften = ({ howOften: often, asNeeded, asNeededFor }: Dosage): string => {
    const needed =
      asNeededFor === undefined ? t('record.as-needed') : t('record.as-needed-for', { reason: asNeededFor })
    const said = often === undefined ? [] : [rhythm(often), ...moments(often)]
    return [...said, asNeeded ? needed : undefined].filter((one) => one !== undefined).join(', ')
  }
  const dose = ({ dose: amount }: Dosage): string => {
    if (amount === undefined) return ''
    const { value, max, unit = '' } = amount
    if (max !== undefined)
      return t('record.dose-range', { from: dates.number(value), to: dates.number(max), unit }).trim()
    return unit === '' ? dates.number(value) : t('record.amount', { value: dates.number(value), unit })
  }
  const lasts = ({ lasts: course }: Dosage): string => {
    if (course === undefined) return ''
    const { value, unit } = course
    if (unit === 'h') return tn('record.lasts-hours', value)
    if (unit === 'd') return tn('record.lasts-days', value)
    if (unit === 'wk') return tn('record.lasts-weeks', value)
    if (unit === 'mo') return tn('record.lasts-months', value)
    return unit === 'a' ? tn('record.lasts-years', value) : ''
  }
  return { howOften, dose, lasts }
}

/** Statuses that change what the line means; `active` goes without saying. */
const STATUSES = ['stopped', 'completed', 'cancelled', 'on-hold', 'entered-in-error', 'not-taken', 'draft'] as const

export function statusKey({ status }: MedicineFacts): KitKey | undefined {
  const known = STATUSES.find((one) => one === status)
  return known === undefined ? undefined : `record.medicine-status.${known}`
}

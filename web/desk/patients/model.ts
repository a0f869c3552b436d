import type { FacilityPatient } from '../../../src/records/patient.ts'
import { useAnyWords } from '../../ui/words.tsx'
import { type DeskKey, useWords } from '../words.ts'

export type Person = Pick<FacilityPatient, 'reference' | 'name' | 'gender' | 'birthDate'>

export type Attendant = {
  readonly id: string
  readonly name?: string
  readonly role?: string
  readonly unit?: 'lab' | 'pharmacy' | 'billing'
  readonly until?: string
}
/** A visit as `GET /v1/desk/today` and the patient's page give it. */
export type Visit = {
  readonly id: string
  readonly kind: 'outpatient' | 'inpatient' | 'emergency'
  readonly status: 'open' | 'ended'
  readonly startedAt: string
  readonly endedAt?: string
  readonly endsBy?: string
  readonly queueNumber?: number
  /** The reader began it. */
  readonly begunByMe: boolean
  readonly attendedByMe: boolean
  /** Of an open stay. */
  readonly confirmBy?: string
  readonly mayBeConfirmed?: boolean
  readonly attendants: readonly Attendant[]
}
export type TodayVisit = Visit & { readonly patient: Person }

/** What `GET /v1/desk/patients/:reference` answers. */
export type PatientAnswer = {
  readonly patient: FacilityPatient
  readonly visits: readonly Visit[]
  readonly links: {
    readonly linked: number
    readonly latest?: {
      readonly kind: 'token' | 'contexts' | 'notify'
      readonly status: 'waiting' | 'done' | 'failed'
      readonly error?: string
    }
  }
}

export const pathOf = (reference: string): string => `/patients/${encodeURIComponent(reference)}`

/** `52 years · Female`: years, and months below two years, as counted on `today`. */
export function useAgeAndSex(): (person: Pick<Person, 'birthDate' | 'gender'>, today?: Date) => string {
  const { t, tn } = useWords()
  return ({ birthDate, gender }, today = new Date()) => {
    const months = monthsSince(birthDate, today)
    const age = months < 24 ? tn('patients.age-months', months) : tn('patients.age', Math.floor(months / 12))
    return `${age} · ${t(`patients.gender-${gender}`)}`
  }
}

function monthsSince(birthDate: string, today: Date): number {
  const [year = 0, month = 1, day = 1] = birthDate.split('-').map(Number)
  const months = (today.getFullYear() - year) * 12 + (today.getMonth() + 1 - month)
  return Math.max(0, today.getDate() < day ? months - 1 : months)
}

/** Who attends now, in a sentence; the reader by `you`. */
export function useAttendedBy(): (visit: Visit, own: string | undefined) => string {
  const { t } = useWords()
  const { language } = useAnyWords()
  return (visit, own) => {
    const present = visit.attendants.filter(({ until }) => until === undefined || until === visit.endedAt)
    if (present.length === 0) return t('visit.attended-by-nobody')
    const names = present.map(({ id, name, unit }) =>
      id === own ? t('visit.you') : (name ?? (unit === undefined ? id : t(`visit.unit-${unit}` as DeskKey))),
    )
    return t('visit.attended-by', {
      names: new Intl.ListFormat(`${language}-IN`, { type: 'conjunction' }).format(names),
    })
  }
}

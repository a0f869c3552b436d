import type { PatientKey } from './words.ts'
import { useWords } from './words.ts'

/** Kinds of facilities as registers write them, and work of people as our own facilities report it: what has a word in her language. */
const KINDS: readonly (readonly [RegExp, PatientKey])[] = [
  [/hospital/i, 'kind.hospital'],
  [/clinic/i, 'kind.clinic'],
  [/lab|diagnos/i, 'kind.laboratory'],
  [/pharma/i, 'kind.pharmacy'],
  [/insur/i, 'kind.insurance'],
]
const ROLES: Readonly<Record<string, PatientKey>> = {
  doctor: 'work.doctor',
  physician: 'work.doctor',
  nurse: 'work.nurse',
  lab: 'work.lab',
  pharmacy: 'work.pharmacy',
  billing: 'work.billing',
}

/** Says a kind or a role in the language of the page; what nobody translated stays as it came. */
export function useKnownWords(): { readonly kind: (kind: string) => string; readonly role: (role: string) => string } {
  const { t } = useWords()
  return {
    kind: (kind) => {
      const key = KINDS.find(([pattern]) => pattern.test(kind))?.[1]
      return key === undefined ? kind : t(key)
    },
    role: (role) => {
      const key = Object.entries(ROLES).find(([work]) => work === role.toLowerCase())?.[1]
      return key === undefined ? role : t(key)
    },
  }
}

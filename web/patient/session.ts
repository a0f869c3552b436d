import type { Language } from '../ui/languages.ts'
import { type SessionAnswer, useSession } from '../ui/session.ts'
import { resumeActing } from './signin/acting.ts'
import { keepPeopleHere, rememberPerson } from './signin/ended.ts'

type Person = { readonly abhaAddress: string; readonly name: string; readonly birthDate: string }

/** Who is signed in, and for whom they may act: the answer of `GET /v1/session` at an exchange. */
export type PatientSession = SessionAnswer & {
  readonly kind: 'patient'
  readonly patient: Person & { readonly language: Language }
  readonly dependants: readonly Person[]
  readonly passkeys: number
}

/** Whose things are shown is settled before anything is asked for. */
function settle(session: PatientSession | null): void {
  keepPeopleHere(session === null ? [] : [session.patient, ...session.dependants].map(({ abhaAddress }) => abhaAddress))
  if (session === null) return
  rememberPerson(session.patient.abhaAddress)
  resumeActing(session.dependants)
}

export const usePatientSession = () => useSession<PatientSession>(settle)

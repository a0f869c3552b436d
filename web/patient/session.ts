import type { Language } from '../ui/languages.ts'
import { type SessionAnswer, useSession } from '../ui/session.ts'

type Person = { readonly abhaAddress: string; readonly name: string; readonly birthDate: string }

/** Who is signed in, and for whom they may act: the answer of `GET /v1/session` at an exchange. */
export type PatientSession = SessionAnswer & {
  readonly kind: 'patient'
  readonly patient: Person & { readonly language: Language }
  readonly dependants: readonly Person[]
  readonly passkeys: number
}

export const usePatientSession = () => useSession<PatientSession>()

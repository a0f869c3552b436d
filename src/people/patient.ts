import type { AuditEvent } from '../audit/record.ts'
import { civilDay } from '../kernel/civil-day.ts'
import type { AbhaAddress, AbhaNumber } from '../kernel/id.ts'

/** `D` = does not want to say, `T` = transgender, `U` = unknown (protocol sheet 3.4). */
export type Gender = 'M' | 'F' | 'O' | 'D' | 'T' | 'U'

export type Address = {
  readonly line?: string
  readonly district?: string
  readonly state?: string
  readonly pincode?: string
}

export type Profile = {
  readonly abhaAddress: AbhaAddress
  readonly abhaNumber: AbhaNumber
  readonly name: string
  readonly gender: Gender
  /** `YYYY-MM-DD` */
  readonly birthDate: string
  /** Ten digits. */
  readonly mobile: string
  /** When an operator wrote down this number, ISO 8601; absent: when she was enrolled. */
  readonly mobileChangedAt?: string
  readonly email?: string
  readonly address?: Address
  /** Who decides for a child, or for a person with disability. */
  readonly guardian?: AbhaAddress
  /**
   * Why: as the parent of a child (so until it has grown up; also when absent), or as appointed for a person with disability by a court
   * or authority (DPDP Rules r.11), whatever the age.
   */
  readonly guardianBasis?: 'parent' | 'appointed'
  /** Order by which the guardian was appointed: court or authority, number and date. */
  readonly guardianAppointment?: string
  /** BCP 47. */
  readonly language: string
}

/** `closed` by the patient: nobody but who opens it again or erases it gets to see it (`closing.ts`). */
export type PatientStatus = 'active' | 'deactivated' | 'closed'
export type Patient = Profile & { readonly status: PatientStatus; readonly enrolledAt: Date }

export const MOVES = {
  active: ['deactivated', 'closed'],
  deactivated: ['active', 'closed'],
  closed: ['active'],
} as const satisfies Record<PatientStatus, readonly PatientStatus[]>

export const EVENTS = {
  'people.enrolled': 'A patient got an account at the exchange.',
  'people.deactivated': 'A patient’s account was deactivated: nothing is linked, shared or asked for meanwhile.',
  'people.reactivated': 'A deactivated account works again.',
  'people.session-opened': 'The patient, or a guardian for a child, logged in.',
  'people.signed-in': 'The patient signed in to the app, by a code or a passkey.',
  'people.sign-in-code-sent': 'A code to sign in was sent to the patient’s phone.',
  'people.sign-in-failed': 'Somebody gave a wrong code to sign in as the patient.',
  'people.stepped-up': 'The patient proved anew who she is, for one act on one thing.',
  'people.step-up-failed': 'Somebody gave a wrong proof in a session of the patient.',
  'people.passkey-added': 'The patient added a passkey.',
  'people.passkey-renamed': 'The patient gave a passkey another name.',
  'people.passkey-removed': 'The patient removed a passkey: it lets nobody in any more.',
  'people.mobile-changed':
    'An operator wrote down another mobile number of the patient; sessions, passkeys and codes that were sent ended.',
  'people.guardian-named':
    'An operator wrote down who decides for the patient, and on what grounds; whoever decided before does not any more.',
  'people.guardian-ended': 'An operator wrote down that nobody decides for the patient any more, and on what grounds.',
  'people.language-changed': 'The patient chose another language.',
  'people.signed-out-elsewhere': 'The patient ended all sessions of the app but the one in which she did it.',
  'people.signed-out': 'The patient ended a session of the app, the present one or one on another device.',
} as const

export type PatientEvent = AuditEvent & { readonly type: keyof typeof EVENTS; readonly patient: AbhaAddress }

/** Years of age at which a person decides alone (DPDP s.2(f): a child has not completed eighteen years). */
const ADULT_YEARS = 18

/** The day, `YYYY-MM-DD`, on which a person born on `birthDate` has completed eighteen years; of the 29th of February, the first of March. */
export function comesOfAge(birthDate: string): string {
  const grown = new Date(`${birthDate}T00:00:00.000Z`)
  grown.setUTCFullYear(grown.getUTCFullYear() + ADULT_YEARS)
  return grown.toISOString().slice(0, 10)
}

/** Whether a person born on `birthDate` has not completed eighteen years. The birthday begins at midnight in India. */
export function isChild(birthDate: string, now: Date): boolean {
  return civilDay(now) < comesOfAge(birthDate)
}

/**
 * Whether codes that go to this number prove her. A number from her childhood is one that her parent gave, and may be the parent's: once
 * she has come of age it proves nothing until an operator has seen her and written down her own.
 */
export function isNumberHers({ birthDate, guardianBasis, mobileChangedAt, enrolledAt }: Patient, now: Date): boolean {
  if (guardianBasis === 'appointed' || isChild(birthDate, now)) return true
  const since = mobileChangedAt === undefined ? enrolledAt : new Date(mobileChangedAt)
  return !isChild(birthDate, since)
}

/** Whether `guardian` decides for this patient now: named as guardian, and the patient still a child, or the guardian appointed. */
export function mayActFor(guardian: AbhaAddress, patient: Patient, now: Date): boolean {
  if (patient.guardian !== guardian) return false
  return patient.guardianBasis === 'appointed' || isChild(patient.birthDate, now)
}

/** Whether nobody else decides for this patient now: grown up, and without a guardian who was appointed. */
function decidesAlone({ birthDate, guardian, guardianBasis }: Patient, now: Date): boolean {
  return !isChild(birthDate, now) && (guardian === undefined || guardianBasis !== 'appointed')
}

/** Who decided something that goes on by itself, and when. */
export type StandingDecision = {
  readonly decidedAt: Date
  /** Who decided in place of the patient. */
  readonly guardian?: AbhaAddress
}

/**
 * Whether a standing decision still speaks for her. What somebody else decided for her does so until she decides alone: from then on it
 * does nothing until she has confirmed it. What was decided while she was a child, somebody else decided.
 */
export function speaksForHer(decision: StandingDecision, patient: Patient, now: Date): boolean {
  const isOfAnother = decision.guardian !== undefined || isChild(patient.birthDate, decision.decidedAt)
  return !isOfAnother || !decidesAlone(patient, now)
}

/** Year of birth, as ABDM asks for it. */
export function yearOfBirth(patient: Pick<Profile, 'birthDate'>): number {
  return Number(patient.birthDate.slice(0, 4))
}

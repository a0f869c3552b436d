import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Gender, Patient } from '../people/patient.ts'
import { isSameGender, isSimilarName } from './demographics.ts'

/** A profile shown to a facility by scanning its code (protocol sheet 2.3). */
export type ProfileShare = {
  readonly id: Id<'profile-share'>
  readonly patient: AbhaAddress
  readonly hip: FacilityId
  readonly requester?: FacilityId
  readonly askedByRequest: string
  readonly sentRequest: Id<'request'>
  /** The counter whose code was scanned. */
  readonly counter: string
  readonly sentAt: Date
} & (
  | { readonly status: 'sent' }
  | { readonly status: 'accepted'; readonly tokenNumber?: string; readonly expiresAt: Date }
  | { readonly status: 'refused' | 'failed'; readonly error: { readonly code: string; readonly message: string } }
)

export const SHARE_MOVES = {
  sent: ['accepted', 'refused', 'failed'],
  accepted: [],
  refused: [],
  failed: [],
} as const satisfies Record<ProfileShare['status'], readonly ProfileShare['status'][]>

/** What the app says of the patient. */
export type SharedProfile = {
  readonly abhaAddress: AbhaAddress
  readonly abhaNumber?: string
  readonly name: string
  readonly gender: Gender
  readonly yearOfBirth?: number
  readonly monthOfBirth?: number
  readonly dayOfBirth?: number
}

/** Nobody shares another person's profile, nor one that differs from what the exchange knows: facilities rely on it. */
export function checkProfile(patient: Patient, profile: SharedProfile): Refusal | undefined {
  if (profile.abhaAddress !== patient.abhaAddress)
    return refuse('linking/address-not-yours', undefined, 'profile.patient.abhaAddress')
  if (profile.abhaNumber !== undefined && profile.abhaNumber !== patient.abhaNumber)
    return refuse('linking/number-not-yours', undefined, 'profile.patient.abhaNumber')
  if (!isSameGender(profile.gender, patient.gender))
    return refuse('linking/profile-not-yours', undefined, 'profile.patient.gender')
  if (!isSimilarName(profile.name, patient.name))
    return refuse('linking/profile-not-yours', undefined, 'profile.patient.name')
  const [year, month, day] = patient.birthDate.split('-').map(Number)
  const said = [
    ['yearOfBirth', profile.yearOfBirth, year],
    ['monthOfBirth', profile.monthOfBirth, month],
    ['dayOfBirth', profile.dayOfBirth, day],
  ] as const
  const wrong = said.find(([, given, known]) => given !== undefined && given !== known)
  return wrong === undefined ? undefined : refuse('linking/profile-not-yours', undefined, `profile.patient.${wrong[0]}`)
}

/** When a queue token ends: seconds as number or text, or a date-time; 30 minutes when the HIP does not say it legibly. */
export function parseTokenExpiry(expiry: number | string | null | undefined, now: Date): Date {
  const usual = new Date(now.getTime() + LIMITS.shareTokenMs)
  if (expiry === null || expiry === undefined || expiry === '') return usual
  const seconds = typeof expiry === 'number' ? expiry : /^\d{1,9}(\.\d+)?$/.test(expiry) ? Number(expiry) : Number.NaN
  if (!Number.isNaN(seconds)) return new Date(now.getTime() + seconds * 1000)
  const at = new Date(String(expiry))
  return Number.isNaN(at.getTime()) ? usual : at
}

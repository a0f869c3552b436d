import type { FacilityId } from '../kernel/id.ts'

/**
 * Grounds on which records may be opened without asking: threat to life, or immediate threat to the health, of the patient or of another
 * person (DPDP s.7(f)). One of them must be named.
 */
export const EMERGENCY_REASONS = {
  unconscious: 'The patient cannot speak or decide.',
  'threat-to-life': 'The patient’s life is in danger.',
  'threat-to-health': 'The patient’s health is in immediate danger.',
  'threat-to-another': 'The life or health of another person is in danger.',
} as const
export type EmergencyReason = keyof typeof EMERGENCY_REASONS

/** Why, by whom, for how long: what the patient is told and what the review reads. */
export type Emergency = {
  readonly reason: EmergencyReason
  /** What happened, in the words of the person. */
  readonly words: string
  readonly person: { readonly name: string; readonly role: string; readonly registration?: string }
}

/**
 * Whether the exchange told the patient of an emergency: by a text message; it did not, or does not say; or it knows no number that is hers
 * now, and one that the facility knows may be the same.
 */
export type Heard = 'told' | 'not-told' | 'only-on-paper'

/**
 * Kinds of facility whose staff meet emergencies, as operators write them; a laboratory, a pharmacy or an insurer has none. Whole words
 * count: `Hospital cash insurer` is none of these.
 */
const KINDS: ReadonlySet<string> = new Set([
  'hospital',
  'general hospital',
  'district hospital',
  'sub-district hospital',
  'teaching hospital',
  'multi-speciality hospital',
  'super-speciality hospital',
  'clinic',
  'polyclinic',
  'nursing home',
  'health centre',
  'primary health centre',
  'community health centre',
  'health and wellness centre',
  'ayushman arogya mandir',
  'trauma centre',
  'ambulance',
  'ambulance service',
])

/** Whether a facility of these kinds may open records in an emergency; one of unknown kind may not. */
export function mayOpenInEmergency(facility: {
  readonly id: FacilityId
  readonly facilityTypes: readonly string[]
}): boolean {
  // The registry joins some kinds: `Clinic/ Dispensary`.
  const kinds = facility.facilityTypes.flatMap((type) => type.toLowerCase().split('/'))
  return kinds.some((kind) => KINDS.has(kind.trim().replace(/center$/, 'centre')))
}

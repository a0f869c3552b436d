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

/** Kinds of facility whose staff meet emergencies; a laboratory, a pharmacy or an insurer has none (kinds as the registry writes them). */
const KINDS = ['hospital', 'clinic', 'health centre', 'ambulance', 'trauma', 'nursing home']

/** Whether a facility of these kinds may open records in an emergency; one of unknown kind may not. */
export function mayOpenInEmergency(facility: {
  readonly id: FacilityId
  readonly facilityTypes: readonly string[]
}): boolean {
  return facility.facilityTypes.some((type) => KINDS.some((kind) => type.toLowerCase().includes(kind)))
}

import { HI_TYPES, type HiType } from '../fhir/hi-type.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import type { PurposeCode } from '../policy/purpose.ts'

/** How a person of the staff stands to one patient at this moment. */
export type Relation = {
  readonly role: StaffRole
  /** Whether she attends the patient in a visit that is open now. */
  readonly attends: boolean
  /** She broke the glass: until when. */
  readonly emergencyUntil?: Date
}

/**
 * Why somebody may read: `unit` is the work of a laboratory, pharmacy or billing office, which has no patients of its own;
 * `records-office` hands out copies, and reads nothing on a screen.
 */
export type Ground = 'attending' | 'unit' | 'emergency' | 'records-office'

/**
 * What the ground of somebody who looks rests on. `joined`: she added herself to those who attend. `no-visit`: nothing but her own word
 * says that the patient is, or was lately, here.
 */
export type Standing = 'attending' | 'joined' | 'no-visit'

/** One way in which somebody may read the records of a patient now. */
export type Reading = {
  readonly purpose: PurposeCode
  readonly ground: Ground
  /** Of our own records. */
  readonly own: readonly HiType[]
  /** Of records of others; each consent narrows further. */
  readonly received: readonly HiType[]
  /** The ground ends by itself then. */
  readonly until?: Date
}

/**
 * All ways, the usual one first; none when the records are closed to this person. Doctors and nurses read whom they attend, or in an
 * emergency; a unit reads the kind of record that is its work, billing also what a patient's consent for payment covers.
 */
export function readingsOf({ role, attends, emergencyUntil }: Relation): readonly Reading[] {
  switch (role) {
    case 'doctor':
    case 'nurse':
      return [
        ...(attends ? [{ purpose: 'CAREMGT', ground: 'attending', own: HI_TYPES, received: HI_TYPES } as const] : []),
        ...(emergencyUntil === undefined
          ? []
          : [
              {
                purpose: 'BTG',
                ground: 'emergency',
                own: HI_TYPES,
                received: HI_TYPES,
                until: emergencyUntil,
              } as const,
            ]),
      ]
    case 'lab':
      return [{ purpose: 'CAREMGT', ground: 'unit', own: ['DiagnosticReport'], received: ['DiagnosticReport'] }]
    case 'pharmacy':
      return [{ purpose: 'CAREMGT', ground: 'unit', own: ['Prescription'], received: ['Prescription'] }]
    case 'billing':
      return [{ purpose: 'HPAYMT', ground: 'unit', own: ['Invoice'], received: HI_TYPES }]
    case 'front-desk':
    case 'records-officer':
    case 'dpo':
    case 'administrator':
      return []
  }
}

/**
 * For which purposes somebody may take a patient's records out as a file: the records office, because the patient asked for them (DPDP
 * s.11), or for her care. What others sent leaves under a consent for that purpose alone, which lets it be stored.
 */
export function exportsOf(role: StaffRole): readonly Reading[] {
  if (role !== 'records-officer') return []
  const all = { ground: 'records-office', own: HI_TYPES, received: HI_TYPES } as const
  return [
    { purpose: 'PATRQT', ...all },
    { purpose: 'CAREMGT', ...all },
  ]
}

/** What of a patient's records somebody may know to exist, without content: all for the records officer, else what her work reads. */
export function listedTypes(role: StaffRole): readonly HiType[] {
  switch (role) {
    case 'doctor':
    case 'nurse':
    case 'records-officer':
      return HI_TYPES
    case 'lab':
      return ['DiagnosticReport']
    case 'pharmacy':
      return ['Prescription']
    case 'billing':
      return ['Invoice']
    case 'front-desk':
    case 'dpo':
    case 'administrator':
      return []
  }
}

import type { Outcome } from '../incidents/emergency.ts'
import type { Id } from '../kernel/id.ts'
import type { StaffRole } from '../kernel/staff-role.ts'

export type JoiningStatus = 'waiting' | 'reviewed'

export const JOINING_MOVES = {
  none: ['waiting'],
  waiting: ['reviewed'],
  reviewed: [],
} as const satisfies Record<JoiningStatus | 'none', readonly JoiningStatus[]>

/** Somebody added herself to those who attend a patient: a consultant who is called at night must be able to, and is asked afterwards. */
export type Joining = {
  readonly id: Id<'joining'>
  readonly patientReference: string
  readonly visit: Id<'visit'>
  readonly staff: Id<'staff'>
  readonly role: StaffRole
  /** Absent once the patient's key was erased. */
  readonly name: string
  readonly words: string
  readonly status: JoiningStatus
  readonly joinedAt: Date
  readonly reviewBy: Date
  readonly review?: { readonly outcome: Outcome; readonly words: string; readonly by: Id<'staff'>; readonly at: Date }
}

export const EVENTS = {
  'joining.reviewed': 'Somebody else reviewed why a person of the staff joined the treatment of a patient.',
} as const

import type { AuditEvent } from '../audit/record.ts'
import type { EmergencyReason } from '../consent/emergency.ts'
import type { Id } from '../kernel/id.ts'
import type { StaffRole } from '../kernel/staff-role.ts'

export type EmergencyStatus = 'open' | 'ended' | 'reviewed'
export const OUTCOMES = ['justified', 'not-justified', 'needs-follow-up'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** It ends by itself or by hand, then waits for its review; an open one can be reviewed only after its end. */
export const EMERGENCY_MOVES = {
  open: ['ended'],
  ended: ['reviewed'],
  reviewed: [],
} as const satisfies Record<EmergencyStatus, readonly EmergencyStatus[]>

export type Told = 'exchange' | 'text' | 'letter'
/**
 * Why she is told on paper: no number is known; the number that the exchange knows is somebody else's, as a parent's is of a grown-up; she
 * was sent as many text messages of this facility today as she is sent a day; or the text message could not be delivered.
 */
export type OnPaper = 'no-mobile' | 'not-hers' | 'withheld-by-cap' | 'undelivered'

/** Records that a person opened without consent, because there was no time to ask (DPDP s.7(f)). */
export type EmergencyAccess = {
  readonly id: Id<'emergency'>
  readonly patientReference: string
  readonly staff: Id<'staff'>
  readonly role: StaffRole
  readonly name: string
  readonly reason: EmergencyReason
  readonly words: string
  readonly status: EmergencyStatus
  readonly openedAt: Date
  readonly until: Date
  readonly endedAt?: Date
  readonly reviewBy: Date
  /** Our request to the exchange for records of others. */
  readonly consent?: Id<'hiu-consent'>
  /** By which way the patient is told: where the exchange does not, this facility sends a text message, or somebody writes to her. */
  readonly told: Told
  /** Set when it is `letter`. */
  readonly onPaper?: OnPaper
  /** When the text message was sent, or the letter. */
  readonly toldAt?: Date
  readonly review?: { readonly outcome: Outcome; readonly words: string; readonly by: Id<'staff'>; readonly at: Date }
}

export const EVENTS = {
  'emergency.opened': 'A person of the staff opened a patient’s records in an emergency, without consent.',
  'emergency.ended': 'Access in an emergency ended, by itself or by hand.',
  'emergency.patient-told':
    'The facility told a patient by text message or letter that her records were opened in an emergency, or why somebody must do so on paper.',
  'emergency.text-undelivered':
    'A text message to a patient that her records were opened in an emergency could not be delivered: she is told on paper.',
  'emergency.reviewed': 'Somebody else reviewed whether records had to be opened in an emergency.',
} as const

/** `patient` is the facility's own reference. */
export type EmergencyEvent = AuditEvent & {
  readonly type: keyof typeof EVENTS
  readonly patient: string
  readonly subject: Id<'emergency'>
  readonly reason?: EmergencyReason
  readonly words?: string
  readonly until?: string
  readonly how?: 'by hand' | 'time over'
  readonly outcome?: Outcome
  readonly told?: Told
  readonly onPaper?: OnPaper
  /** Of a letter: that it went out. */
  readonly isSent?: true
}

/** Whether access is open at this moment: the status alone may lag behind the clock. */
export function isOpen(access: Pick<EmergencyAccess, 'status' | 'until'>, now: Date): boolean {
  return access.status === 'open' && access.until > now
}

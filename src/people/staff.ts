import type { AuditEvent } from '../audit/record.ts'
import type { Id } from '../kernel/id.ts'
import { STAFF_ROLES, type StaffRole } from '../kernel/staff-role.ts'

/** `invited`: has a one-time code and no way to sign in yet. `left` is for good: who comes back is invited anew under another account. */
export type StaffStatus = 'invited' | 'active' | 'suspended' | 'left'

export const STAFF_MOVES = {
  none: ['invited'],
  invited: ['active', 'left'],
  // Back to `invited`: who lost her second factor sets it up anew.
  active: ['suspended', 'invited', 'left'],
  suspended: ['active', 'left'],
  left: [],
} as const satisfies Record<StaffStatus | 'none', readonly StaffStatus[]>

/** A person who works at a facility. */
export type StaffMember = {
  readonly id: Id<'staff'>
  /** Lower case; what she types to sign in. */
  readonly login: string
  readonly name: string
  readonly role: StaffRole
  /** Number in the council's or registry's register of professionals, for those who have one. */
  readonly registration?: string
  readonly status: StaffStatus
}

const LOGIN = /^[a-z0-9][a-z0-9._-]{1,38}[a-z0-9]$/

/** Reads a login, any case: 3 to 40 letters, digits, `.`, `_`, `-`; undefined when it is none. */
export function parseLogin(text: string): string | undefined {
  const lower = text.trim().toLowerCase()
  return LOGIN.test(lower) ? lower : undefined
}

/** Reads the name of a role; undefined when there is none of that name. */
export function parseStaffRole(text: string): StaffRole | undefined {
  return STAFF_ROLES.find((role) => role === text)
}

export const EVENTS = {
  'staff.invited': 'A person was invited to work with the desk of this facility, in a role.',
  'staff.joined': 'An invited person set her password and second factor, and can sign in.',
  'staff.signed-in': 'A person of the staff signed in.',
  'staff.signed-out': 'A session at the desk was ended, by the person whose it was.',
  'staff.sign-in-failed': 'A sign-in with the login of a person of the staff failed.',
  'staff.role-changed': 'A person of the staff got another role.',
  'staff.suspended': 'A person of the staff may not sign in for now; her sessions ended.',
  'staff.restored': 'A suspended person of the staff may sign in again.',
  'staff.left': 'A person left the staff; her sessions and ways to sign in ended for good.',
  'staff.second-factor-reset':
    'A person of the staff has to set up password and second factor anew; her sessions ended.',
  'staff.signed-out-elsewhere': 'A person of the staff ended all her sessions but the one in which she did it.',
  'staff.sessions-ended': 'An administrator ended all sessions of a person of the staff.',
  'staff.recovery-codes-made': 'A person of the staff made new recovery codes; older ones let nobody in.',
  'staff.recovery-code-used': 'A recovery code was used in place of a code of the authenticator app.',
  'staff.authenticator-replaced': 'A person of the staff set up a new authenticator app; her other sessions ended.',
  'staff.sso-permitted': 'An administrator allowed a person to link her account at her first single sign-on.',
  'staff.sso-linked': 'The account of a person of the staff was linked to the single sign-on of the facility.',
  'staff.sso-unlinked': 'The account of a person of the staff is no longer linked to the single sign-on.',
  'staff.sso-signed-out':
    'The provider of single sign-on said that a person signed out there; her sessions that began there ended.',
  'staff.sso-refused': 'A single sign-on was refused: its answer did not hold, or nobody here is linked to it.',
  'staff.password-changed': 'A person of the staff changed her password; her other sessions ended.',
} as const

export type StaffEvent = AuditEvent & {
  readonly type: keyof typeof EVENTS
  /** The work she has from now on, where it is given or changed. */
  readonly role?: StaffRole
  /** Whether a second person has to confirm her account from now on; `kept`: as before. */
  readonly confirmation?: 'pending' | 'confirmed' | 'kept'
}

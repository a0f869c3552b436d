import type { Actor } from '../kernel/caller.ts'
import type { Id } from '../kernel/id.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { actsOf } from './rules.ts'

/**
 * Whether somebody else than who gave an account confirmed that it is in the hands of the person whose name it bears. Until then it signs
 * in and opens nothing of a patient: an administrator who invites "Dr. Ghost" and opens the link herself reads nothing.
 */
export type Confirmation = {
  readonly staff: Id<'staff'>
  readonly status: 'pending' | 'confirmed'
  /** Who gave the account, or its ways in; absent when that was an operator. */
  readonly askedBy?: Asker
  readonly askedAt: Date
  readonly confirmedBy?: Id<'staff'>
  readonly confirmedAt?: Date
}

/** The administrator, or more than one of them since the account was confirmed last: each may have kept a way in. */
export type Asker = Id<'staff'> | 'several'

/** Who asked, where somebody had asked before and may still get in by what she gave. */
export function askerBeside(earlier: Asker | undefined, now: Id<'staff'> | undefined): Asker | undefined {
  if (now === undefined || earlier === undefined || now === earlier) return now ?? earlier
  return 'several'
}

/** A person of the staff, as far as it matters for who may confirm. */
export type Confirmer = {
  readonly id: Id<'staff'>
  readonly name: string
  readonly role: StaffRole
  readonly status: string
  readonly isConfirmed: boolean
}

/** Who may confirm an account now: `office` = data protection officer or records office; `operator` = nobody at a desk. */
export type MayConfirm = {
  readonly by: 'office' | 'administrator' | 'operator'
  readonly people: readonly Confirmer[]
}

/**
 * The data protection officers and records officers; where the facility has none of them, another administrator; where there is none
 * either, or each may have given a part, the operator on the server. Never the person herself, nor who gave her the account; and only who
 * is confirmed.
 */
export function mayConfirm(
  everybody: readonly Confirmer[],
  { staff, askedBy }: { readonly staff: Id<'staff'>; readonly askedBy?: Asker | undefined },
): MayConfirm {
  const others = everybody.filter(
    ({ id, status, isConfirmed }) => status === 'active' && isConfirmed && id !== staff && id !== askedBy,
  )
  const office = others.filter(({ role }) => role === 'dpo' || role === 'records-officer')
  if (office.length > 0) return { by: 'office', people: office }
  const administrators = askedBy === 'several' ? [] : others.filter(({ role }) => role === 'administrator')
  return administrators.length > 0 ? { by: 'administrator', people: administrators } : { by: 'operator', people: [] }
}

/** How an account stands once somebody gave it, or its ways in: what an operator gave by name and proof waits for nobody. */
export function confirmationAfter(actor: Actor): Confirmation['status'] {
  return actor.kind === 'operator' ? 'confirmed' : 'pending'
}

/** Whether other work opens something that the older did not: then it is confirmed anew. */
export function gainsActs(from: StaffRole, to: StaffRole): boolean {
  const before = actsOf(from)
  return actsOf(to).some((act) => !before.includes(act))
}

export const EVENTS = {
  'staff.confirmed': 'Somebody other than who gave the account confirmed that it is in the hands of its person.',
} as const

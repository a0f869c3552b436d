import type { Id } from '../kernel/id.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { UNITS } from './visit.ts'

type Person = { readonly id: Id<'staff'>; readonly role: StaffRole }

/** What of today's visits somebody sees: all, those that one attends, or none. */
export type TodayScope = 'all' | { readonly attendant: string } | 'none'

/** The front desk sees everybody who is here; doctors and nurses their own patients; units those who were sent to them. */
export function todayScope({ id, role }: Person): TodayScope {
  switch (role) {
    case 'front-desk':
      return 'all'
    case 'doctor':
    case 'nurse':
      return { attendant: id }
    case 'lab':
    case 'pharmacy':
    case 'billing':
      return { attendant: role }
    case 'records-officer':
    case 'dpo':
    case 'administrator':
      return 'none'
  }
}

/** As whom a person attends patients: herself, or her unit; undefined for roles that attend nobody. */
export function attendantOf({ id, role }: Person): string | undefined {
  if (role === 'doctor' || role === 'nurse') return id
  return UNITS.find((unit) => unit === role)
}

/** Whether one may be named as attending a visit by name. */
export function mayAttend(role: StaffRole): boolean {
  return role === 'doctor' || role === 'nurse'
}

/**
 * Whose consent requests somebody sees, by the role of who asked; `software` asked with the operator's token. Purposes and types of
 * what is asked say much about a patient: billing does not see what a doctor asks for.
 */
export function consentsSeenBy(role: StaffRole): readonly (StaffRole | 'software')[] {
  switch (role) {
    case 'doctor':
    case 'nurse':
      return ['doctor', 'nurse', 'software']
    case 'lab':
    case 'pharmacy':
    case 'billing':
      return [role]
    case 'front-desk':
    case 'records-officer':
    case 'dpo':
      return ['doctor', 'nurse', 'lab', 'pharmacy', 'billing', 'software']
    case 'administrator':
      return []
  }
}

/** The front desk tells a patient that something waits in her app: that it waits is all it needs to see. */
export function seesTerms(role: StaffRole): boolean {
  return role !== 'front-desk' && role !== 'administrator'
}

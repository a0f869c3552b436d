import type { StaffRole } from '../../src/kernel/staff-role.ts'
import { type SessionAnswer, useSession } from '../ui/session.ts'

/** Who is signed in at the desk: the answer of `GET /v1/session` at a facility. */
export type StaffSession = SessionAnswer & {
  readonly kind: 'staff'
  readonly staff: {
    readonly id: string
    readonly login: string
    readonly name: string
    readonly role: StaffRole
    readonly registration?: string
    /** Who joined by a passkey has none. */
    readonly hasPassword: boolean
  }
  readonly facility: { readonly id: string; readonly name: string }
  /** An account that nobody has confirmed, and who may. */
  readonly unconfirmed?: {
    readonly by: 'office' | 'administrator' | 'operator'
    readonly people: readonly { readonly name: string; readonly role: StaffRole }[]
  }
}

export const useStaffSession = () => useSession<StaffSession>()

import type { StaffRole } from '../../../src/kernel/staff-role.ts'
import type { DeskKey } from '../words.ts'

export type StaffStatus = 'invited' | 'active' | 'suspended' | 'left'

/** A row of `GET /v1/desk/staff`. */
export type StaffRow = {
  readonly id: string
  readonly login: string
  readonly name: string
  readonly role: StaffRole
  readonly registration?: string
  readonly status: StaffStatus
  readonly isConfirmed: boolean
}

/** What the server answers an invitation with: shown once. */
export type Invited = { readonly link: string; readonly expiresAt: string }

export const roleKey = (role: StaffRole): DeskKey & `role.${string}` => `role.${role}`
export const roleTextKey = (role: StaffRole): DeskKey & `role-text.${string}` => `role-text.${role}`

export type Invitation = {
  readonly login: string
  readonly name: string
  readonly role: StaffRole
  readonly registration?: string
  readonly expiresAt: string
  readonly facility: { readonly name: string }
}

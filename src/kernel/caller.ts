import type { AbhaAddress, FacilityId, Id } from './id.ts'
import type { StaffRole } from './staff-role.ts'

/** Who is on the other end of a call, as its token proved it. */
export type Caller =
  | { readonly kind: 'anonymous' }
  /** A bridge: one client id and callback URL that serves one or more facilities. */
  | { readonly kind: 'bridge'; readonly clientId: string; readonly facilities: readonly FacilityId[] }
  | PartnerCaller
  | PatientCaller
  /** The consent manager calling a facility back. */
  | { readonly kind: 'exchange'; readonly id: string }
  /** Software of this party itself, or who runs it. `proved`: it is the operator of that name, who gave a fresh code. */
  | { readonly kind: 'operator'; readonly name: string; readonly proved?: true }
  | StaffCaller

/** Software of a partner with a token of its own, bound to its key or certificate. */
export type PartnerCaller = {
  readonly kind: 'partner'
  readonly clientId: string
  readonly facilities: readonly FacilityId[]
  /** SMART scopes, such as `system/Consent.rs`. */
  readonly scopes: readonly string[]
  /** Purposes of use that the token was asked for; none = not said. */
  readonly purposes: readonly string[]
}

/** `guardian` is set when a guardian acts for a child or dependant; `session` for the web app. */
export type PatientCaller = {
  readonly kind: 'patient'
  readonly patient: AbhaAddress
  readonly guardian?: AbhaAddress
  readonly session?: Id<'web-session'>
}

/** A person of the staff of this facility, signed in at its desk. */
export type StaffCaller = {
  readonly kind: 'staff'
  readonly id: Id<'staff'>
  readonly name: string
  readonly role: StaffRole
  readonly registration?: string
  readonly session: Id<'web-session'>
  /** An administrator gave her the account, and nobody else has confirmed it: she reads nothing yet. */
  readonly unconfirmed?: true
}

/** Who did what a log entry says. `person` is the human behind a facility, by name, as the patient will read it. */
export type Actor =
  | { readonly kind: 'patient'; readonly id: AbhaAddress; readonly guardian?: AbhaAddress }
  | {
      readonly kind: 'facility'
      readonly id: FacilityId
      readonly person?: { readonly name: string; readonly role: string; readonly staff?: Id<'staff'> }
    }
  | { readonly kind: 'exchange'; readonly id: string }
  | { readonly kind: 'operator'; readonly id: string }
  | { readonly kind: 'system'; readonly id: string }

/** The operator who calls, as the log names who did it; for routes that take operators alone. */
export function operatorOf(caller: Caller): Actor {
  return { kind: 'operator', id: caller.kind === 'operator' ? caller.name : caller.kind }
}

/** The partner's software that calls; for routes with `auth: 'partner'`, which no other caller reaches. */
export function partnerOf(caller: Caller): PartnerCaller {
  if (caller.kind !== 'partner') throw new Error(`a route of partners was reached by ${caller.kind}`)
  return caller
}

/** The person of the staff who calls; for routes with `auth: 'staff'`, which no other caller reaches. */
export function staffOf(caller: Caller): StaffCaller {
  if (caller.kind !== 'staff') throw new Error(`a route of the desk was reached by ${caller.kind}`)
  return caller
}

/** A person of the staff, as the log names who did it and the patient will read it. */
export function staffActor(facility: FacilityId, { id, name, role }: Omit<StaffCaller, 'kind' | 'session'>): Actor {
  return { kind: 'facility', id: facility, person: { name, role, staff: id } }
}

import type { AbhaAddress, FacilityId } from './id.ts'

/** Who is on the other end of a call, as its token proved it. */
export type Caller =
  | { readonly kind: 'anonymous' }
  /** A bridge: one client id and callback URL that serves one or more facilities. */
  | { readonly kind: 'bridge'; readonly clientId: string; readonly facilities: readonly FacilityId[] }
  /** `guardian` is set when a guardian acts for a child. */
  | { readonly kind: 'patient'; readonly patient: AbhaAddress; readonly guardian?: AbhaAddress }
  /** The consent manager calling a facility back. */
  | { readonly kind: 'exchange'; readonly id: string }
  /** Staff or software of this party itself. */
  | { readonly kind: 'operator'; readonly name: string }

/** Who did what a log entry says. `person` is the human behind a facility, by name, as the patient will read it. */
export type Actor =
  | { readonly kind: 'patient'; readonly id: AbhaAddress; readonly guardian?: AbhaAddress }
  | {
      readonly kind: 'facility'
      readonly id: FacilityId
      readonly person?: { readonly name: string; readonly role: string }
    }
  | { readonly kind: 'exchange'; readonly id: string }
  | { readonly kind: 'operator'; readonly id: string }
  | { readonly kind: 'system'; readonly id: string }

/** The operator who calls, as the log names who did it; for routes that take operators alone. */
export function operatorOf(caller: Caller): Actor {
  return { kind: 'operator', id: caller.kind === 'operator' ? caller.name : caller.kind }
}

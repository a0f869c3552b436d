import type { AuditEvent } from '../audit/record.ts'
import type { FacilityId } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'

const ROLES = ['hip', 'hiu', 'health-locker', 'phr'] as const
export type Role = (typeof ROLES)[number]

/** Software that speaks for facilities: one client id, one callback URL. */
export type Bridge = {
  readonly clientId: string
  readonly name: string
  /** Base of the callbacks, without a slash at the end. */
  readonly url: string
  readonly status: 'active' | 'revoked'
  /** When an operator shut it out. */
  readonly shutOutAt?: Date
}

/**
 * How a service stands. `inactive`: switched off by its own bridge. `shut-out`: by an operator, until an operator takes it back.
 * `unconfirmed`: a bridge named it, and no operator has confirmed it yet; `trial`: the same in a sandbox, where it takes part all the
 * same until the network is none any more (`trial-commands.ts`).
 */
export type FacilityStatus = 'active' | 'inactive' | 'unconfirmed' | 'trial' | 'shut-out'

/** A service of a bridge: a hospital, a laboratory, an app. Inactive when it, or its bridge, may not take part. */
export type Facility = {
  readonly id: FacilityId
  readonly name: string
  readonly roles: readonly Role[]
  readonly status: 'active' | 'inactive'
  /** Whether an operator stands for its name and kind. `shut-out`: by itself, or with its bridge. */
  readonly standing: 'confirmed' | 'unconfirmed' | 'shut-out'
  /** When it was shut out, or its bridge. */
  readonly shutOutAt?: Date
  readonly isGovernment: boolean
  /** Words of the facility registry, such as `Hospital`. */
  readonly facilityTypes: readonly string[]
  readonly bridge: Pick<Bridge, 'clientId' | 'url' | 'status'>
}

export const MOVES = { active: ['revoked'], revoked: [] } as const satisfies Record<
  Bridge['status'],
  readonly Bridge['status'][]
>

export const FACILITY_MOVES = {
  active: ['inactive', 'shut-out'],
  inactive: ['active', 'shut-out'],
  unconfirmed: ['active', 'inactive', 'trial', 'shut-out'],
  trial: ['active', 'inactive', 'unconfirmed', 'shut-out'],
  'shut-out': ['active', 'inactive'],
} as const satisfies Record<FacilityStatus, readonly FacilityStatus[]>

export const EVENTS = {
  'partners.bridge-registered': 'The operator admitted software (a bridge) to the network.',
  'partners.bridge-url-changed': 'A bridge is called back at another address from now on.',
  'partners.bridge-revoked': 'A bridge was shut out: its sessions are void, its facilities silent.',
  'partners.secret-renewed': 'A bridge got a new client secret; the sessions made with the old one are void.',
  'partners.facility-saved': 'A facility was added to a bridge, or changed.',
  'partners.facility-confirmed':
    'An operator confirmed a facility that a bridge had named, or took one back that was shut out.',
  'partners.facility-shut-out':
    'An operator shut a facility out: it asks nothing and gets nothing, and what was allowed to it ends.',
  'partners.trial-ended':
    'The network is no sandbox any more: a facility that took part on the word of its bridge alone waits for an operator.',
  'partners.session-issued': 'A bridge logged in.',
  'partners.session-renewed': 'A bridge renewed its login.',
  'partners.refresh-reused': 'A token that renews a login was used twice: all logins that descend from it are void.',
} as const

export type PartnerEvent = AuditEvent & { readonly type: keyof typeof EVENTS; readonly subject: string }

/**
 * How a service stands after it was saved. An operator's word counts; a bridge switches on and off what is confirmed, and what it names
 * itself waits, or takes part on trial where the network is a sandbox. Undefined: it is shut out, and a bridge changes nothing of it.
 */
export function statusAfter(
  before: FacilityStatus | undefined,
  isActive: boolean,
  ownWord: 'unconfirmed' | 'trial' | undefined,
): FacilityStatus | undefined {
  if (ownWord === undefined || before === 'active' || before === 'inactive') return isActive ? 'active' : 'inactive'
  if (before === 'shut-out') return undefined
  return isActive ? ownWord : 'unconfirmed'
}

/** Reads a callback base URL: http or https, without credentials, query or fragment. Where it may point is checked at each call. */
export function parseCallbackUrl(text: string): { readonly url: string } | Refusal {
  if (!URL.canParse(text)) return refuse('partners/invalid-url', 'url is not a URL.', 'url')
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return refuse('partners/invalid-url', 'url must begin with https:// or http://.', 'url')
  if (url.username !== '' || url.password !== '')
    return refuse('partners/invalid-url', 'url must not hold a user name or password.', 'url')
  if (url.search !== '' || url.hash !== '')
    return refuse('partners/invalid-url', 'url must have no query and no fragment: paths are appended to it.', 'url')
  return { url: `${url.origin}${url.pathname.replace(/\/+$/, '')}` }
}

export function isHip(facility: Facility): boolean {
  return facility.status === 'active' && facility.roles.includes('hip')
}

/** Whether it may be told of results and events: an HIU, a patient's app, a health locker. */
export function isHiu(facility: Facility): boolean {
  return facility.status === 'active' && facility.roles.some((role) => role !== 'hip')
}

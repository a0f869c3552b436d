import { announce, record } from '../audit/record.ts'
import { StaleRow, type Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { canMove } from '../kernel/moves.ts'
import { isRefusal, must, type Refusal, refuse } from '../kernel/refusal.ts'
import {
  type Bridge,
  type Facility,
  type FacilityStatus,
  MOVES,
  type PartnerEvent,
  parseCallbackUrl,
  type Role,
  statusAfter,
} from './bridge.ts'
import { isOwnApp, ownAppId } from './own-app.ts'
import { hashSecret, makeSecret } from './secret.ts'
import {
  bridgesBehind,
  type FacilityEvent,
  findBridge,
  findFacilities,
  findFacilitiesOf,
  findFacility,
  findShutOut,
  findUnconfirmed,
  insertBridge,
  lockFacility,
  saveFacility,
  updateBridge,
} from './store.ts'

export type ServiceInput = {
  readonly id: FacilityId
  readonly name: string
  readonly roles: readonly Role[]
  readonly isActive: boolean
  /** What is not said stays as it was; false and none at first. */
  readonly isGovernment?: boolean
  readonly facilityTypes?: readonly string[]
}

/**
 * Admits a bridge with its services. Returns the client secret, which is not kept and cannot be shown again.
 * Refuses a taken client id or facility id, and a URL that cannot be a callback base.
 */
export async function registerBridge(
  tx: Tx,
  input: {
    readonly clientId?: string
    readonly name: string
    readonly url: string
    readonly services: readonly ServiceInput[]
    readonly actor: Actor
  },
): Promise<{ readonly clientId: string; readonly clientSecret: string } | Refusal> {
  const parsed = parseCallbackUrl(input.url)
  if (isRefusal(parsed)) return parsed
  const clientId = input.clientId ?? `SBX_${Buffer.from(tx.random(5)).toString('hex')}`
  if (isOwnApp(clientId) && input.actor.kind !== 'exchange')
    return refuse('partners/duplicate-bridge', 'This client id is kept for the exchange’s own patient app.', 'clientId')
  if ((await findBridge(tx, clientId)) !== undefined) return refuse('partners/duplicate-bridge', undefined, 'clientId')
  const taken = await firstFault(tx, clientId, input.services, undefined)
  if (taken) return taken
  const clientSecret = makeSecret(tx.random)
  const recorded = await record(tx, {
    type: 'partners.bridge-registered',
    actor: input.actor,
    subject: clientId,
    name: input.name,
    url: parsed.url,
  } satisfies PartnerEvent & Record<string, unknown>)
  const isNew = await insertBridge(tx, recorded, {
    clientId,
    name: input.name,
    url: parsed.url,
    secretHash: await hashSecret(tx.random, clientSecret),
  })
  if (!isNew) throw new StaleRow('registered meanwhile')
  await announce(tx, recorded)
  const saved = await saveServices(tx, { clientId, services: input.services, actor: input.actor })
  return isRefusal(saved) ? saved : { clientId, clientSecret }
}

/** Changes where a bridge is called back. */
export async function updateBridgeUrl(
  tx: Tx,
  input: { readonly clientId: string; readonly url: string; readonly actor: Actor },
): Promise<Bridge | Refusal> {
  const parsed = parseCallbackUrl(input.url)
  if (isRefusal(parsed)) return parsed
  const bridge = await activeBridge(tx, input.clientId)
  if (isRefusal(bridge) || bridge.url === parsed.url) return bridge
  const recorded = await record(tx, {
    type: 'partners.bridge-url-changed',
    actor: input.actor,
    subject: bridge.clientId,
    url: parsed.url,
  } satisfies PartnerEvent & Record<string, unknown>)
  await updateBridge(tx, recorded, { url: parsed.url })
  await announce(tx, recorded)
  return { ...bridge, url: parsed.url }
}

/** A new client secret in place of the old one. All running sessions end. */
export async function renewBridgeSecret(
  tx: Tx,
  input: { readonly clientId: string; readonly actor: Actor },
): Promise<{ readonly clientSecret: string } | Refusal> {
  const bridge = await activeBridge(tx, input.clientId)
  if (isRefusal(bridge)) return bridge
  const clientSecret = makeSecret(tx.random)
  const recorded = await record(tx, {
    type: 'partners.secret-renewed',
    actor: input.actor,
    subject: bridge.clientId,
  } satisfies PartnerEvent)
  await updateBridge(tx, recorded, { secretHash: await hashSecret(tx.random, clientSecret) })
  await announce(tx, recorded)
  return { clientSecret }
}

/** Shuts a bridge out, for good: it cannot log in, its tokens are void, its facilities count as inactive. */
export async function revokeBridge(
  tx: Tx,
  input: { readonly clientId: string; readonly actor: Actor },
): Promise<true | Refusal> {
  const bridge = await findBridge(tx, input.clientId)
  if (bridge === undefined) return refuse('partners/unknown-bridge')
  if (!canMove(MOVES, bridge.status, 'revoked')) return true
  const recorded = await record(tx, {
    type: 'partners.bridge-revoked',
    actor: input.actor,
    subject: bridge.clientId,
  } satisfies PartnerEvent)
  await updateBridge(tx, recorded, { status: 'revoked' })
  await announce(tx, recorded)
  return true
}

/** What a service is that only its bridge has named: it waits for an operator, or takes part on trial, in a sandbox. */
export type OwnWord = 'unconfirmed' | 'trial'

/**
 * Adds services to a bridge or changes its own. All or none: a facility id of another bridge refuses the whole list. Without `ownWord` it
 * is an operator's word: the services are confirmed by it, and one of a bridge that was shut out may come to another bridge.
 */
export async function saveServices(
  tx: Tx,
  input: {
    readonly clientId: string
    readonly services: readonly ServiceInput[]
    readonly actor: Actor
    readonly ownWord?: OwnWord
  },
): Promise<readonly Facility[] | Refusal> {
  const bridge = await activeBridge(tx, input.clientId)
  if (isRefusal(bridge)) return bridge
  const fault = await firstFault(tx, bridge.clientId, input.services, input.ownWord)
  if (fault) return fault
  for (const service of input.services) {
    const locked = await lockFacility(tx, service.id)
    const stored = locked === 'changed' ? undefined : locked
    const before = await findFacility(tx, service.id)
    const status = statusAfter(stored?.status, service.isActive, input.ownWord)
    if (status === undefined) return shutOut(service.id)
    const facility = {
      name: service.name,
      status,
      isGovernment: service.isGovernment ?? before?.isGovernment ?? false,
      facilityTypes: service.facilityTypes ?? before?.facilityTypes ?? [],
    }
    const recorded = await record(tx, {
      type: 'partners.facility-saved',
      actor: input.actor,
      subject: service.id,
      bridge: bridge.clientId,
      roles: [...new Set(service.roles)],
      name: service.name,
      status,
    } satisfies FacilityEvent & Record<string, unknown>)
    if (!(await saveFacility(tx, recorded, stored, facility))) throw new StaleRow('registered meanwhile')
    await announce(tx, recorded)
  }
  return findFacilitiesOf(tx, bridge.clientId)
}

async function firstFault(
  tx: Tx,
  clientId: string,
  services: readonly ServiceInput[],
  ownWord: OwnWord | undefined,
): Promise<Refusal | undefined> {
  for (const { id, roles } of services) {
    if (isOwnApp(id) && !isOwnApp(clientId))
      return refuse(
        'partners/facility-taken',
        `The facility id ${id} is kept for the exchange’s own patient app.`,
        'id',
      )
    const stored = await lockFacility(tx, id)
    if (stored === undefined) continue
    if (stored === 'changed' || !(await mayHave(tx, clientId, stored.bridge, ownWord)))
      return refuse('partners/facility-taken', `The facility id ${id} belongs to another bridge.`, 'id')
    if (ownWord !== undefined && stored.status === 'shut-out') return shutOut(id)
    // What somebody may ask or answer was confirmed with the name; in a sandbox nobody is there to do it.
    const known = ownWord === 'unconfirmed' ? await findFacility(tx, id) : undefined
    const wider = known?.standing === 'confirmed' && roles.some((role) => !known.roles.includes(role))
    if (wider) return refuse('partners/roles-confirmed', `An operator admits ${id} to another role.`, 'type')
  }
  return undefined
}

const shutOut = (id: FacilityId): Refusal => refuse('partners/facility-shut-out', `${id} was shut out.`, 'id')

/** Whether a facility is the bridge's; for an operator also one whose bridge was shut out: hospitals change their software. */
async function mayHave(tx: Tx, clientId: string, owner: string, ownWord: OwnWord | undefined): Promise<boolean> {
  if (owner === clientId) return true
  return ownWord === undefined && (await findBridge(tx, owner))?.status === 'revoked'
}

/** What an operator says of a facility; what is left out stays. */
export type Confirmation = Partial<Pick<Facility, 'name' | 'roles' | 'isGovernment' | 'facilityTypes'>>

/** An operator stands for a facility that a bridge named, or takes back one that was shut out. Again is fine. */
export async function confirmFacility(
  tx: Tx,
  input: { readonly id: FacilityId; readonly says: Confirmation; readonly actor: Actor },
): Promise<Facility | Refusal> {
  return moveFacility(tx, { ...input, type: 'partners.facility-confirmed', status: 'active' })
}

/** Shuts one facility out: it asks nothing and gets nothing, and what was allowed to it ends. Again is fine. */
export async function shutFacilityOut(
  tx: Tx,
  input: { readonly id: FacilityId; readonly reason: string; readonly actor: Actor },
): Promise<Facility | Refusal> {
  return moveFacility(tx, { ...input, says: {}, type: 'partners.facility-shut-out', status: 'shut-out' })
}

async function moveFacility(
  tx: Tx,
  input: {
    readonly id: FacilityId
    readonly says: Confirmation
    readonly actor: Actor
    readonly reason?: string
    readonly type: 'partners.facility-confirmed' | 'partners.facility-shut-out'
    readonly status: FacilityStatus
  },
): Promise<Facility | Refusal> {
  const { id, says, actor, type, status, reason } = input
  const stored = await lockFacility(tx, id)
  const before = await findFacility(tx, id)
  if (stored === undefined || stored === 'changed' || before === undefined) return refuse('partners/unknown-facility')
  if (before.bridge.status === 'revoked')
    return refuse('partners/unknown-bridge', 'Its bridge was shut out for good: admit it with another bridge.')
  const next = { ...before, ...says }
  const recorded = await record(tx, {
    type,
    actor,
    subject: id,
    bridge: stored.bridge,
    roles: [...new Set(next.roles)],
    name: next.name,
    status,
    ...(reason === undefined ? {} : { reason }),
  } satisfies FacilityEvent & Record<string, unknown>)
  if (!(await saveFacility(tx, recorded, stored, { ...next, status }))) throw new StaleRow('changed meanwhile')
  await announce(tx, recorded)
  return (await findFacility(tx, id)) ?? next
}

/** Services that bridges have named and no operator has confirmed, oldest first; at most `LIMITS.pageSizeMax`. */
export async function unconfirmedFacilities(tx: Tx): Promise<readonly Facility[]> {
  return findUnconfirmed(tx, LIMITS.pageSizeMax)
}

/** Services that an operator shut out, by themselves or with their bridge, the latest first; at most `LIMITS.pageSizeMax`. */
export async function shutOutFacilities(tx: Tx): Promise<readonly Facility[]> {
  return findShutOut(tx, LIMITS.pageSizeMax)
}

async function activeBridge(tx: Tx, clientId: string): Promise<Bridge | Refusal> {
  const bridge = await bridgeById(tx, clientId)
  return bridge === undefined || bridge.status !== 'active' ? refuse('partners/unknown-bridge') : bridge
}

/** The facility, whatever its status; undefined when nobody has that id. */
export async function facilityById(tx: Tx, id: FacilityId): Promise<Facility | undefined> {
  return findFacility(tx, id)
}

/**
 * The exchange's own patient app as a user of records, registered at its first use and named after the exchange. An operator may revoke
 * it like every other bridge: then patients cannot fetch their own copies.
 */
export async function ownApp(
  tx: Tx,
  needs: { readonly exchange: { readonly id: string; readonly name: string }; readonly publicUrl: string },
): Promise<Facility> {
  const id = ownAppId(needs.exchange)
  const existing = await findFacility(tx, id)
  if (existing !== undefined) return existing
  // The secret is told to nobody: this bridge never logs in.
  must(
    await registerBridge(tx, {
      clientId: id,
      name: `${needs.exchange.name} patient app`,
      url: needs.publicUrl,
      services: [{ id, name: `${needs.exchange.name} patient app`, roles: ['phr'], isActive: true }],
      actor: { kind: 'exchange', id: needs.exchange.id },
    }),
  )
  const registered = await findFacility(tx, id)
  if (registered === undefined) throw new Error('the own patient app is not there though it was registered')
  return registered
}

/** All services of one bridge, inactive ones too. */
export async function facilitiesOfBridge(tx: Tx, clientId: string): Promise<readonly Facility[]> {
  return findFacilitiesOf(tx, clientId)
}

type FacilitySearch = { readonly roles?: readonly Role[]; readonly name?: string; readonly isGovernment?: boolean }

/** The first active facilities by name: by role, part of the name, kind of owner. At most `LIMITS.pageSizeMax`. */
export async function listFacilities(tx: Tx, search: FacilitySearch = {}): Promise<readonly Facility[]> {
  return (await findFacilities(tx, search, { limit: LIMITS.pageSizeMax })).facilities
}

/** A page of active facilities by name; `next` is where the following one begins. */
export function facilitiesByName(
  tx: Tx,
  search: FacilitySearch,
  page: { readonly after?: FacilityId | undefined; readonly limit: number },
): Promise<{ readonly facilities: readonly Facility[]; readonly next?: string }> {
  return findFacilities(tx, search, page)
}

/** A page of all bridges by client id; `next` is where the following one begins. */
export function listBridges(
  tx: Tx,
  page: { readonly after?: string | undefined; readonly limit: number },
): Promise<{ readonly bridges: readonly Bridge[]; readonly next?: string }> {
  return bridgesBehind(tx, page)
}

/** Every bridge of the network. */
export async function allBridges(tx: Tx): Promise<readonly Bridge[]> {
  const all: Bridge[] = []
  let after: string | undefined
  do {
    const { bridges, next } = await listBridges(tx, { after, limit: LIMITS.pageSizeMax })
    all.push(...bridges)
    after = next
  } while (after !== undefined)
  return all
}

/** A bridge, shut out or not; undefined when there is none of that id. */
export async function bridgeById(tx: Tx, clientId: string): Promise<Bridge | undefined> {
  const found = await findBridge(tx, clientId)
  return found && { clientId: found.clientId, name: found.name, url: found.url, status: found.status }
}

import { announce, record } from '../audit/record.ts'
import { StaleRow, type Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { FacilityId } from '../kernel/id.ts'
import { canMove } from '../kernel/moves.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import {
  type Client,
  type ClientCertificates,
  type ClientEvent,
  type ClientKeys,
  isKeyAddress,
  MOVES,
} from './client.ts'
import { clientsBehind, findClient, insertClient, updateClientKeys, updateClientStatus } from './client-store.ts'
import { facilitiesOfBridge } from './commands.ts'
import { parseKeySet } from './key-set.ts'
import { isOwnApp } from './own-app.ts'
import { PARTNER_SCOPES } from './scope.ts'
import { findBridge } from './store.ts'

type Proof = { readonly keys?: ClientKeys; readonly certificates: ClientCertificates }

/** Where software of ours publishes its keys, below its public address. */
export const KEYS_PATH = '/.well-known/jwks.json'

/** Admits software of a partner. Refuses a taken client id, keys that cannot be used, and a client without any. */
export async function registerClient(
  tx: Tx,
  input: Proof & {
    readonly clientId?: string
    readonly name: string
    readonly facilities: readonly FacilityId[]
    readonly scopes: readonly string[]
    readonly bearerAllowed: boolean
    readonly actor: Actor
  },
): Promise<Client | Refusal> {
  const { clientId = `partner-${Buffer.from(tx.random(5)).toString('hex')}`, actor, ...rest } = input
  const fault = faultOfProof(input)
  if (fault) return fault
  // A bridge is known by its client id already; registered here, it has keys of its own in place of those it publishes.
  if (isOwnApp(clientId) || (await findClient(tx, clientId)) !== undefined)
    return refuse('partners/duplicate-client', undefined, 'clientId')
  const recorded = await record(tx, {
    type: 'partners.client-registered',
    actor,
    subject: clientId,
    name: input.name,
    facilities: input.facilities,
    scopes: input.scopes,
    bearerAllowed: input.bearerAllowed,
    ...shownProof(input),
  } satisfies ClientEvent & Record<string, unknown>)
  if (!(await insertClient(tx, recorded, rest))) throw new StaleRow('registered meanwhile')
  await announce(tx, recorded)
  return { ...rest, clientId, status: 'active', tokensFrom: tx.now }
}

/** Other keys or certificates for a client; its tokens are void. */
export async function changeClientKeys(
  tx: Tx,
  input: Proof & { readonly clientId: string; readonly actor: Actor },
): Promise<true | Refusal> {
  const fault = faultOfProof(input)
  if (fault) return fault
  if ((await findClient(tx, input.clientId)) === undefined) return refuse('partners/unknown-client')
  const recorded = await record(tx, {
    type: 'partners.client-keys-changed',
    actor: input.actor,
    subject: input.clientId,
    ...shownProof(input),
  } satisfies ClientEvent & Record<string, unknown>)
  await updateClientKeys(tx, recorded, input)
  await announce(tx, recorded)
  return true
}

/** Shuts a client out, or lets it in again. To be what it is already is fine. */
export async function setClientStatus(
  tx: Tx,
  input: { readonly clientId: string; readonly status: Client['status']; readonly actor: Actor },
): Promise<true | Refusal> {
  const client = await findClient(tx, input.clientId, true)
  if (client === undefined) return refuse('partners/unknown-client')
  if (!canMove(MOVES, client.status, input.status)) return true
  const recorded = await record(tx, {
    type: input.status === 'suspended' ? 'partners.client-suspended' : 'partners.client-resumed',
    actor: input.actor,
    subject: client.clientId,
  } satisfies ClientEvent)
  await updateClientStatus(tx, recorded, client.status, input.status)
  await announce(tx, recorded)
  return true
}

/** A page of all clients by id; `next` is where the following one begins. */
export function listClients(
  tx: Tx,
  page: { readonly after?: string | undefined; readonly limit: number },
): Promise<{ readonly clients: readonly Client[]; readonly next?: string }> {
  return clientsBehind(tx, page)
}

/**
 * A client by its id; undefined when there is none. At an exchange each active bridge is one too: it speaks for its facilities, and
 * signs with the keys that it publishes below its callback address, unless it was registered with others.
 */
export async function clientById(tx: Tx, clientId: string): Promise<Client | undefined> {
  const registered = await findClient(tx, clientId)
  if (registered !== undefined || isOwnApp(clientId)) return registered
  const bridge = await findBridge(tx, clientId)
  if (bridge === undefined || bridge.status !== 'active') return undefined
  const facilities = await facilitiesOfBridge(tx, clientId)
  return {
    clientId,
    name: bridge.name,
    facilities: facilities.filter(({ status }) => status === 'active').map(({ id }) => id),
    scopes: Object.keys(PARTNER_SCOPES),
    keys: { kind: 'published', address: `${bridge.url}${KEYS_PATH}` },
    certificates: { thumbprints: [] },
    bearerAllowed: false,
    status: 'active',
    tokensFrom: bridge.sessionsFrom,
  }
}

function faultOfProof({ keys, certificates }: Proof): Refusal | undefined {
  if (keys === undefined && certificates.thumbprints.length === 0 && certificates.host === undefined)
    return refuse('partners/invalid-keys', 'Name keys (jwks or jwksUri) or certificates of the client.')
  if (keys?.kind === 'published')
    return isKeyAddress(keys.address)
      ? undefined
      : refuse('partners/invalid-keys', 'jwksUri is not an address.', 'jwksUri')
  const read = keys === undefined ? undefined : parseKeySet(keys.jwks)
  return isRefusal(read) ? read : undefined
}

/** What the log says of keys: enough to see later which ones were trusted, and from when. */
function shownProof({ keys, certificates }: Proof): Record<string, unknown> {
  return {
    ...(keys === undefined ? {} : keys.kind === 'published' ? { jwksUri: keys.address } : { jwks: keys.jwks }),
    ...(certificates.thumbprints.length === 0 ? {} : { certificates: certificates.thumbprints }),
    ...(certificates.host === undefined ? {} : { certificateHost: certificates.host }),
  }
}

import { type Selectable, sql } from 'kysely'
import type { Recorded } from '../audit/record.ts'
import type { FacilityTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { type Bridge, type Facility, MOVES, type PartnerEvent, type Role } from './bridge.ts'

export type StoredBridge = Bridge & { readonly secretHash: string; readonly sessionsFrom: Date }

export async function findBridge(tx: Tx, clientId: string): Promise<StoredBridge | undefined> {
  const row = await tx.db.selectFrom('bridge').selectAll().where('client_id', '=', clientId).executeTakeFirst()
  if (row === undefined) return undefined
  return {
    clientId: row.client_id,
    name: row.name,
    url: row.url,
    status: row.status as Bridge['status'],
    secretHash: row.secret_hash,
    sessionsFrom: row.sessions_from,
  }
}

export async function findBridges(tx: Tx): Promise<readonly Bridge[]> {
  const rows = await tx.db
    .selectFrom('bridge')
    .select(['client_id', 'name', 'url', 'status'])
    .orderBy('client_id')
    .execute()
  return rows.map((row) => ({
    clientId: row.client_id,
    name: row.name,
    url: row.url,
    status: row.status as Bridge['status'],
  }))
}

/** False when the client id is taken. */
export async function insertBridge(
  tx: Tx,
  { event }: Recorded<PartnerEvent>,
  bridge: Omit<StoredBridge, 'status' | 'sessionsFrom'>,
): Promise<boolean> {
  const inserted = await tx.db
    .insertInto('bridge')
    .values({
      client_id: event.subject,
      name: bridge.name,
      url: bridge.url,
      secret_hash: bridge.secretHash,
      status: 'active',
      sessions_from: tx.now,
      registered_at: tx.now,
      changed_at: tx.now,
    })
    .onConflict((c) => c.column('client_id').doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

export async function updateBridge(
  tx: Tx,
  { event }: Recorded<PartnerEvent>,
  change: { readonly url?: string; readonly secretHash?: string; readonly status?: 'revoked' },
): Promise<void> {
  if (change.status !== undefined) insistOnMove(MOVES, 'active', change.status, 'bridge')
  const updated = await tx.db
    .updateTable('bridge')
    .set({
      changed_at: tx.now,
      ...(change.url === undefined ? {} : { url: change.url }),
      ...(change.secretHash === undefined ? {} : { secret_hash: change.secretHash, sessions_from: tx.now }),
      ...(change.status === undefined ? {} : { status: change.status, sessions_from: tx.now }),
    })
    .where('client_id', '=', event.subject)
    .where('status', '=', 'active')
    .executeTakeFirst()
  insistOnOne(updated, `bridge ${event.subject}`)
}

type Row = Pick<Selectable<FacilityTable>, 'id' | 'name' | 'roles' | 'status' | 'is_government' | 'facility_types'> & {
  readonly client_id: string
  readonly url: string
  readonly bridge_status: string
}

function facilities(tx: Tx) {
  return tx.db
    .selectFrom('facility')
    .innerJoin('bridge', 'bridge.client_id', 'facility.bridge')
    .select([
      'facility.id',
      'facility.name',
      'facility.roles',
      'facility.status',
      'facility.is_government',
      'facility.facility_types',
    ])
    .select(['bridge.client_id', 'bridge.url', 'bridge.status as bridge_status'])
}

function readFacility(row: Row): Facility {
  return {
    id: row.id as FacilityId,
    name: row.name,
    roles: row.roles as Role[],
    status: row.status === 'active' && row.bridge_status === 'active' ? 'active' : 'inactive',
    isGovernment: row.is_government,
    facilityTypes: row.facility_types,
    bridge: { clientId: row.client_id, url: row.url, status: row.bridge_status === 'active' ? 'active' : 'revoked' },
  }
}

export async function findFacility(tx: Tx, id: FacilityId): Promise<Facility | undefined> {
  const row = await facilities(tx).where('facility.id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : readFacility(row)
}

export async function findFacilitiesOf(tx: Tx, clientId: string): Promise<readonly Facility[]> {
  const rows = await facilities(tx).where('facility.bridge', '=', clientId).orderBy('facility.id').execute()
  return rows.map(readFacility)
}

/** Active facilities with any of `roles`; `name` is searched inside names, any case. */
export async function findFacilities(
  tx: Tx,
  search: { readonly roles?: readonly Role[]; readonly name?: string; readonly isGovernment?: boolean },
  limit: number,
): Promise<readonly Facility[]> {
  let query = facilities(tx).where('facility.status', '=', 'active').where('bridge.status', '=', 'active')
  if (search.roles !== undefined) query = query.where(sql<boolean>`facility.roles && ${[...search.roles]}::text[]`)
  if (search.isGovernment !== undefined) query = query.where('facility.is_government', '=', search.isGovernment)
  if (search.name !== undefined)
    query = query.where('facility.name', 'ilike', `%${search.name.replace(/[\\%_]/g, '\\$&')}%`)
  const rows = await query.orderBy('facility.name').orderBy('facility.id').limit(limit).execute()
  return rows.map(readFacility)
}

export type FacilityEvent = PartnerEvent & {
  readonly subject: FacilityId
  readonly bridge: string
  readonly roles: readonly Role[]
}

/** Adds a facility or changes one of the same bridge; false when it belongs to another bridge. */
export async function saveFacility(
  tx: Tx,
  { event }: Recorded<FacilityEvent>,
  facility: Omit<Facility, 'bridge' | 'id' | 'roles'>,
): Promise<boolean> {
  const changing = {
    name: facility.name,
    roles: [...event.roles],
    status: facility.status,
    is_government: facility.isGovernment,
    facility_types: [...facility.facilityTypes],
    changed_at: tx.now,
  }
  const saved = await tx.db
    .insertInto('facility')
    .values({ id: event.subject, bridge: event.bridge, registered_at: tx.now, ...changing })
    .onConflict((c) => c.column('id').doUpdateSet(changing).where('facility.bridge', '=', event.bridge))
    .executeTakeFirst()
  return saved.numInsertedOrUpdatedRows === 1n
}

export type RefreshToken = {
  readonly clientId: string
  readonly family: Id<'session-family'>
  readonly issuedAt: Date
  readonly expiresAt: Date
  readonly isUsed: boolean
}

export async function insertRefreshToken(
  tx: Tx,
  { event }: Recorded<PartnerEvent>,
  token: { readonly digest: Uint8Array; readonly family: Id<'session-family'>; readonly expiresAt: Date },
): Promise<void> {
  await tx.db
    .insertInto('refresh_token')
    .values({
      digest: token.digest,
      client_id: event.subject,
      family: token.family,
      issued_at: tx.now,
      expires_at: token.expiresAt,
      used_at: null,
    })
    .execute()
}

/** Locks the row: of two uses at the same time, the second sees the first. */
export async function findRefreshToken(tx: Tx, digest: Uint8Array): Promise<RefreshToken | undefined> {
  const row = await tx.db
    .selectFrom('refresh_token')
    .selectAll()
    .where('digest', '=', Buffer.from(digest))
    .forUpdate()
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    clientId: row.client_id,
    family: row.family as Id<'session-family'>,
    issuedAt: row.issued_at,
    expiresAt: row.expires_at,
    isUsed: row.used_at !== null,
  }
}

export async function updateRefreshTokenUsed(
  tx: Tx,
  _recorded: Recorded<PartnerEvent>,
  digest: Uint8Array,
): Promise<void> {
  const updated = await tx.db
    .updateTable('refresh_token')
    .set({ used_at: tx.now })
    .where('digest', '=', Buffer.from(digest))
    .where('used_at', 'is', null)
    .executeTakeFirst()
  insistOnOne(updated, 'refresh token')
}

export async function deleteRefreshFamily(
  tx: Tx,
  _recorded: Recorded<PartnerEvent>,
  family: Id<'session-family'>,
): Promise<void> {
  await tx.db.deleteFrom('refresh_token').where('family', '=', family).execute()
}

/** Tokens that are of no use to anybody any more. */
export async function deleteExpiredRefreshTokens(tx: Tx): Promise<void> {
  await tx.db.deleteFrom('refresh_token').where('expires_at', '<', tx.now).execute()
}

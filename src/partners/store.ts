import { type Selectable, sql } from 'kysely'
import type { Recorded } from '../audit/record.ts'
import { asWritten, eachAsWritten } from '../audit/watch/tampered.ts'
import type { BridgeTable, FacilityTable } from '../db/tables.generated.ts'
import { UNTIED, withTie } from '../db/tie.ts'
import { insistOnOne, StaleRow, type Tx } from '../db/tx.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { firstWith } from '../kernel/list-place.ts'
import { insistOnMove } from '../kernel/moves.ts'
import {
  type Bridge,
  FACILITY_MOVES,
  type Facility,
  type FacilityStatus,
  MOVES,
  type PartnerEvent,
  type Role,
} from './bridge.ts'

export type StoredBridge = Bridge & { readonly secretHash: string; readonly sessionsFrom: Date }

export async function findBridge(tx: Tx, clientId: string): Promise<StoredBridge | undefined> {
  const found = await tx.db.selectFrom('bridge').selectAll().where('client_id', '=', clientId).executeTakeFirst()
  const row = await asWritten(tx, 'bridge', found)
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

/** A page of bridges by client id, from behind one on; `next` is the last one's, when there are more behind it. */
export async function bridgesBehind(
  tx: Tx,
  { after = '', limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<{ readonly bridges: readonly Bridge[]; readonly next?: string }> {
  const rows = await tx.db
    .selectFrom('bridge')
    .selectAll()
    .where('client_id', '>', after)
    .orderBy('client_id')
    // One more than asked for says whether there is more; rows that are not as written are left out of the page, not of the count.
    .limit(limit + 1)
    .execute()
  const bridges = (await eachAsWritten(tx, 'bridge', rows.slice(0, limit))).map((row) => ({
    clientId: row.client_id,
    name: row.name,
    url: row.url,
    status: row.status as Bridge['status'],
    // Nothing of a bridge that is shut out changes any more.
    ...(row.status === 'active' ? {} : { shutOutAt: row.changed_at }),
  }))
  const last = rows[limit - 1]
  return { bridges, ...(last === undefined || rows.length <= limit ? {} : { next: last.client_id }) }
}

/** False when the client id is taken. */
export async function insertBridge(
  tx: Tx,
  { event }: Recorded<PartnerEvent>,
  bridge: Omit<StoredBridge, 'status' | 'sessionsFrom'>,
): Promise<boolean> {
  const inserted = await tx.db
    .insertInto('bridge')
    .values(
      withTie('bridge', {
        client_id: event.subject,
        name: bridge.name,
        url: bridge.url,
        secret_hash: bridge.secretHash,
        status: 'active',
        sessions_from: tx.now,
        registered_at: tx.now,
        changed_at: tx.now,
      }),
    )
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
  const locked = await tx.db
    .selectFrom('bridge')
    .selectAll()
    .where('client_id', '=', event.subject)
    .where('status', '=', 'active')
    .forUpdate()
    .executeTakeFirst()
  // A new tie would hide what somebody changed in the database.
  const row = await asWritten(tx, 'bridge', locked)
  if (row === undefined) throw new StaleRow(`bridge ${event.subject}`)
  const updated = await tx.db
    .updateTable('bridge')
    .set(
      withTie('bridge', {
        ...row,
        changed_at: tx.now,
        ...(change.url === undefined ? {} : { url: change.url }),
        ...(change.secretHash === undefined ? {} : { secret_hash: change.secretHash, sessions_from: tx.now }),
        ...(change.status === undefined ? {} : { status: change.status, sessions_from: tx.now }),
      }),
    )
    .where('client_id', '=', event.subject)
    .executeTakeFirst()
  insistOnOne(updated, `bridge ${event.subject}`)
}

type BridgeRow = Selectable<BridgeTable>
type FacilityRow = Selectable<FacilityTable>
/** A facility beside its bridge, whose columns have other names there. */
type Row = FacilityRow & { readonly [Column in keyof BridgeRow as `bridge_${Column}`]: BridgeRow[Column] }

function facilities(tx: Tx) {
  return tx.db
    .selectFrom('facility')
    .innerJoin('bridge', 'bridge.client_id', 'facility.bridge')
    .selectAll('facility')
    .select([
      'bridge.client_id as bridge_client_id',
      'bridge.name as bridge_name',
      'bridge.url as bridge_url',
      'bridge.secret_hash as bridge_secret_hash',
      'bridge.status as bridge_status',
      'bridge.sessions_from as bridge_sessions_from',
      'bridge.registered_at as bridge_registered_at',
      'bridge.changed_at as bridge_changed_at',
      'bridge.tie as bridge_tie',
    ])
}

const bridgeIn = (row: Row): BridgeRow => ({
  client_id: row.bridge_client_id,
  name: row.bridge_name,
  url: row.bridge_url,
  secret_hash: row.bridge_secret_hash,
  status: row.bridge_status,
  sessions_from: row.bridge_sessions_from,
  registered_at: row.bridge_registered_at,
  changed_at: row.bridge_changed_at,
  tie: row.bridge_tie,
})

/** A facility counts when its own row and that of its bridge are as this program wrote them. */
async function readFacilities(tx: Tx, rows: readonly Row[]): Promise<readonly Facility[]> {
  const read: Facility[] = []
  for (const row of await eachAsWritten(tx, 'facility', rows)) {
    const bridge = await asWritten(tx, 'bridge', bridgeIn(row))
    if (bridge !== undefined) read.push(readFacility(row, bridge))
  }
  return read
}

function readFacility(row: FacilityRow, bridge: BridgeRow): Facility {
  const standing = standingOf(row.status as FacilityStatus, bridge.status)
  const shutOutAt = row.status === 'shut-out' ? row.changed_at : bridge.changed_at
  return {
    id: row.id as FacilityId,
    name: row.name,
    roles: row.roles as Role[],
    status: TAKES_PART.includes(row.status) && bridge.status === 'active' ? 'active' : 'inactive',
    standing,
    ...(standing === 'shut-out' ? { shutOutAt } : {}),
    isGovernment: row.is_government,
    facilityTypes: row.facility_types,
    bridge: {
      clientId: bridge.client_id,
      url: bridge.url,
      status: bridge.status === 'active' ? 'active' : 'revoked',
    },
  }
}

/** Of a facility, when its bridge is active. */
export const TAKES_PART: readonly string[] = ['active', 'trial'] satisfies FacilityStatus[]

function standingOf(status: FacilityStatus, bridge: string): Facility['standing'] {
  if (status === 'shut-out' || bridge !== 'active') return 'shut-out'
  return status === 'unconfirmed' || status === 'trial' ? 'unconfirmed' : 'confirmed'
}

export async function findFacility(tx: Tx, id: FacilityId): Promise<Facility | undefined> {
  const [facility] = await readFacilities(tx, await facilities(tx).where('facility.id', '=', id).execute())
  return facility
}

/** A facility as it is stored, locked; `changed` when somebody changed its row in the database. */
export async function lockFacility(
  tx: Tx,
  id: FacilityId,
): Promise<{ readonly status: FacilityStatus; readonly bridge: string } | 'changed' | undefined> {
  const found = await tx.db.selectFrom('facility').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
  if (found === undefined) return undefined
  const row = await asWritten(tx, 'facility', found)
  return row === undefined ? 'changed' : { status: row.status as FacilityStatus, bridge: row.bridge }
}

/** Services that bridges have named and no operator has confirmed, oldest first. */
export async function findUnconfirmed(tx: Tx, limit: number): Promise<readonly Facility[]> {
  const rows = await facilities(tx)
    .where('facility.status', 'in', ['unconfirmed', 'trial'])
    .orderBy('facility.registered_at')
    .orderBy('facility.id')
    .limit(limit)
    .execute()
  return readFacilities(tx, rows)
}

/** Services that are shut out, by themselves or with their bridge, the latest first. */
export async function findShutOut(tx: Tx, limit: number): Promise<readonly Facility[]> {
  const rows = await facilities(tx)
    .where((eb) => eb.or([eb('facility.status', '=', 'shut-out'), eb('bridge.status', '<>', 'active')]))
    .orderBy(sql`case facility.status when 'shut-out' then facility.changed_at else bridge.changed_at end`, 'desc')
    .orderBy('facility.id')
    .limit(limit)
    .execute()
  return readFacilities(tx, rows)
}

/** Services that take part on the word of a bridge alone, at most `limit` beyond `after`. */
export async function findOnTrial(
  tx: Tx,
  after: FacilityId | undefined,
  limit: number,
): Promise<readonly FacilityId[]> {
  const rows = await tx.db
    .selectFrom('facility')
    .select('id')
    .where('status', '=', 'trial')
    .where('id', '>', after ?? '')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id as FacilityId)
}

export async function findFacilitiesOf(tx: Tx, clientId: string): Promise<readonly Facility[]> {
  return readFacilities(
    tx,
    await facilities(tx).where('facility.bridge', '=', clientId).orderBy('facility.id').execute(),
  )
}

/** A page of active facilities by name, behind one; with any of `roles`; `name` is searched inside names, any case. */
export async function findFacilities(
  tx: Tx,
  search: { readonly roles?: readonly Role[]; readonly name?: string; readonly isGovernment?: boolean },
  { after, limit }: { readonly after?: FacilityId | undefined; readonly limit: number },
): Promise<{ readonly facilities: readonly Facility[]; readonly next?: string }> {
  let query = facilities(tx)
    .where('facility.status', 'in', [...TAKES_PART])
    .where('bridge.status', '=', 'active')
  if (search.roles !== undefined) query = query.where(sql<boolean>`facility.roles && ${[...search.roles]}::text[]`)
  if (search.isGovernment !== undefined) query = query.where('facility.is_government', '=', search.isGovernment)
  if (search.name !== undefined)
    query = query.where('facility.name', 'ilike', `%${search.name.replace(/[\\%_]/g, '\\$&')}%`)
  if (after !== undefined)
    query = query.where(
      sql<boolean>`(facility.name, facility.id) > (select name, id from facility where id = ${after})`,
    )
  const rows = await query
    .orderBy('facility.name')
    .orderBy('facility.id')
    .limit(limit + 1)
    .execute()
  const { items, ...more } = firstWith(rows, limit, ({ id }) => id)
  return { facilities: await readFacilities(tx, items), ...more }
}

export type FacilityEvent = PartnerEvent & {
  readonly subject: FacilityId
  readonly bridge: string
  readonly roles: readonly Role[]
}

/**
 * Adds a facility, or changes one that stands as `before`, maybe under another bridge; the caller holds its lock. False when somebody else
 * added it meanwhile.
 */
export async function saveFacility(
  tx: Tx,
  { event }: Recorded<FacilityEvent>,
  before: { readonly status: FacilityStatus; readonly bridge: string } | undefined,
  facility: Pick<Facility, 'name' | 'isGovernment' | 'facilityTypes'> & { readonly status: FacilityStatus },
): Promise<boolean> {
  if (before !== undefined && before.status !== facility.status)
    insistOnMove(FACILITY_MOVES, before.status, facility.status, 'facility')
  const row = withTie('facility', {
    id: event.subject,
    bridge: event.bridge,
    name: facility.name,
    roles: [...event.roles],
    status: facility.status,
    is_government: facility.isGovernment,
    facility_types: [...facility.facilityTypes],
    changed_at: tx.now,
  })
  const { id, ...changing } = row
  const saved = await tx.db
    .insertInto('facility')
    .values({ id, registered_at: tx.now, ...changing })
    .onConflict((c) =>
      c
        .column('id')
        .doUpdateSet(changing)
        .where('facility.bridge', '=', before?.bridge ?? event.bridge)
        .where('facility.status', '=', before?.status ?? ''),
    )
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
    .values(
      withTie('refresh_token', {
        digest: token.digest,
        client_id: event.subject,
        family: token.family,
        issued_at: tx.now,
        expires_at: token.expiresAt,
        used_at: null,
      }),
    )
    .execute()
}

/** Locks the row: of two uses at the same time, the second sees the first. */
export async function findRefreshToken(tx: Tx, digest: Uint8Array): Promise<RefreshToken | undefined> {
  const found = await tx.db
    .selectFrom('refresh_token')
    .selectAll()
    .where('digest', '=', Buffer.from(digest))
    .forUpdate()
    .executeTakeFirst()
  // One that was used has no tie any more, and is good for nothing but to end its family.
  const row = found?.used_at === null ? await asWritten(tx, 'refresh_token', found) : found
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
    .set({ used_at: tx.now, tie: UNTIED })
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

import { CompiledQuery, type Kysely, sql } from 'kysely'
import type { Hash, Range } from '../crypto/merkle.ts'
import { decodeBundle, encodeBundle, hashesOver, type Tile, tilesOver, widthAt } from '../crypto/tiles.ts'
import { posted } from '../db/pipelined-client.ts'
import type { Tables } from '../db/tables.generated.ts'
import type { Tx } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import { type Bucket, bucketOfId, type Id } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import type { Growth } from './growth.ts'

type Db = Kysely<Tables>

/** Any fixed number: what sequencers of one database wait for. One tree grows at one end. */
const SEQUENCER_LOCK = 4_262_027
/** How many of the newest cosignatures are looked at for the best checkpoint. */
const COSIGNATURES_LATELY = 64
/** Sorts behind every id. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** The log's own tables disagree with each other: bytes were changed or rows are gone. Nothing is signed over that. */
export class LogDamaged extends Error {
  override readonly name = 'LogDamaged'
}

export type NewEvent = {
  readonly bucket: Bucket
  readonly id: Id<'event'>
  readonly at: Date
  readonly type: string
  readonly actorKind: string
  readonly patientTag: Uint8Array | null
  readonly body: Uint8Array
  readonly commitment: Uint8Array
}

// These stand in every transaction that changes anything: both rows in one round trip, and no builder that writes the same text again.
const INSERT = posted(`with stored as (
    insert into audit_event (bucket, id, at, type, actor_kind, patient_tag, body) values ($1, $2, $3, $4, $5, $6, $7)
  )
  insert into log_queue (event, commitment) values ($2, $8)`)
const INSERT_UNDER_KEY = `with known as (
    select 1 from data_key where bucket = $1 and patient = $9 and scope = 'patient' and wrapped = $10
  ), stored as (
    insert into audit_event (bucket, id, at, type, actor_kind, patient_tag, body)
    select $1::smallint, $2::uuid, $3::timestamptz, $4, $5, $6::bytea, $7::bytea from known returning id
  )
  insert into log_queue (event, commitment) select id, $8::bytea from stored`

const valuesOf = ({ bucket, id, at, type, actorKind, patientTag, body, commitment }: NewEvent): readonly unknown[] => [
  bucket,
  id,
  at,
  type,
  actorKind,
  patientTag,
  body,
  commitment,
]

/** Stores an event and queues it for the tree. */
export async function insertEvent(tx: Tx, event: NewEvent): Promise<void> {
  await tx.db.executeQuery(CompiledQuery.raw(INSERT, [...valuesOf(event)]))
}

/** {@link insertEvent}, if the patient's key still is the one that is stored as `wrapped`; false, and nothing stored, if it is not. */
export async function insertEventUnderKey(
  tx: Tx,
  event: NewEvent,
  patient: string,
  wrapped: Uint8Array,
): Promise<boolean> {
  const query = CompiledQuery.raw(INSERT_UNDER_KEY, [...valuesOf(event), pseudonym(patient), wrapped])
  return (await tx.db.executeQuery(query)).numAffectedRows === 1n
}

export type EventRow = {
  readonly id: Id<'event'>
  /** As its column says; what was recorded stands in the body. */
  readonly type: string
  readonly patientTag: Uint8Array | null
  readonly body: Uint8Array
}

/** The row of one event. */
export async function findEvent(db: Db, id: Id<'event'>): Promise<EventRow | undefined> {
  const row = await db
    .selectFrom('audit_event')
    .select(['id', 'type', 'patient_tag', 'body'])
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .executeTakeFirst()
  return row && toEventRow(row)
}

export type EventFilter = {
  /** Only these types; all when absent. */
  readonly types?: readonly string[]
  /** Only events before this one (newest come first): the next page. */
  readonly before?: Id<'event'>
  /** Never these. */
  readonly except?: readonly Id<'event'>[]
  readonly limit: number
}

/** Rows about one patient, newest first. */
export async function findEventsAbout(
  db: Db,
  bucket: Bucket,
  patientTag: Uint8Array,
  filter: EventFilter,
): Promise<readonly EventRow[]> {
  let query = db
    .selectFrom('audit_event')
    .select(['id', 'type', 'patient_tag', 'body'])
    .where('bucket', '=', bucket)
    .where('patient_tag', '=', Buffer.from(patientTag))
    .orderBy('id', 'desc')
    .limit(filter.limit)
  if (filter.types) query = query.where('type', 'in', [...filter.types])
  if (filter.before) query = query.where('id', '<', filter.before)
  if (filter.except?.length) query = query.where('id', 'not in', [...filter.except])
  return (await query.execute()).map(toEventRow)
}

/** Rows about nobody, newest first, in all buckets: they are spread over them by chance. */
export async function findEventsOfNobody(db: Db, filter: EventFilter): Promise<readonly EventRow[]> {
  const { rows } = await sql<{ id: string; type: string; patient_tag: null; body: Buffer }>`
    /* all buckets: events about nobody are spread by chance */
    select id, type, patient_tag, body from audit_event where patient_tag is null and id < ${filter.before ?? LAST_ID}
    order by id desc limit ${filter.limit}`.execute(db)
  return rows.map(toEventRow)
}

function toEventRow(row: { id: string; type: string; patient_tag: Buffer | null; body: Buffer }): EventRow {
  return { id: row.id as Id<'event'>, type: row.type, patientTag: row.patient_tag, body: row.body }
}

/** Makes every other sequencer of this database wait until this transaction ends. */
export async function lockSequencer(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(${SEQUENCER_LOCK})`.execute(tx.db)
}

export async function isQueueEmpty(db: Db): Promise<boolean> {
  return (await db.selectFrom('log_queue').select('seq').limit(1).executeTakeFirst()) === undefined
}

/** When the oldest entry that waits was recorded (its id is a UUIDv7, RFC 9562 §5.7); undefined when none waits. */
export async function oldestQueued(db: Db): Promise<Date | undefined> {
  const row = await db.selectFrom('log_queue').select('event').orderBy('seq').limit(1).executeTakeFirst()
  return row && new Date(Number.parseInt(row.event.replaceAll('-', '').slice(0, 12), 16))
}

/** When the newest checkpoint was signed; undefined while the log is empty. */
export async function latestCheckpointTime(db: Db): Promise<Date | undefined> {
  const row = await db
    .selectFrom('log_checkpoint')
    .select('signed_at')
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.signed_at
}

export type QueuedEntry = { readonly event: string; readonly commitment: Uint8Array }

/**
 * Takes the oldest committed entries off the queue. `seq` only orders them: transactions that commit late are taken late, none is
 * skipped, since what was taken is deleted rather than remembered as "up to here".
 */
export async function takeQueued(tx: Tx, limit: number): Promise<readonly QueuedEntry[]> {
  const rows = await tx.db
    .deleteFrom('log_queue')
    .where('seq', 'in', (q) => q.selectFrom('log_queue').select('seq').orderBy('seq').limit(limit))
    .returning(['seq', 'event', 'commitment'])
    .execute()
  return rows.toSorted((a, b) => a.seq - b.seq)
}

export type StoredCheckpoint = {
  readonly size: number
  readonly root: Uint8Array
  /** Signed by us alone. */
  readonly note: string
  /** Signature lines of witnesses, each with its newline. */
  readonly cosignatures: readonly string[]
}

/** The newest checkpoint; undefined while the log is empty. */
export async function latestCheckpoint(db: Db): Promise<StoredCheckpoint | undefined> {
  const row = await db.selectFrom('log_checkpoint').selectAll().orderBy('size', 'desc').limit(1).executeTakeFirst()
  return row && withCosignatures(db, row)
}

/**
 * Among the checkpoints that have leaf `index`: of those cosigned lately one whose witnesses are enough, else the one that most
 * witnesses signed, else the newest. Undefined when none has the leaf.
 */
export async function bestCheckpoint(
  db: Db,
  index: number,
  isEnough: (witnesses: readonly string[]) => boolean,
): Promise<StoredCheckpoint | undefined> {
  const lately = await db
    .selectFrom('log_cosignature')
    .select(['size', 'witness'])
    .where('size', '>', index)
    .orderBy('size', 'desc')
    .limit(COSIGNATURES_LATELY)
    .execute()
  const by = new Map<number, string[]>()
  for (const { size, witness } of lately) by.set(size, [...(by.get(size) ?? []), witness])
  // Newest first, and sorting keeps that order among equals.
  const ranked = [...by].toSorted(([, a], [, b]) => Number(isEnough(b)) - Number(isEnough(a)) || b.length - a.length)
  const [best] = ranked
  if (best) {
    const row = await db.selectFrom('log_checkpoint').selectAll().where('size', '=', best[0]).executeTakeFirstOrThrow()
    return withCosignatures(db, row)
  }
  const latest = await latestCheckpoint(db)
  return latest && latest.size > index ? latest : undefined
}

async function withCosignatures(
  db: Db,
  { size, root, note }: { size: number; root: Uint8Array; note: string },
): Promise<StoredCheckpoint> {
  const lines = await db
    .selectFrom('log_cosignature')
    .select('line')
    .where('size', '=', size)
    .orderBy('witness')
    .execute()
  return { size, root, note, cosignatures: lines.map(({ line }) => line) }
}

/** Reads the stored bytes of a tile or bundle, as wide as they are; undefined when there is none. */
export async function findTile(db: Db, level: Tile['level'], index: number): Promise<Uint8Array | undefined> {
  if (level === 'entries') {
    const row = await db.selectFrom('log_bundle').select('entries').where('bundle_index', '=', index).executeTakeFirst()
    return row?.entries
  }
  const row = await db
    .selectFrom('log_tile')
    .select('hashes')
    .where('level', '=', level)
    .where('tile_index', '=', index)
    .executeTakeFirst()
  return row?.hashes
}

/** Reads exactly `tile.width` members: a narrower tile is the beginning of the stored one. */
export async function readTile(db: Db, tile: Tile): Promise<Uint8Array> {
  return insistOnTile(await findTile(db, tile.level, tile.index), tile)
}

function insistOnTile(bytes: Uint8Array | undefined, tile: Tile): Uint8Array {
  const cut = bytes && cutTile(bytes, tile)
  if (cut === undefined) throw new LogDamaged(`the tile ${tile.level}/${tile.index} is gone or too short`)
  return cut
}

/** The hashes over `ranges` of our tree of `size` leaves, with one query. */
export async function hashesFromTiles(db: Db, ranges: readonly Range[], size: number): Promise<Hash[]> {
  const tiles = tilesOver(ranges, size)
  if (tiles.length === 0) return hashesOver(ranges, size, (tile) => readTile(db, tile))
  const places = tiles.map(({ level, index }) => sql`(${level}::smallint, ${index}::bigint)`)
  const rows = await db
    .selectFrom('log_tile')
    .selectAll()
    .where(sql<boolean>`(level, tile_index) in (${sql.join(places)})`)
    .execute()
  return hashesOver(ranges, size, async (tile) => {
    const row = rows.find(({ level, tile_index }) => level === tile.level && tile_index === tile.index)
    return insistOnTile(row?.hashes, tile)
  })
}

function cutTile(bytes: Uint8Array, { level, width }: Tile): Uint8Array | undefined {
  if (level !== 'entries') return bytes.length < width * 32 ? undefined : bytes.subarray(0, width * 32)
  const entries = must(decodeBundle(bytes))
  return entries.length < width ? undefined : encodeBundle(entries.slice(0, width))
}

/** Stores what a growth changed, which leaves stand for which events, and the checkpoint over all that. */
export async function saveGrowth(tx: Tx, growth: Growth, events: readonly string[], note: string): Promise<void> {
  const first = growth.size - events.length
  await sql`insert into log_leaf (leaf_index, event) select ${first}::bigint + place - 1, event
    from unnest(${[...events]}::uuid[]) with ordinality as new (event, place)`.execute(tx.db)
  for (const { level, index, bytes } of growth.changed) {
    if (level === 'entries') {
      await tx.db
        .insertInto('log_bundle')
        .values({ bundle_index: index, entries: bytes })
        .onConflict((c) => c.column('bundle_index').doUpdateSet({ entries: bytes }))
        .execute()
    } else {
      await tx.db
        .insertInto('log_tile')
        .values({ level, tile_index: index, hashes: bytes })
        .onConflict((c) => c.columns(['level', 'tile_index']).doUpdateSet({ hashes: bytes }))
        .execute()
    }
  }
  const { size, root } = growth
  await tx.db.insertInto('log_checkpoint').values({ size, root, note, signed_at: tx.now }).execute()
}

/** Where an event's leaf is; undefined while it waits. */
export async function findLeafIndex(db: Db, event: Id<'event'>): Promise<number | undefined> {
  const row = await db.selectFrom('log_leaf').select('leaf_index').where('event', '=', event).executeTakeFirst()
  return row?.leaf_index
}

/** Events of a stretch of leaves, in order. */
export async function findLeaves(
  db: Db,
  start: number,
  end: number,
): Promise<readonly { index: number; event: Id<'event'> }[]> {
  const rows = await db
    .selectFrom('log_leaf')
    .selectAll()
    .where('leaf_index', '>=', start)
    .where('leaf_index', '<', end)
    .orderBy('leaf_index')
    .execute()
  return rows.map((row) => ({ index: row.leaf_index, event: row.event as Id<'event'> }))
}

/** Whether the tree of `size` leaves has the whole tile. */
export function hasTile(tile: Tile, size: number): boolean {
  return widthAt(tile.level, tile.index, size) >= tile.width
}

/** Notes that an event's row is wrong. False when that was known. */
export async function insertRowFault(tx: Tx, event: Id<'event'>, what: string): Promise<boolean> {
  const inserted = await tx.db
    .insertInto('log_row_fault')
    .values({ event, what, found_at: tx.now })
    .onConflict((c) => c.column('event').doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

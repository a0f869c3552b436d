import pg from 'pg'
import { z } from 'zod'
import { messageOf } from '../db/embedded-fault.ts'
import { type Lsn, parseLsn } from './lsn.ts'
import { RecoveryFault } from './recovery-fault.ts'

/** How long one try waits for transactions under way, and how often it is tried. Writers wait no longer than that. */
const LOCK_TIMEOUT_MS = 2_000
const TRIES_MAX = 10
const LOCK_NOT_AVAILABLE = '55P03'
const DEADLOCK = '40P01'

const tableCounts = z.record(z.string(), z.number())
export const censusSchema = z.object({
  databases: z.array(
    z.object({
      name: z.string(),
      migrations: z.array(z.string()),
      counts: tableCounts,
      log: z.object({ origin: z.string(), size: z.number(), root: z.string() }).nullable(),
      lastEventAt: z.string().nullable(),
    }),
  ),
})

/** What stood in each database at one moment: restored to that moment, it must stand there again. */
export type Census = z.output<typeof censusSchema>
export type DatabaseCensus = Census['databases'][number]

export type CensusPlace = {
  readonly census: Census
  /** Where in the WAL that moment is, and how far WAL is needed to come to it. */
  readonly at: Lsn
  readonly needed: Lsn
}

/** A database by its name and where it is reached. */
export type DatabaseAddress = { readonly name: string; readonly url: string }

/**
 * Counts every table of the databases as of one moment, and tells its place in the WAL. For that moment all writers wait (milliseconds:
 * a shared lock on every table, a snapshot, a mark in the WAL); the counting itself reads the snapshots and holds up nobody.
 * @throws RecoveryFault `server_refused` when transactions under way leave no such moment
 */
export async function takeCensus(databases: readonly DatabaseAddress[]): Promise<CensusPlace> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryCensus(databases)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK) throw error
      if (attempt >= TRIES_MAX)
        throw new RecoveryFault(
          'server_refused',
          `The tables could not be counted: a transaction held one for a long time (${messageOf(error)}). Try again when it has ended.`,
        )
    }
  }
}

async function tryCensus(databases: readonly DatabaseAddress[]): Promise<CensusPlace> {
  const clients: pg.Client[] = []
  const open = async (url: string): Promise<pg.Client> => {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'amanat backup',
      lock_timeout: LOCK_TIMEOUT_MS,
    })
    client.on('error', () => {}) // a lost connection rejects the running query too
    await client.connect()
    clients.push(client)
    return client
  }
  try {
    const lockers: pg.Client[] = []
    const readers: { readonly name: string; readonly client: pg.Client }[] = []
    for (const { name, url } of databases) {
      readers.push({ name, client: await open(url) })
      lockers.push(await open(url))
    }
    for (const locker of lockers) await lockTables(locker)
    for (const { client } of readers) {
      await client.query('begin isolation level repeatable read read only')
      await client.query('select 1') // the snapshot is taken here
    }
    const mark = lockers[0]
    if (mark === undefined) throw new RangeError('a census needs a database')
    const at = await readLsn(mark)
    await mark.query(`select pg_logical_emit_message(true, 'amanat', 'census')`)
    for (const locker of lockers) await locker.query('commit')
    const needed = await readLsn(mark)
    const counted = await Promise.all(readers.map(({ name, client }) => countDatabase(name, client)))
    return { census: { databases: counted }, at, needed }
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})))
  }
}

async function lockTables(client: pg.Client): Promise<void> {
  await client.query('begin')
  const tables = await tablesOf(client)
  if (tables.length > 0) await client.query(`lock table ${tables.map(pg.escapeIdentifier).join(', ')} in share mode`)
}

/** Tables of the schema `public`, by name. */
async function tablesOf(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname collate "C"`,
  )
  return rows.map(({ name }) => name)
}

async function readLsn(client: pg.Client): Promise<Lsn> {
  const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
  return parseLsn(String(rows[0]?.lsn))
}

/** Counts one database in whatever transaction `client` is in. */
export async function countDatabase(name: string, client: pg.Client): Promise<DatabaseCensus> {
  const tables = await tablesOf(client)
  const counts: Record<string, number> = {}
  for (const table of tables) {
    const { rows } = await client.query<{ count: string }>(
      `select count(*) as count from ${pg.escapeIdentifier(table)}`,
    )
    counts[table] = Number(rows[0]?.count)
  }
  const has = (table: string): boolean => tables.includes(table)
  return {
    name,
    counts,
    migrations: has('schema_migrations') ? await migrationsOf(client) : [],
    log: has('log_checkpoint') ? await logOf(client) : null,
    lastEventAt: has('audit_event') ? await lastEventOf(client) : null,
  }
}

async function migrationsOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>('select name from schema_migrations order by number')
  return rows.map((row) => row.name)
}

async function logOf(client: pg.Client): Promise<DatabaseCensus['log']> {
  const { rows } = await client.query<{ size: string; root: Buffer; note: string }>(
    'select size, root, note from log_checkpoint order by size desc limit 1',
  )
  const [row] = rows
  if (row === undefined) return null
  return { origin: row.note.split('\n')[0] ?? '', size: Number(row.size), root: row.root.toString('base64') }
}

async function lastEventOf(client: pg.Client): Promise<string | null> {
  const { rows } = await client.query<{ at: Date | null }>('select max(at) as at from audit_event')
  return rows[0]?.at?.toISOString() ?? null
}

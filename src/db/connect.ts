import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { bucketGuardedDialect } from './bucket-guard.ts'
import { DatabaseFault, unreachable } from './database-fault.ts'
import { pipelinedClient } from './pipelined-client.ts'
import { preparedClient } from './prepared-client.ts'
import type { Tables } from './tables.generated.ts'
import { typesFor } from './value-types.ts'
import type { Veil } from './veil.ts'
import { veiledClient } from './veiled-client.ts'

const SERVER_VERSION_MIN = 150_000
const STATEMENT_TIMEOUT_MS = 30_000
const CONNECT_TIMEOUT_MS = 10_000
const IDLE_TIMEOUT_MS = 30_000
const CLOSE_TIMEOUT_MS = 5_000
const POOL_MAX_DEFAULT = 10

/** An open database. */
export type Connection = {
  db: Kysely<Tables>
  pool: pg.Pool
  /** Waits for running queries, then closes all connections. May be called twice. */
  close: () => Promise<void>
}

type Options = {
  connectionString: string
  /** Between the program and this database, on every way in and out. */
  veil: Veil
  poolMax?: number
  /** Shown in `pg_stat_activity`, so that an operator sees whose connections these are. */
  applicationName?: string
  /** Told of connections that break while nobody uses them (the server restarted, the network went away). */
  onError: (error: Error) => void
  /** In tests and development: throws when a query touches a by-patient table without its bucket. */
  guardBuckets?: boolean
}

/**
 * Opens a pool and its query builder, and makes sure that the server is there and new enough (PostgreSQL 15).
 * @throws DatabaseFault `unreachable`, `server_too_old`
 */
export async function connect(options: Options): Promise<Connection> {
  const pool = new pg.Pool({
    Client: pipelinedClient(preparedClient(veiledClient(options.veil))),
    connectionString: options.connectionString,
    max: options.poolMax ?? POOL_MAX_DEFAULT,
    application_name: options.applicationName ?? 'amanat',
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    types: typesFor(options.veil),
  })
  const open = new Set<pg.PoolClient>()
  pool.on('connect', (client) => {
    open.add(client)
    // Of one in use its statement tells; without a listener the whole program would end with the connection.
    client.on('error', () => undefined)
    client.once('end', () => open.delete(client))
  })
  // What a server that stops after us still says to a closing connection is no news.
  pool.on('error', (error) => {
    if (!pool.ending) options.onError(error)
  })
  try {
    await checkServer(pool)
  } catch (error) {
    await pool.end()
    throw error
  }
  const dialect = options.guardBuckets === true ? bucketGuardedDialect({ pool }) : new PostgresDialect({ pool })
  const db = new Kysely<Tables>({ dialect })
  let closing: Promise<void> | undefined
  const close = async () => {
    await db.destroy()
    if (!pool.ending) await pool.end() // Kysely ends the pool only when it was used
    await allEnded(open)
  }
  return { db, pool, close: () => (closing ??= close()) }
}

/** The pool forgets connections before they are closed: a database can be dropped or its server stopped only after that. */
async function allEnded(open: ReadonlySet<pg.PoolClient>): Promise<void> {
  const all = Promise.all([...open].map((client) => new Promise((resolve) => client.once('end', resolve))))
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise((resolve) => {
    timer = setTimeout(resolve, CLOSE_TIMEOUT_MS)
  })
  await Promise.race([all, enough])
  clearTimeout(timer)
}

async function checkServer(pool: pg.Pool): Promise<void> {
  let version: number
  try {
    const { rows } = await pool.query<{ version: string }>(`select current_setting('server_version_num') as version`)
    version = Number(rows[0]?.version)
  } catch (error) {
    throw unreachable(error)
  }
  requireVersion(version)
}

/** @throws DatabaseFault `server_too_old` for a `server_version_num` below 15 */
export function requireVersion(version: number): void {
  if (version >= SERVER_VERSION_MIN) return
  throw new DatabaseFault(
    'server_too_old',
    `The database server is PostgreSQL ${Math.floor(version / 10_000)}; Amanat needs version 15 or newer. Upgrade it, or unset DATABASE_URL to use the embedded one.`,
  )
}

import type { Pool, PoolClient } from 'pg'
import { DatabaseFault, unreachable } from './database-fault.ts'
import { messageOf } from './embedded-fault.ts'
import { MIGRATIONS_FOLDER, type Migration, readMigrations } from './migration-files.ts'

/** Any fixed number: what migrating processes of one database wait for. */
const ADVISORY_LOCK = 4_262_026

type Applied = { number: number; name: string; checksum: string }

/**
 * Brings a database up to date: runs the files `NNNN_name.sql` that it has not seen, each in a transaction of its own. Several
 * processes may call it at once. Returns the names of what it ran.
 * @throws DatabaseFault `migration_misnamed`, `migration_changed`, `migration_failed`, `database_newer`
 */
export async function migrate(pool: Pool, folder = MIGRATIONS_FOLDER): Promise<string[]> {
  const migrations = readMigrations(folder)
  return alone(pool, (client) => runPending(client, migrations))
}

/**
 * Takes a database back to `number`: undoes what it has seen above that, newest first, each in a transaction of its own. Nothing is
 * undone unless all of it can be. Returns the names of what it undid.
 * @throws DatabaseFault `migration_irreversible`, and those of {@link migrate}
 */
export async function migrateDown(pool: Pool, number: number, folder = MIGRATIONS_FOLDER): Promise<string[]> {
  const migrations = readMigrations(folder)
  return alone(pool, async (client) => {
    const applied = await readApplied(client)
    checkHistory(applied, migrations)
    const seen = new Set(applied.map((row) => row.number))
    const undone = migrations.filter((each) => each.number > number && seen.has(each.number)).toReversed()
    for (const { name, down } of undone) {
      if (down.kind === 'irreversible')
        throw new DatabaseFault('migration_irreversible', `Migration ${name} cannot be undone: ${down.why}.`)
    }
    for (const migration of undone) await undoOne(client, migration)
    return undone.map(({ name }) => name)
  })
}

/** What a database has seen, what it has not, and what this program does not know. */
export type MigrationStatus = {
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  readonly unknown: readonly string[]
}

/** Reads {@link MigrationStatus}; changes nothing but the table of migrations where there is none yet. */
export async function migrationStatus(pool: Pool, folder = MIGRATIONS_FOLDER): Promise<MigrationStatus> {
  const migrations = readMigrations(folder)
  return alone(pool, async (client) => {
    const applied = await readApplied(client)
    const known = new Set(migrations.map(({ number }) => number))
    const seen = new Set(applied.map((row) => row.number))
    return {
      applied: applied.map(({ name }) => name),
      pending: migrations.filter((each) => !seen.has(each.number)).map(({ name }) => name),
      unknown: applied.filter((row) => !known.has(row.number)).map(({ name }) => name),
    }
  })
}

async function alone<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw unreachable(error)
  })
  try {
    // Others may migrate for longer than a usual statement may take.
    await client.query('set statement_timeout = 0')
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCK])
    return await work(client)
  } catch (error) {
    if (!isNotOwner(error)) throw error
    const message = `The database does not let this role do that: ${messageOf(error)}.${ASK_THE_OWNER}`
    throw new DatabaseFault('role_unusable', message, { cause: error })
  } finally {
    client.release(true) // closes the connection, and with it gives back the lock and the setting
  }
}

async function readApplied(client: PoolClient): Promise<readonly Applied[]> {
  const found = await client.query<{ there: boolean }>(
    `select to_regclass('public.schema_migrations') is not null as there`,
  )
  if (!found.rows[0]?.there) await makeTable(client)
  const { rows } = await client.query<Applied>('select number, name, checksum from schema_migrations order by number')
  return rows
}

async function makeTable(client: PoolClient): Promise<void> {
  await client.query(
    `create table if not exists schema_migrations
      (number integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`,
  )
  await client.query(`comment on table schema_migrations is 'local: the migrations that this database has seen'`)
}

/** insufficient_privilege (PostgreSQL, appendix A): a role that runs the party and does not own its tables. */
const NOT_THE_OWNER = '42501'
const ASK_THE_OWNER =
  ' This role does not own the tables: run amanat migrate as the role that does, then amanat migrate grant.'

async function runPending(client: PoolClient, migrations: readonly Migration[]): Promise<string[]> {
  const applied = await readApplied(client)
  checkHistory(applied, migrations)
  const seen = new Set(applied.map((row) => row.number))
  const pending = migrations.filter((migration) => !seen.has(migration.number))
  for (const migration of pending) {
    const { number, name, checksum, text } = migration
    await inTransaction(client, name, text, () =>
      client.query('insert into schema_migrations (number, name, checksum) values ($1, $2, $3)', [
        number,
        name,
        checksum,
      ]),
    )
  }
  return pending.map((migration) => migration.name)
}

function isNotOwner(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === NOT_THE_OWNER
}

async function undoOne(client: PoolClient, { number, name, down }: Migration): Promise<void> {
  const text = down.kind === 'sql' ? down.text : ''
  await inTransaction(client, `${name} (down)`, text, () =>
    client.query('delete from schema_migrations where number = $1', [number]),
  )
}

async function inTransaction(
  client: PoolClient,
  name: string,
  text: string,
  note: () => Promise<unknown>,
): Promise<void> {
  await client.query('begin')
  try {
    await client.query(text)
    await note()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {}) // the connection may be what broke
    throw new DatabaseFault(
      'migration_failed',
      `Migration ${name} failed and was undone: ${messageOf(error)}${placeIn(text, error)}${isNotOwner(error) ? ASK_THE_OWNER : ''}`,
      { cause: error },
    )
  }
}

/** PostgreSQL tells the position of an error in the text, counted in characters from 1. */
function placeIn(text: string, error: unknown): string {
  const position =
    typeof error === 'object' && error !== null && 'position' in error ? Number(error.position) : Number.NaN
  return Number.isInteger(position) ? ` (line ${text.slice(0, position).split('\n').length})` : ''
}

function checkHistory(applied: readonly Applied[], migrations: readonly Migration[]): void {
  const files = new Map(migrations.map((migration) => [migration.number, migration]))
  for (const row of applied) {
    const file = files.get(row.number)
    if (file === undefined) {
      throw new DatabaseFault(
        'database_newer',
        `The database was made by a newer Amanat: it has seen migration ${row.name}, which this program does not know. Start that version, let it undo its migrations (amanat migrate down), or restore a backup made by this one.`,
      )
    }
    if (row.checksum !== file.checksum) {
      throw new DatabaseFault(
        'migration_changed',
        `Migration ${file.name} was changed after this database had run it (as ${row.name}). Undo the change and put it into a new migration.`,
      )
    }
  }
}

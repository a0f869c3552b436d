import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import type { Pool, PoolClient } from 'pg'
import { DatabaseFault } from './database-fault.ts'
import { messageOf } from './embedded-fault.ts'

export const MIGRATIONS_FOLDER = path.join(import.meta.dirname, 'migrations')

/** Any fixed number: what migrating processes of one database wait for. */
const ADVISORY_LOCK = 4_262_026

type Migration = { number: number; name: string; checksum: string; text: string }
type Applied = { number: number; name: string; checksum: string }

/**
 * Brings a database up to date: runs the files `NNNN_name.sql` that it has not seen, each in a transaction of its own. Several
 * processes may call it at once. Returns the names of what it ran.
 * @throws DatabaseFault `migration_misnamed`, `migration_changed`, `migration_failed`, `database_newer`
 */
export async function migrate(pool: Pool, folder = MIGRATIONS_FOLDER): Promise<string[]> {
  const migrations = readMigrations(folder)
  const client = await pool.connect()
  try {
    // Others may migrate for longer than a usual statement may take.
    await client.query('set statement_timeout = 0')
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCK])
    return await runPending(client, migrations)
  } finally {
    client.release(true) // closes the connection, and with it gives back the lock and the setting
  }
}

async function runPending(client: PoolClient, migrations: readonly Migration[]): Promise<string[]> {
  await client.query(`create table if not exists schema_migrations (
    number integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`)
  await client.query(`comment on table schema_migrations is 'local: the migrations that this database has seen'`)
  const { rows } = await client.query<Applied>('select number, name, checksum from schema_migrations order by number')
  checkHistory(rows, migrations)
  const seen = new Set(rows.map((row) => row.number))
  const pending = migrations.filter((migration) => !seen.has(migration.number))
  for (const migration of pending) await runOne(client, migration)
  return pending.map((migration) => migration.name)
}

async function runOne(client: PoolClient, migration: Migration): Promise<void> {
  await client.query('begin')
  try {
    await client.query(migration.text)
    await client.query('insert into schema_migrations (number, name, checksum) values ($1, $2, $3)', [
      migration.number,
      migration.name,
      migration.checksum,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {}) // the connection may be what broke
    throw new DatabaseFault(
      'migration_failed',
      `Migration ${migration.name} failed and was undone: ${messageOf(error)}${placeIn(migration.text, error)}`,
      {
        cause: error,
      },
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
        `The database was made by a newer Amanat: it has seen migration ${row.name}, which this program does not know. Start that version, or restore a backup made by this one.`,
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

/**
 * Reads the numbered files. Each room has its own range of numbers, so there are gaps, and a later release may add a number below the
 * highest: a database runs whatever it has not seen, in order of the numbers.
 */
function readMigrations(folder: string): Migration[] {
  const names = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  let last = 0
  return names.map((name) => {
    const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1])
    if (!Number.isInteger(number)) {
      throw new DatabaseFault('migration_misnamed', `The migration ${name} must be called like 0001_what_it_does.sql.`)
    }
    if (number <= last) {
      throw new DatabaseFault('migration_misnamed', `Two migrations have the number of ${name}: each needs its own.`)
    }
    last = number
    const text = fs.readFileSync(path.join(folder, name), 'utf8')
    const checksum = createHash('sha256').update(text).digest('hex')
    return { number, name: name.replace(/\.sql$/, ''), checksum, text }
  })
}

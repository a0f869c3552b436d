import pg, { type Pool } from 'pg'
import { DatabaseFault } from './database-fault.ts'

/** What happened, and what was signed about it: written once, by whoever runs the party never changed. After a restore its owner may. */
const APPEND_ONLY: ReadonlySet<string> = new Set(['audit_event', 'log_leaf', 'log_checkpoint', 'log_timestamp'])
/** The schema is its owner's business. */
const READ_ONLY: ReadonlySet<string> = new Set(['schema_migrations'])

function rightsIn(table: string): string {
  if (READ_ONLY.has(table)) return 'select'
  return APPEND_ONLY.has(table) ? 'select, insert' : 'select, insert, update, delete'
}

/**
 * Gives `role` what a running party needs in a database that somebody else owns, and takes everything else from it: no schema to change,
 * no log to rewrite. To be done again after each migration. Returns the tables to which it can only add.
 * @throws DatabaseFault `role_unusable` when there is no such role, or it may do everything anyway
 */
export async function grantLeastRights(pool: Pool, role: string): Promise<readonly string[]> {
  const found = await pool.query<{ all: boolean; owns: boolean }>(
    `select rolsuper as all, exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'public' and pg_has_role(r.oid, c.relowner, 'usage')) as owns from pg_roles r where rolname = $1`,
    [role],
  )
  const [row] = found.rows
  if (row === undefined)
    throw new DatabaseFault('role_unusable', `There is no role ${role}. Make it first: create role ${role} login`)
  if (row.all || row.owns)
    throw new DatabaseFault(
      'role_unusable',
      `The role ${role} owns these tables, or may do everything: name another one.`,
    )
  const { rows } = await pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  )
  const to = pg.escapeIdentifier(role)
  await pool.query(
    [
      'begin',
      `revoke all on schema public from ${to}`,
      `grant usage on schema public to ${to}`,
      `revoke all on all tables in schema public from ${to}`,
      ...rows.map(({ name }) => `grant ${rightsIn(name)} on ${pg.escapeIdentifier(name)} to ${to}`),
      `grant usage, select on all sequences in schema public to ${to}`,
      'commit',
    ].join(';\n'),
  )
  return rows.map(({ name }) => name).filter((name) => APPEND_ONLY.has(name))
}

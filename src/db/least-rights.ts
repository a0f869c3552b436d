import pg, { type Pool, type PoolClient } from 'pg'
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
 * @throws DatabaseFault `role_unusable` when there is no such role, or it may do more by another way
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
  await insistOnOwner(pool)
  const { rows } = await pool.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  )
  const names = rows.map(({ name }) => name)
  const to = pg.escapeIdentifier(role)
  const client = await pool.connect()
  try {
    await client.query(
      [
        'begin',
        `revoke all on schema public from ${to}`,
        `grant usage on schema public to ${to}`,
        `revoke all on all tables in schema public from ${to}`,
        ...names.map((name) => `grant ${rightsIn(name)} on ${pg.escapeIdentifier(name)} to ${to}`),
        `grant usage, select on all sequences in schema public to ${to}`,
      ].join(';\n'),
    )
    await insistOnNoMore(client, role)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
  return names.filter((name) => APPEND_ONLY.has(name))
}

/** PostgreSQL only warns when somebody gives what is not hers to give, and gives nothing. */
async function insistOnOwner(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ me: string }>(
    `select current_user as me where exists (select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'public' and c.relkind in ('r', 'p') and not pg_has_role(c.relowner, 'usage'))`,
  )
  if (rows[0] !== undefined)
    throw new DatabaseFault(
      'role_unusable',
      `${rows[0].me} does not own the tables and can give nobody rights to them: name the owner in DATABASE_URL. Nothing was granted.`,
    )
}

/** A role may have by another way what was just taken from it: as a member of a role, or because everybody has it. */
async function insistOnNoMore(client: PoolClient, role: string): Promise<void> {
  const { rows } = await client.query<{ what: string }>(
    `select format('change %s', name) as what from unnest($2::text[]) as name
       where has_table_privilege($1, format('public.%I', name), 'update, delete, truncate')
         or has_any_column_privilege($1, format('public.%I', name), 'update')
     union all select 'change the schema' where has_schema_privilege($1, 'public', 'create')`,
    [role, [...APPEND_ONLY, ...READ_ONLY]],
  )
  const [first] = rows
  if (first !== undefined)
    throw new DatabaseFault(
      'role_unusable',
      `The role ${role} could still ${first.what}: by a role whose member it is, or because everybody may. Nothing was granted; take that back first.`,
    )
}

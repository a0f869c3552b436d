import pg from 'pg'

/** The rows of every table, as a logical backup of the database has them. */
export type DatabaseCopy = ReadonlyMap<string, string>

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const TABLES = `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`
const IDENTITIES = `select table_name as "table", column_name as "column" from information_schema.columns
  where table_schema = 'public' and is_identity = 'YES'`

/** Reads a whole database. */
export function copyDatabase(connectionString: string): Promise<DatabaseCopy> {
  return withClient(connectionString, async (client) => {
    const copy = new Map<string, string>()
    const { rows } = await client.query<{ name: string }>(TABLES)
    for (const { name } of rows) {
      const { rows: all } = await client.query<{ rows: string }>(
        `select coalesce(json_agg(t), '[]')::text as rows from "${name}" t`,
      )
      copy.set(name, all[0]?.rows ?? '[]')
    }
    return copy
  })
}

/** Puts a copy into another, migrated database in place of what is there; counters go on where they were. */
export function restoreCopy(connectionString: string, copy: DatabaseCopy): Promise<void> {
  return withClient(connectionString, async (client) => {
    await client.query('begin')
    await client.query(`set local session_replication_role = 'replica'`)
    for (const [name, rows] of copy) {
      await client.query(`delete from "${name}"`)
      await client.query(
        `insert into "${name}" overriding system value select * from json_populate_recordset(null::"${name}", $1)`,
        [rows],
      )
    }
    const { rows: identities } = await client.query<{ table: string; column: string }>(IDENTITIES)
    for (const { table, column } of identities)
      await client.query(
        `select setval(pg_get_serial_sequence('"${table}"', '${column}'), m) from (select max("${column}") as m from "${table}") t where m is not null`,
      )
    await client.query('commit')
  })
}

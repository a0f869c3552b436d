import type { Pool, PoolClient } from 'pg'
import { VEILED_COLUMNS } from './at-rest.ts'
import { coverReferences } from './cover-references.ts'
import { sealed, sealedJsonText } from './veil.ts'

/** As `isAbhaAddress`, in PostgreSQL's words. */
const ADDRESS = '^[a-z0-9][a-z0-9_.]*[a-z0-9]@[a-z0-9]+$'
const AT_ONCE = 500
type Column = { readonly table: string; readonly column: string; readonly type: string }

/**
 * Covers what an earlier release wrote in plain, once in the life of a database, before anything else reads it: addresses and
 * reference numbers become pseudonyms, work of the party is sealed. The pool is one with a veil (`connect`). A batch is one transaction, so a start that is killed
 * half way goes on at the next.
 */
export async function coverExisting(pool: Pool, now: Date): Promise<void> {
  // First these: one that looks like an address would else lose the facility that it belongs to.
  await onceOnly(pool, now, 'veil.references', () => coverReferences(pool))
  await onceOnly(pool, now, 'veil.addresses', async () => {
    const texts = (await textColumns(pool)).filter(({ type }) => type === 'text')
    return eachUntilDone(pool, texts, coverAddresses)
  })
  await onceOnly(pool, now, 'veil.texts', async () => {
    const columns = await textColumns(pool)
    const veiled = columns.filter(({ table, column }) => VEILED_COLUMNS[table]?.includes(column))
    return eachUntilDone(pool, veiled, sealTexts)
  })
}

async function textColumns(pool: Pool): Promise<readonly Column[]> {
  const { rows } = await pool.query<Column>(`
    select c.table_name as table, c.column_name as column, c.data_type as type
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and c.data_type in ('text', 'jsonb') and t.table_type = 'BASE TABLE'
    order by 1, 2`)
  return rows
}

/** Notes in the database that it is done, when, and how many values there were. */
async function onceOnly(pool: Pool, now: Date, name: string, work: () => Promise<number>): Promise<void> {
  const done = await pool.query('select 1 from setting where name = $1', [name])
  if (done.rowCount !== 0) return
  const values = [name, JSON.stringify({ values: await work() }), now]
  await pool.query('insert into setting (name, value, changed_at) values ($1, $2, $3) on conflict do nothing', values)
}

type Batch = (client: PoolClient, column: Column) => Promise<number>

async function eachUntilDone(pool: Pool, columns: readonly Column[], batch: Batch): Promise<number> {
  let all = 0
  const client = await pool.connect()
  try {
    // A first look at a large table may take longer than a usual statement may.
    await client.query('set statement_timeout = 0')
    for (const column of columns) {
      for (let done = AT_ONCE; done === AT_ONCE; all += done) done = await inTransaction(client, column, batch)
    }
  } finally {
    client.release(true) // gives back the setting with the connection
  }
  return all
}

async function inTransaction(client: PoolClient, column: Column, batch: Batch): Promise<number> {
  await client.query('begin')
  const done = await batch(client, column)
  await client.query('commit')
  return done
}

async function coverAddresses(client: PoolClient, { table, column }: Column): Promise<number> {
  const { rows } = await client.query<{ value: string }>(
    `select distinct "${column}" as value from "${table}"
     where "${column}" ~ '${ADDRESS}' and length("${column}") <= 100 limit ${AT_ONCE}`,
  )
  if (rows.length === 0) return 0
  const values = rows.map(({ value }) => value)
  // The connection covers whole addresses: here they must reach the server as they stand there, so they go in two parts.
  const parts = values.map((value) => value.split('@'))
  await client.query(
    `update "${table}" as row set "${column}" = to_be.token
     from unnest($1::text[], $2::text[], $3::text[]) as to_be (name, place, token)
     where row."${column}" = to_be.name || '@' || to_be.place`,
    [parts.map(([name]) => name), parts.map(([, place]) => place), values],
  )
  return rows.length
}

async function sealTexts(client: PoolClient, { table, column, type }: Column): Promise<number> {
  const { rows } = await client.query<{ place: string; value: string }>(
    `select ctid::text as place, "${column}"::text as value from "${table}"
     where "${column}" is not null and "${column}"::text !~ '^"?st1[.]' limit ${AT_ONCE} for update`,
  )
  if (rows.length === 0) return 0
  // An address in a column that is sealed now was covered before: it comes back as it was.
  const values = rows.map(({ value }) => (type === 'jsonb' ? sealedJsonText(value) : sealed(value)))
  await client.query(
    `update "${table}" as row set "${column}" = to_be.value::${type}
     from unnest($1::tid[], $2::text[]) as to_be (place, value) where row.ctid = to_be.place`,
    [rows.map(({ place }) => place), values],
  )
  return rows.length
}

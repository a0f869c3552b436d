import type { Pool } from 'pg'

/** As `isAbhaAddress`, in PostgreSQL's words. */
const ADDRESS = '^[a-z0-9][a-z0-9_.]*[a-z0-9]@[a-z0-9]+$'
const VALUES_AT_ONCE = 500
const DONE = 'veil.addresses'
const COLUMNS = `
  select c.table_name as table, c.column_name as column
  from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
  where c.table_schema = 'public' and c.data_type = 'text' and t.table_type = 'BASE TABLE'
  order by 1, 2`

type Column = { readonly table: string; readonly column: string }

/**
 * Puts pseudonyms in place of the addresses that an earlier release wrote in plain, once in the life of a database. A batch of values
 * is one statement, so a start that is killed half way goes on at the next. The pool is one that hides (`connect`). Answers how many
 * values of columns were changed; 0 where nothing was left.
 */
export async function hideExisting(pool: Pool, now: Date): Promise<number> {
  const done = await pool.query('select 1 from setting where name = $1', [DONE])
  if (done.rowCount !== 0) return 0
  const { rows: columns } = await pool.query<Column>(COLUMNS)
  let hidden = 0
  for (const column of columns) {
    for (let found = VALUES_AT_ONCE; found === VALUES_AT_ONCE; hidden += found) found = await hideSome(pool, column)
  }
  const values = [DONE, JSON.stringify({ values: hidden }), now]
  await pool.query('insert into setting (name, value, changed_at) values ($1, $2, $3) on conflict do nothing', values)
  return hidden
}

async function hideSome(pool: Pool, { table, column }: Column): Promise<number> {
  const { rows } = await pool.query<{ value: string }>(
    `select distinct "${column}" as value from "${table}"
     where "${column}" ~ '${ADDRESS}' and length("${column}") <= 100 limit ${VALUES_AT_ONCE}`,
  )
  if (rows.length === 0) return 0
  const values = rows.map(({ value }) => value)
  // The connection hides whole addresses: here they must reach the server as they stand there, so they go in two parts.
  const parts = values.map((value) => value.split('@'))
  await pool.query(
    `update "${table}" as row set "${column}" = to_be.token
     from unnest($1::text[], $2::text[], $3::text[]) as to_be (name, place, token)
     where row."${column}" = to_be.name || '@' || to_be.place`,
    [parts.map(([name]) => name), parts.map(([, place]) => place), values],
  )
  return rows.length
}

import type { Pool, PoolClient } from 'pg'
import { REFERENCE_COLUMNS, type ReferenceColumn } from './at-rest.ts'
import { pseudonym, pseudonymOf } from './veil.ts'

const AT_ONCE = 1_000
/** Where a table begins. */
const START = '(0,0)'
/** A reference number that looks like a token to the letter would not open: there is none. */
const TOKEN = '^pt1[.][A-Za-z0-9_-]{64,}$'

/**
 * Makes pseudonyms of the reference numbers of facilities that an earlier release wrote in plain. Answers how many rows there were. A batch
 * is one transaction; a start that is killed goes on at the next. What refers to a changed row follows it (`on update cascade`).
 */
export async function coverReferences(pool: Pool): Promise<number> {
  const own = REFERENCE_COLUMNS.filter(({ follows }) => follows === undefined)
  const client = await pool.connect()
  try {
    // A first look at a large table may take longer than a usual statement may; its rows are taken in the order of their places.
    await client.query('set statement_timeout = 0')
    await client.query('set enable_seqscan = off')
    let all = 0
    for (const [table, columns] of Map.groupBy(own, ({ table }) => table))
      all += await coverTable(client, table, columns)
    return all
  } finally {
    client.release(true) // gives back the settings with the connection
  }
}

/** Once through a table, from its beginning to its end. */
async function coverTable(client: PoolClient, table: string, columns: readonly ReferenceColumn[]): Promise<number> {
  let count = 0
  for (let after: string | undefined = START; after !== undefined; ) {
    await client.query('begin')
    const places: readonly string[] = await coverSome(client, table, columns, after)
    await client.query('commit')
    count += places.length
    after = places.at(-1)
  }
  return count
}

/** Of each column what stands in plain there, as bytes: a number that only begins like a token comes as it is. */
type Row = { readonly place: string; readonly plain: readonly (Buffer | null)[]; readonly within: readonly string[] }

async function coverSome(
  client: PoolClient,
  table: string,
  columns: readonly ReferenceColumn[],
  after: string,
): Promise<readonly string[]> {
  const plain = columns.map(
    ({ column }) => `case when "${column}" !~ '${TOKEN}' then convert_to("${column}", 'UTF8') end`,
  )
  const within = columns.map((column) => (column.within === undefined ? `''` : `"${column.within}"::text`))
  const { rows } = await client.query<Row>(
    `select ctid::text as place, array[${plain.join(', ')}] as plain, array[${within.join(', ')}] as within from "${table}"
     where ctid > $1::tid and (${columns.map(({ column }) => `"${column}" !~ '${TOKEN}'`).join(' or ')})
     limit ${AT_ONCE} for update`,
    [after],
  )
  if (rows.length === 0) return []
  const tokens = columns.map((column, at) => rows.map((row) => tokenOf(column, row.plain[at], row.within[at] ?? '')))
  // A null is a number that was covered before.
  await client.query(
    `update "${table}" as row set ${columns.map(({ column }, at) => `"${column}" = coalesce(to_be.token_${at}, row."${column}")`).join(', ')}
     from unnest($1::tid[], ${columns.map((_, at) => `$${at + 2}::text[]`).join(', ')})
       as to_be (place, ${columns.map((_, at) => `token_${at}`).join(', ')}) where row.ctid = to_be.place`,
    [rows.map(({ place }) => place), ...tokens],
  )
  return rows.map(({ place }) => place)
}

function tokenOf(column: ReferenceColumn, plain: Buffer | null | undefined, within: string): string | null {
  if (plain === null || plain === undefined) return null
  const text = plain.toString('utf8')
  return column.within === undefined ? pseudonym(text) : pseudonymOf(within, text)
}

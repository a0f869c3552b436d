import type { Pool, PoolClient } from 'pg'
import { REFERENCE_COLUMNS, type ReferenceColumn } from './at-rest.ts'
import { pseudonym, pseudonymOf } from './veil.ts'

const AT_ONCE = 1_000
/** Where a table begins. */
const START = '(0,0)'
/** A reference number that looks like a token to the letter would not open: there is none. */
const TOKEN = '^pt1[.][A-Za-z0-9_-]{64,}$'

/**
 * Makes pseudonyms of the reference numbers of facilities that an earlier release wrote in plain. Answers how many values there were. A
 * batch is one transaction; a start that is killed goes on at the next. What refers to a changed row follows it (`on update cascade`).
 */
export async function coverReferences(pool: Pool): Promise<number> {
  const client = await pool.connect()
  try {
    // A first look at a large table may take longer than a usual statement may; its rows are taken in the order of their places.
    await client.query('set statement_timeout = 0')
    await client.query('set enable_seqscan = off')
    if (await isAllCovered(client)) return 0
    let all = 0
    for (const table of CHECKS.keys())
      await client.query(`alter table ${table} drop constraint if exists ${table}_covered`)
    for (const column of REFERENCE_COLUMNS) all += await coverTable(client, column)
    for (const [table, check] of CHECKS)
      await client.query(`alter table ${table} add constraint ${table}_covered check (${check})`)
    return all
  } finally {
    client.release(true) // gives back the settings with the connection
  }
}

/** What the schema asks of each row; away while numbers of one row are covered one after the other. */
const CHECKS: ReadonlyMap<string, string> = new Map(
  [...Map.groupBy(REFERENCE_COLUMNS, ({ table }) => table)].map(([table, columns]) => [
    table,
    columns.map(({ column }) => `${column} like 'pt1.%'`).join(' and '),
  ]),
)

async function isAllCovered(client: PoolClient): Promise<boolean> {
  const plain = REFERENCE_COLUMNS.map(
    ({ table, column }) => `exists (select from "${table}" where "${column}" !~ '${TOKEN}')`,
  )
  const { rows } = await client.query<{ some: boolean; checks: number }>(
    `select ${plain.join(' or ')} as some, (select count(*)::int from pg_constraint where conname like '%\\_covered') as checks`,
  )
  return rows[0]?.some === false && rows[0].checks === CHECKS.size
}

/** Once through a table, from its beginning to its end. */
async function coverTable(client: PoolClient, column: ReferenceColumn): Promise<number> {
  let count = 0
  for (let after: string | undefined = START; after !== undefined; ) {
    await client.query('begin')
    const places: readonly string[] = await coverSome(client, column, after)
    await client.query('commit')
    count += places.length
    after = places.at(-1)
  }
  return count
}

type Row = { readonly place: string; readonly value: Buffer; readonly within: string | null }

async function coverSome(
  client: PoolClient,
  { table, column, within }: ReferenceColumn,
  after: string,
): Promise<readonly string[]> {
  // As bytes: so that a number of a facility that only begins like a token comes as it stands there.
  const { rows } = await client.query<Row>(
    `select ctid::text as place, convert_to("${column}", 'UTF8') as value, ${within === undefined ? 'null' : `"${within}"`} as within
     from "${table}" where ctid > $1::tid and "${column}" !~ '${TOKEN}' limit ${AT_ONCE} for update`,
    [after],
  )
  if (rows.length === 0) return []
  const places = rows.map(({ place }) => place)
  const tokens = rows.map(({ value, within: scope }) => {
    const text = value.toString('utf8')
    return scope === null ? pseudonym(text) : pseudonymOf(scope, text)
  })
  await client.query(
    `update "${table}" as row set "${column}" = to_be.token
     from unnest($1::tid[], $2::text[]) as to_be (place, token) where row.ctid = to_be.place`,
    [places, tokens],
  )
  return places
}

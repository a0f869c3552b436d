/**
 * `node bin/run.mjs scripts/keep-database.ts DATABASE_URL FILE.json.gz`: keeps the rows of a party's database as a compact file, so that
 * the tests of later releases can begin with it (test/release-databases.db.test.ts). Invented people only.
 */
import fs from 'node:fs'
import { gzipSync } from 'node:zlib'
import pg from 'pg'

async function main([url, file]: readonly string[]): Promise<number> {
  if (url === undefined || file === undefined) {
    console.error('usage: keep-database.ts DATABASE_URL FILE.json.gz')
    return 2
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('begin isolation level repeatable read read only')
    const { rows: tables } = await client.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname collate "C"`,
    )
    const kept: string[] = []
    for (const { name } of tables) {
      const table = pg.escapeIdentifier(name)
      const { rows } = await client.query<{ rows: string | null }>(`select json_agg(t)::text as rows from ${table} t`)
      // As text: every digit stays as the database wrote it.
      if (rows[0]?.rows) kept.push(`${JSON.stringify(name)}:${rows[0].rows}`)
    }
    fs.writeFileSync(file, gzipSync(`{${kept.join(',\n')}}`, { level: 9 }))
    console.log(`wrote ${file}: ${kept.length} tables, ${fs.statSync(file).size} bytes`)
    return 0
  } finally {
    await client.end()
  }
}

process.exitCode = await main(process.argv.slice(2))

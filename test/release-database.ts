import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import pg from 'pg'
import { migrate } from '../src/db/migrate.ts'
import { MIGRATIONS_FOLDER } from '../src/db/migration-files.ts'

export const RELEASES_FOLDER = join(import.meta.dirname, 'vectors', 'databases')

/** The newest migration of each release whose databases are kept. */
export const RELEASES: Readonly<Record<string, number>> = { '0.1.0': 77 }

/** Brings an empty database to the schema of a release and puts the kept rows in. Answers how many rows each table has. */
export async function loadReleaseDatabase(
  url: string,
  release: string,
  party: string,
): Promise<ReadonlyMap<string, number>> {
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  const folder = mkdtempSync(join(tmpdir(), 'amanat-release-'))
  try {
    for (const name of readdirSync(MIGRATIONS_FOLDER))
      if (Number(name.slice(0, 4)) <= (RELEASES[release] ?? 0))
        cpSync(join(MIGRATIONS_FOLDER, name), join(folder, name))
    await migrate(pool, folder)
    const text = gunzipSync(readFileSync(join(RELEASES_FOLDER, release, party, 'database.json.gz'))).toString('utf8')
    // Rows refer to each other across tables: what was whole when it was kept is not checked row by row.
    await pool.query('set session_replication_role = replica')
    await pool.query('delete from schema_migrations')
    const counts = new Map<string, number>()
    for (const [table, rows] of splitTables(text)) {
      const name = pg.escapeIdentifier(table)
      const { rowCount } = await pool.query(
        `insert into ${name} overriding system value select * from json_populate_recordset(null::${name}, $1::json)`,
        [rows],
      )
      counts.set(table, rowCount ?? 0)
    }
    await pool.query(ADVANCE_IDENTITIES)
    return counts
  } finally {
    await pool.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Each table stands on lines of its own, so that its rows reach the database as they were written, digit by digit. */
function* splitTables(text: string): Generator<readonly [string, string]> {
  for (const part of text.slice(1, -1).split(/,\n(?="[a-z_]+":\[\{)/)) {
    const [, name, rows] = /^"([a-z_]+)":([\s\S]*)$/.exec(part) ?? []
    if (name === undefined || rows === undefined) throw new Error('the kept database is malformed')
    yield [name, rows]
  }
}

const ADVANCE_IDENTITIES = `
  do $$
  declare c record; highest bigint;
  begin
    for c in select table_name, column_name from information_schema.columns where table_schema = 'public' and is_identity = 'YES' loop
      execute format('select max(%I) from %I', c.column_name, c.table_name) into highest;
      if highest is not null then
        perform setval(pg_get_serial_sequence(quote_ident(c.table_name), c.column_name), highest);
      end if;
    end loop;
  end $$`

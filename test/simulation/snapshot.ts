import pg from 'pg'

const TABLES = `select c.relname as name,
    exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attidentity <> '') as numbered
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1`
const SEQUENCES = `select s.oid::regclass::text as name from pg_class s where s.relkind = 'S' and s.relnamespace = 'public'::regnamespace`
/** So often dead rows are thrown away: nobody vacuums a test server. */
const SWEEP_EVERY = 20

/** A database as it was at one moment, to which it can be set back within milliseconds. Also reads it past the party. */
export class Snapshot {
  readonly #client: pg.Client
  #back = ''
  #sweep = ''
  #times = 0

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async open(connectionString: string): Promise<Snapshot> {
    const client = new pg.Client({ connectionString, application_name: 'simulation' })
    await client.connect()
    return new Snapshot(client)
  }

  /** Remembers all rows and numbers as they are now. */
  async take(): Promise<void> {
    const tables = (await this.#client.query<{ name: string; numbered: boolean }>(TABLES)).rows
    await this.#client.query('drop schema if exists base cascade; create schema base')
    const fill: string[] = []
    for (const { name, numbered } of tables) {
      const { rowCount } = await this.#client.query(`create table base."${name}" as table public."${name}"`)
      const how = numbered ? 'overriding system value ' : ''
      if ((rowCount ?? 0) > 0) fill.push(`insert into public."${name}" ${how}table base."${name}";`)
    }
    const numbers = (await this.#client.query<{ name: string }>(SEQUENCES)).rows
    for (const { name } of numbers) {
      const { rows } = await this.#client.query<{ last: string; called: boolean }>(
        `select last_value as last, is_called as called from ${name}`,
      )
      fill.push(`select setval('${name}', ${rows[0]?.last ?? 1}, ${rows[0]?.called ?? false});`)
    }
    const empty = tables.map(({ name }) => `delete from public."${name}";`).join('\n')
    const list = tables.map(({ name }) => `public."${name}"`).join(', ')
    const inOne = (how: string): string =>
      `begin; set local session_replication_role = replica; ${how} ${fill.join('\n')} commit;`
    this.#back = inOne(empty)
    this.#sweep = inOne(`truncate ${list};`)
  }

  async setBack(): Promise<void> {
    await this.#client.query(this.#times++ % SWEEP_EVERY === 0 ? this.#sweep : this.#back)
  }

  /** Reads what is committed, whatever the party thinks. */
  async rows<T extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<readonly T[]> {
    return (await this.#client.query<T>(text, [...values])).rows
  }

  close(): Promise<void> {
    return this.#client.end()
  }
}

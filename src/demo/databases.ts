import { join } from 'node:path'
import pg from 'pg'
import { startEmbedded } from '../db/embedded.ts'
import { DataPlaceFault } from './data-folder.ts'

/** One PostgreSQL server with a database for each party. */
export type Databases = {
  readonly urlOf: (name: string) => Promise<string>
  /** Settles when the server ends by itself. */
  readonly died: Promise<Error>
  readonly stop: () => Promise<void>
}

/** The embedded server in the data folder, or the server of `DATABASE_URL` with databases `amanat_<party>`. */
export async function openDatabases(
  dataFolder: string,
  databaseUrl: string | undefined,
  say: (line: string) => void,
): Promise<Databases> {
  if (databaseUrl !== undefined) {
    return {
      urlOf: (name) => createIfAbsent(databaseUrl, `amanat_${name}`),
      died: new Promise(() => undefined),
      stop: async () => undefined,
    }
  }
  const embedded = await startEmbedded({ folder: join(dataFolder, 'postgres'), log: say })
  return {
    urlOf: async (name) => {
      if (!(await embedded.databaseExists(name))) await embedded.createDatabase(name)
      return embedded.connectionString(name)
    },
    died: embedded.died,
    stop: embedded.stop,
  }
}

async function createIfAbsent(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect().catch((error: unknown) => {
    const why = error instanceof Error && error.message !== '' ? error.message : 'no answer'
    throw new DataPlaceFault(
      `the database server of DATABASE_URL cannot be reached (${why}). Start it, or mend DATABASE_URL, or leave DATABASE_URL out to use the embedded one.`,
    )
  })
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.toString()
}

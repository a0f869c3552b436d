import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Connection, connect } from '../src/db/connect.ts'
import { startEmbedded } from '../src/db/embedded.ts'
import { migrate } from '../src/db/migrate.ts'
import { TEMPLATE, TEST_VEIL } from '../test/database.ts'

/** Where the benches of one run, and the tests' own helpers, find the server that they share. */
const VARIABLE = 'AMANAT_TEST_POSTGRES'

function failLoudly(error: Error): never {
  throw error
}

export function openConnection(connectionString: string, poolMax = 16): Promise<Connection> {
  return connect({ connectionString, veil: TEST_VEIL, poolMax, onError: failLoudly })
}

/**
 * A PostgreSQL server as `npm start` runs it: on disk, every commit waits for it (unlike the tests' server). The one that `all.ts`
 * started, or one of our own. The function returned ends it.
 */
export async function startBenchServer(): Promise<() => Promise<void>> {
  if (process.env[VARIABLE] !== undefined) return async () => undefined
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'amanat-bench-'))
  const embedded = await startEmbedded({ folder, log: () => undefined })
  await embedded.createDatabase(TEMPLATE)
  const template = await openConnection(embedded.connectionString(TEMPLATE))
  await migrate(template.pool)
  await template.close()
  process.env[VARIABLE] = embedded.connectionString('postgres')
  return async () => {
    delete process.env[VARIABLE]
    await embedded.stop()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

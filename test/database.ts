import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { type Connection, connect } from '../src/db/connect.ts'
import { attachEmbedded, startEmbedded } from '../src/db/embedded.ts'
import { stopLeftovers } from '../src/db/embedded-cluster.ts'
import { lockFolder } from '../src/db/embedded-lock.ts'
import { postgresProcessesIn, signal } from '../src/db/embedded-process.ts'
import { migrate } from '../src/db/migrate.ts'
import { makeVeil, type Veil } from '../src/db/veil.ts'

/** Where `scripts/test.ts` says which server the test files share. */
const SERVER_VARIABLE = 'AMANAT_TEST_POSTGRES'
const FOLDER_PREFIX = 'amanat-test-'
const MEMORY_FOLDER = '/dev/shm'
const MEMORY_BYTES_MIN = 3 * 1024 ** 3

/** The database that is cloned for each test file. */
export const TEMPLATE = 'amanat_template'

/** An empty, migrated database for one test file; refuses queries that forget the bucket. */
export type TestDatabase = Connection & { connectionString: string }

/** A key of the tests: what one of them hid, another may read. */
export const TEST_VEIL = makeVeil(new Uint8Array(32).fill(7), randomBytes)

/** Clones the template; call `close` in `after`, it drops the clone. A party of its own process hides by its own keys. */
export async function openTestDatabase(veil: Veil = TEST_VEIL): Promise<TestDatabase> {
  const server = await serverUrl()
  const name = `test_${randomBytes(6).toString('hex')}`
  // Copying files beats replaying a log when nothing waits for the disk.
  await asAdmin(server, `create database ${name} template ${TEMPLATE} strategy file_copy`)
  const connectionString = withDatabase(server, name)
  const connection = await connect({
    connectionString,
    veil,
    guardBuckets: true,
    onError: failLoudly,
  })
  const close = async () => {
    await connection.close()
    await asAdmin(server, `drop database if exists ${name} with (force)`)
  }
  return { ...connection, connectionString, close }
}

/** A throwaway PostgreSQL server; `url` names its database `postgres`. */
export type TestServer = { url: string; connectionString: (database: string) => string; stop: () => Promise<void> }

/** Starts a throwaway server with a migrated template in a temporary folder. */
export async function startTestServer(): Promise<TestServer> {
  await removeLeftovers()
  const folder = fs.mkdtempSync(path.join(temporaryRoot(), FOLDER_PREFIX))
  const embedded = await startEmbedded({ folder, log: () => {}, throwaway: true })
  removeAtExit(folder, embedded.host)
  await embedded.createDatabase(TEMPLATE)
  const template = await connect({
    connectionString: embedded.connectionString(TEMPLATE),
    veil: TEST_VEIL,
    onError: failLoudly,
  })
  try {
    await migrate(template.pool)
  } finally {
    await template.close()
  }
  return {
    url: embedded.connectionString('postgres'),
    connectionString: embedded.connectionString,
    stop: async () => {
      await embedded.stop()
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

let ownServer: Promise<string> | undefined

/** The shared server, or, when a file runs alone, one of its own that ends with the process. */
function serverUrl(): Promise<string> {
  const shared = process.env[SERVER_VARIABLE]
  if (shared !== undefined && shared !== '') return Promise.resolve(shared)
  ownServer ??= startTestServer().then((server) => server.url)
  return ownServer
}

/** Where throwaway servers lie: in memory where there is plenty (ten times faster to clone), or where TMPDIR says. */
export function temporaryRoot(): string {
  if (process.env['TMPDIR'] !== undefined) return os.tmpdir()
  try {
    fs.accessSync(MEMORY_FOLDER, fs.constants.W_OK)
    const { bavail, bsize } = fs.statfsSync(MEMORY_FOLDER)
    return bavail * bsize >= MEMORY_BYTES_MIN ? MEMORY_FOLDER : os.tmpdir()
  } catch {
    return os.tmpdir()
  }
}

/** A test run that was killed with -9 leaves its server running: the next run ends it. A folder without lock is just being made. */
async function removeLeftovers(): Promise<void> {
  const root = temporaryRoot()
  for (const name of fs.readdirSync(root).filter((each) => each.startsWith(FOLDER_PREFIX))) {
    const folder = path.join(root, name)
    try {
      if (!fs.existsSync(path.join(folder, 'amanat.lock'))) continue
      const unlock = await lockFolder(folder)
      const socketFolder = attachEmbedded(folder)?.host
      const cluster = path.join(folder, 'cluster')
      if (fs.existsSync(cluster)) await stopLeftovers(cluster, () => {})
      unlock()
      for (const each of [folder, socketFolder ?? folder]) fs.rmSync(each, { recursive: true, force: true })
    } catch {
      // In use by a test run at the same time, or another user's.
    }
  }
}

/** Nothing asynchronous may happen at exit: ends the server at once, its data is thrown away. */
function removeAtExit(folder: string, socketFolder: string): void {
  process.once('exit', () => {
    const cluster = path.join(folder, 'cluster')
    const pause = new Int32Array(new SharedArrayBuffer(4))
    for (let round = 0; round < 200 && fs.existsSync(cluster); round++) {
      const left = postgresProcessesIn(cluster)
      if (left.length === 0) break
      if (round % 50 === 0) for (const pid of left) signal(pid, 'SIGQUIT')
      Atomics.wait(pause, 0, 0, 10)
    }
    for (const each of [folder, socketFolder]) fs.rmSync(each, { recursive: true, force: true })
  })
}

async function asAdmin(server: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  try {
    await client.connect()
    await client.query(text)
  } finally {
    await client.end()
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

export function failLoudly(error: Error): never {
  throw error
}

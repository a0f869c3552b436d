import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { type Programs, preparePrograms } from './embedded-binaries.ts'
import {
  diskFull,
  EMBEDDED_USER,
  isFull,
  lastLines,
  openCluster,
  openFolder,
  openSocketFolder,
  placesIn,
  readIfThere,
  stopLeftovers,
} from './embedded-cluster.ts'
import { EmbeddedFault, messageOf } from './embedded-fault.ts'
import { lockFolder } from './embedded-lock.ts'
import { isRunning, signal, waitUntil } from './embedded-process.ts'

/** Recovery after a crash replays the log first: the time is for a slow disk, a usual start takes 0.1 s. */
const START_MS_MAX = 120_000
const STOP_MS_MAX = 20_000
const SERVER_LOG_BYTES_MAX = 8 * 1024 * 1024

/** A running embedded PostgreSQL. */
export type Embedded = {
  /** The folder of the unix socket: what `pg` takes as `host`. */
  host: string
  user: string
  password: string
  /** Settles when the server ends without `stop` having been called. */
  died: Promise<EmbeddedFault>
  connectionString: (database: string) => string
  /** Makes a database, as a copy of `template` when one is named (nobody may be connected to it). */
  createDatabase: (name: string, template?: string) => Promise<void>
  dropDatabase: (name: string) => Promise<void>
  databaseExists: (name: string) => Promise<boolean>
  /** Ends all connections and stops cleanly. May be called twice. */
  stop: () => Promise<void>
}

type Options = {
  /** Everything of the server lies here, except its socket. */
  folder: string
  log: (line: string) => void
  /** For tests and generators: the server does not wait for the disk, a crash of the machine may lose everything. */
  throwaway?: boolean
}

/**
 * Starts the PostgreSQL that npm installed, on a unix socket only, in a folder of its own; makes the database cluster at the first
 * start and cleans up after a crash. Works as root and as an ordinary user.
 * @throws EmbeddedFault with one sentence for a person: what happened and what to do
 */
export async function startEmbedded({ folder: given, log, throwaway = false }: Options): Promise<Embedded> {
  const folder = path.resolve(given)
  const programs = preparePrograms()
  openFolder(folder)
  const unlock = await lockFolder(folder)
  try {
    const { cluster } = placesIn(folder)
    if (fs.existsSync(cluster)) await stopLeftovers(cluster, log)
    else log('Making the database (first start).')
    const password = await openCluster(folder, programs, throwaway)
    const host = openSocketFolder(folder, programs.owner)
    const child = await startServer(folder, programs, host, throwaway)
    return embeddedServer({ folder, host, password, child, unlock })
  } catch (error) {
    unlock()
    throw error
  }
}

/**
 * The embedded server that another process runs in this folder, for commands beside it; `undefined` when none runs there.
 * Its `stop` leaves the server running.
 */
export function attachEmbedded(
  folder: string,
): Pick<Embedded, 'host' | 'user' | 'password' | 'connectionString'> | undefined {
  const { cluster, password } = placesIn(path.resolve(folder))
  const lines = readIfThere(path.join(cluster, 'postmaster.pid'))?.split('\n')
  const [pid, host, secret] = [Number(lines?.[0]), lines?.[4], readIfThere(password)?.trim()]
  if (host === undefined || host === '' || secret === undefined || !isRunning(pid)) return undefined
  return {
    host,
    user: EMBEDDED_USER,
    password: secret,
    connectionString: (database) => connectionString(host, secret, database),
  }
}

function settings(host: string, throwaway: boolean): string[] {
  const all = {
    listen_addresses: '',
    unix_socket_directories: host,
    unix_socket_permissions: '0700',
    shared_buffers: '64MB',
    max_connections: '200',
    max_wal_size: throwaway ? '128MB' : '1GB',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Statements carry health data: neither they nor their parameters are written to the log of the server.
    log_statement: 'none',
    log_min_error_statement: 'panic',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
    // Without the values of a row that was refused.
    log_error_verbosity: 'terse',
    ...(throwaway
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }
      : { fsync: 'on' }),
  }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** The server writes into a file, not a pipe: it then survives us, and its last words survive it. */
async function startServer(
  folder: string,
  programs: Programs,
  host: string,
  throwaway: boolean,
): Promise<ChildProcess> {
  const { cluster, log } = placesIn(folder)
  if (fs.existsSync(log) && fs.statSync(log).size > SERVER_LOG_BYTES_MAX) fs.renameSync(log, `${log}.1`)
  const output = fs.openSync(log, 'a', 0o600)
  const before = fs.fstatSync(output).size
  const child = programs.run('postgres', ['-D', cluster, ...settings(host, throwaway)], ['ignore', output, output])
  fs.closeSync(output)
  let ended: string | undefined
  child.once('error', (error) => {
    ended = error.message
  })
  child.once('exit', (code, by) => {
    ended = `ended with ${code ?? by}`
  })
  const status = () => readIfThere(path.join(cluster, 'postmaster.pid'))?.split('\n')[7]?.trim()
  const settled = await waitUntil(() => ended !== undefined || status() === 'ready', START_MS_MAX)
  if (settled && ended === undefined) {
    child.unref()
    return child
  }
  if (child.pid !== undefined) signal(child.pid, 'SIGQUIT')
  const said = fs.readFileSync(log).subarray(before).toString('utf8')
  if (isFull(said)) throw diskFull(folder)
  throw new EmbeddedFault(
    'start_failed',
    `PostgreSQL did not start (${ended ?? `not ready after ${START_MS_MAX / 1000} s`}): ${lastLines(said)}. Its log is ${log}.`,
  )
}

type Running = { folder: string; host: string; password: string; child: ChildProcess; unlock: () => void }

function embeddedServer({ folder, host, password, child, unlock }: Running): Embedded {
  const pid = child.pid ?? 0
  let stopping: Promise<void> | undefined
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const died = exited.then(() =>
    stopping === undefined
      ? new EmbeddedFault(
          'server_died',
          `The embedded PostgreSQL ended unexpectedly; its log is ${placesIn(folder).log}.`,
        )
      : new Promise<EmbeddedFault>(() => {}),
  )
  // An uncaught error or process.exit() must not leave the server running without us.
  const atExit = () => {
    signal(pid, 'SIGINT')
    unlock()
  }
  process.once('exit', atExit)
  const stop = async () => {
    child.ref()
    signal(pid, 'SIGINT')
    if (!(await waitUntil(() => !isRunning(pid), STOP_MS_MAX))) signal(pid, 'SIGQUIT')
    await exited
    process.removeListener('exit', atExit)
    fs.rmSync(host, { recursive: true, force: true })
    unlock()
  }
  const admin = (text: string, values: unknown[] = []) =>
    runOnce(connectionString(host, password, 'postgres'), text, values)
  return {
    host,
    user: EMBEDDED_USER,
    password,
    died,
    connectionString: (database) => connectionString(host, password, database),
    createDatabase: async (name, template) => {
      const source = template === undefined ? '' : ` template ${pg.escapeIdentifier(template)}`
      await admin(`create database ${pg.escapeIdentifier(name)}${source}`)
    },
    dropDatabase: async (name) => {
      await admin(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`)
    },
    databaseExists: async (name) => (await admin('select from pg_database where datname = $1', [name])).rowCount === 1,
    stop: () => (stopping ??= stop()),
  }
}

function connectionString(host: string, password: string, database: string): string {
  const [user, secret, name] = [EMBEDDED_USER, password, database].map(encodeURIComponent)
  return `postgresql://${user}:${secret}@localhost/${name}?host=${encodeURIComponent(host)}`
}

async function runOnce(connection: string, text: string, values: unknown[]): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: connection, application_name: 'amanat-admin' })
  client.on('error', () => {}) // a lost connection rejects the running query too
  try {
    await client.connect()
    return await client.query(text, values)
  } catch (error) {
    throw new Error(`The embedded PostgreSQL refused: ${messageOf(error)}`, { cause: error })
  } finally {
    await client.end().catch(() => {})
  }
}

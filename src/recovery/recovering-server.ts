import type { ChildProcess } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { type Programs, preparePrograms, programsIn } from '../db/embedded-binaries.ts'
import { isFull, lastLines, openSocketFolder, readIfThere } from '../db/embedded-cluster.ts'
import { isRunning, signal, waitUntil } from '../db/embedded-process.ts'
import { RecoveryFault } from './recovery-fault.ts'

const RECOVERY_MS_MAX = 12 * 3_600_000
const STOP_MS_MAX = 60_000
const EMBEDDED_MAJOR = 18

/** PostgreSQL says this when the WAL ends before the moment that was asked for. */
const ENDED_BEFORE_TARGET = 'recovery ended before configured recovery target was reached'

/** A restored copy of a server: its files, who its superuser is, and the limits that it must not run below. */
export type RestoredFiles = {
  /** Folder of our own files around it (settings, log, socket key). */
  readonly folder: string
  readonly cluster: string
  readonly user: string
  readonly limits: Readonly<Record<string, string>>
  readonly programs: Programs
  /** Whether it is thrown away after a look: then nothing waits for the disk. */
  readonly throwaway: boolean
}

/** How far the server replays, and what it does then. */
export type ReplayTo =
  | { readonly kind: 'lsn'; readonly lsn: string }
  | { readonly kind: 'time'; readonly at: Date }
  | { readonly kind: 'end' }

export type RecoveringServer = {
  readonly url: (database: string) => string
  /** Stops cleanly. */
  readonly stop: () => Promise<void>
}

/**
 * The programs for data of this server version: ours, or those in `binFolder`.
 * @throws RecoveryFault `server_programs`
 */
export function programsFor(serverVersion: number, binFolder: string | undefined): Programs {
  const major = Math.floor(serverVersion / 10_000)
  if (binFolder !== undefined) {
    if (!fs.existsSync(path.join(binFolder, 'postgres')))
      throw new RecoveryFault('server_programs', `There is no program postgres in ${binFolder}.`)
    return programsIn(path.dirname(path.resolve(binFolder)))
  }
  if (major === EMBEDDED_MAJOR) return preparePrograms()
  throw new RecoveryFault(
    'server_programs',
    `The backup is of PostgreSQL ${major}; the one that Amanat brings is ${EMBEDDED_MAJOR}. Name the folder of the programs of PostgreSQL ${major} with --postgres, such as /usr/lib/postgresql/${major}/bin.`,
  )
}

/**
 * Starts a server on restored files and waits until it has replayed its WAL. To an LSN it pauses there and answers readers; to a time or
 * to the end it becomes an ordinary server. Only this user reaches it, by a socket.
 * Undefined when the WAL ends before the time that was asked for: replay to the end then.
 * @throws RecoveryFault `backup_damaged`
 */
export async function startRecovering(files: RestoredFiles, to: ReplayTo): Promise<RecoveringServer | undefined> {
  const host = openSocketFolder(files.folder, files.programs.owner)
  writeFiles(files)
  const log = path.join(files.folder, 'recovery.log')
  const output = fs.openSync(log, 'a', 0o600)
  const before = fs.fstatSync(output).size
  const child = files.programs.run(
    'postgres',
    ['-D', files.cluster, ...settingsOf(files, host, to)],
    ['ignore', output, output],
  )
  fs.closeSync(output)
  const ended = endOf(child)
  const isUp = (): boolean => {
    const status = readIfThere(path.join(files.cluster, 'postmaster.pid'))?.split('\n')[7]?.trim()
    return status === 'ready' || (to.kind === 'lsn' && status === 'standby')
  }
  await waitUntil(() => ended.how !== undefined || isUp(), RECOVERY_MS_MAX)
  const server = { url: (database: string) => urlOf(host, files.user, database), stop: () => stop(child, host) }
  if (ended.how === undefined && (to.kind !== 'lsn' || (await hasPaused(server.url('postgres'), ended)))) return server
  if (ended.how === undefined) await server.stop()
  const said = fs.readFileSync(log).subarray(before).toString('utf8')
  if (said.includes(ENDED_BEFORE_TARGET)) return undefined
  if (isFull(said)) throw new RecoveryFault('disk_full', `There is no room left on the disk of ${files.folder}.`)
  throw new RecoveryFault(
    'backup_damaged',
    `The restored files do not start (${ended.how ?? 'not ready'}): ${lastLines(said)}. The server's log is ${log}.`,
  )
}

type End = { how: string | undefined }

function endOf(child: ChildProcess): End {
  const end: End = { how: undefined }
  child.once('error', (error) => {
    end.how = error.message
  })
  child.once('exit', (code, by) => {
    end.how = `ended with ${code ?? by}`
  })
  return end
}

async function hasPaused(url: string, ended: End): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // the server may end, which `ended` tells
  await client.connect()
  try {
    const end = performance.now() + RECOVERY_MS_MAX
    while (ended.how === undefined && performance.now() < end) {
      const { rows } = await client.query<{ state: string }>('select pg_get_wal_replay_pause_state() as state')
      if (rows[0]?.state === 'paused') return true
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return false
  } catch {
    return false // it ended; its log says why
  } finally {
    await client.end().catch(() => {})
  }
}

function writeFiles({ folder, cluster, programs }: RestoredFiles): void {
  const write = (file: string, text: string): void => {
    fs.writeFileSync(file, text, { mode: 0o600 })
    if (programs.owner !== undefined) fs.chownSync(file, programs.owner.uid, programs.owner.gid)
  }
  write(path.join(folder, 'recovery.conf'), '')
  // The socket lies in a folder that only this user may enter.
  write(path.join(folder, 'recovery-hba.conf'), 'local all all trust\n')
  write(path.join(folder, 'recovery-ident.conf'), '')
  write(path.join(cluster, 'recovery.signal'), '') // recovery always ends in a new timeline
}

function settingsOf({ folder, limits, throwaway }: RestoredFiles, host: string, to: ReplayTo): readonly string[] {
  const target: Record<string, string> =
    to.kind === 'lsn'
      ? { recovery_target_lsn: to.lsn, recovery_target_action: 'pause' }
      : to.kind === 'time'
        ? {
            recovery_target_time: to.at.toISOString().replace('T', ' ').replace('Z', '+00'),
            recovery_target_action: 'promote',
          }
        : {}
  const all: Record<string, string> = {
    config_file: path.join(folder, 'recovery.conf'),
    hba_file: path.join(folder, 'recovery-hba.conf'),
    ident_file: path.join(folder, 'recovery-ident.conf'),
    listen_addresses: '',
    unix_socket_directories: host,
    unix_socket_permissions: '0700',
    timezone: 'UTC',
    log_timezone: 'UTC',
    archive_mode: 'off',
    autovacuum: 'off',
    ssl: 'off',
    log_min_error_statement: 'panic',
    hot_standby: to.kind === 'lsn' ? 'on' : 'off',
    recovery_target_timeline: 'current',
    // All WAL lies in pg_wal already: there is nothing else to fetch.
    restore_command: 'false',
    ...limits,
    ...target,
    ...(throwaway ? { fsync: 'off' } : {}),
  }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

function urlOf(host: string, user: string, database: string): string {
  return `postgresql://${encodeURIComponent(user)}@localhost/${encodeURIComponent(database)}?host=${encodeURIComponent(host)}`
}

async function stop(child: ChildProcess, host: string): Promise<void> {
  const pid = child.pid ?? 0
  signal(pid, 'SIGINT')
  if (!(await waitUntil(() => !isRunning(pid), STOP_MS_MAX))) signal(pid, 'SIGQUIT')
  await waitUntil(() => !isRunning(pid), STOP_MS_MAX)
  fs.rmSync(host, { recursive: true, force: true })
}

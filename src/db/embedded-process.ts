import fs from 'node:fs'
import path from 'node:path'

/** How long a condition is polled, and how often, in milliseconds. */
const POLL_INTERVAL_MS = 10

/** Waits until `isDone` says so; false when `timeoutMs` passed first. */
export async function waitUntil(isDone: () => boolean, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs
  while (!isDone()) {
    if (performance.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS))
  }
  return true
}

/** The fields of `/proc/<pid>/stat` that identify a process: its state letter and its start time in clock ticks since boot. */
export function readProcess(pid: number): { state: string; startTicks: string } | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in parentheses and may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, startTicks] = [fields[0], fields[19]]
    return state === undefined || startTicks === undefined ? undefined : { state, startTicks }
  } catch {
    return undefined
  }
}

/** Whether the process runs: a zombie (dead, not yet collected by its parent) does not. */
export function isRunning(pid: number): boolean {
  const found = readProcess(pid)
  return found !== undefined && found.state !== 'Z' && found.state !== 'X'
}

function isPostgres(pid: number): boolean {
  try {
    const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] ?? ''
    return path.basename(command) === 'postgres' || command.startsWith('postgres: ')
  } catch {
    return false
  }
}

/**
 * Running PostgreSQL processes (postmaster and backends) whose working folder is this cluster. PostgreSQL moves into its data folder
 * at start, so this finds the processes of a killed postmaster too, and never a process that merely got its old number.
 */
export function postgresProcessesIn(cluster: string): number[] {
  const folder = fs.realpathSync(cluster)
  const isInside = (pid: number) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/cwd`) === folder
    } catch {
      return false
    }
  }
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => isInside(pid) && isRunning(pid) && isPostgres(pid))
}

/** Sends a signal; a process that is gone already is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended by itself between the look and the signal: what we wanted.
  }
}

import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { EmbeddedFault, systemCode } from './embedded-fault.ts'
import { isRunning, readProcess, waitUntil } from './embedded-process.ts'

/** How often a lock is touched, and how long one from another container or boot is watched for that, in milliseconds. */
const HEARTBEAT_MS = 1_000
const WATCH_MS = 4_000

type Holder = { pid: number; startTicks: string; place: string }

/** Where a process number means something: this boot of this machine, and this container. */
export function thisPlace(): string {
  return `${fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fs.readlinkSync('/proc/self/ns/pid')}`
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { pid, startTicks, place } = value as Record<string, unknown>
    if (typeof pid !== 'number' || typeof startTicks !== 'string' || typeof place !== 'string') return undefined
    return { pid, startTicks, place }
  } catch {
    return undefined // half written when its process was killed
  }
}

/**
 * A process number alone proves nothing after a reboot or in another container: here its start time must be the same too, elsewhere
 * its lock must be touched again while we watch.
 */
async function isAlive(holder: Holder, file: string): Promise<boolean> {
  if (holder.place === thisPlace()) {
    return isRunning(holder.pid) && readProcess(holder.pid)?.startTicks === holder.startTicks
  }
  const touched = touchedAt(file)
  return waitUntil(() => touchedAt(file) !== touched, WATCH_MS)
}

function touchedAt(file: string): number | undefined {
  return fs.statSync(file, { throwIfNoEntry: false })?.ctimeMs
}

function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Moves a dead process's lock away; puts it back when a faster rival's fresh lock was taken instead. */
function clearStale(file: string, stale: string): void {
  const aside = `${file}.${randomBytes(6).toString('hex')}`
  try {
    fs.renameSync(file, aside)
    if (readText(aside) !== stale) fs.linkSync(aside, file)
    fs.unlinkSync(aside)
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes(systemCode(error) ?? '')) throw error
  }
}

/**
 * Makes this process the only Amanat on a data folder. A lock left by a killed process is replaced.
 * @returns the function that gives the folder back
 * @throws EmbeddedFault `folder_in_use`
 */
export async function lockFolder(folder: string): Promise<() => void> {
  const file = path.join(folder, 'amanat.lock')
  const startTicks = readProcess(process.pid)?.startTicks ?? ''
  const own = JSON.stringify({ pid: process.pid, startTicks, place: thisPlace() } satisfies Holder)
  for (let attempt = 0; attempt < 5; attempt++) {
    // Made aside and linked, so that the lock appears with its content or not at all.
    const draft = `${file}.${randomBytes(6).toString('hex')}`
    fs.writeFileSync(draft, own, { mode: 0o600 })
    try {
      fs.linkSync(draft, file)
      return keep(file, own)
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    } finally {
      fs.rmSync(draft, { force: true })
    }
    const found = readText(file)
    if (found === undefined) continue
    const holder = parseHolder(found)
    const isHeld = holder !== undefined && (await isAlive(holder, file))
    if (readText(file) !== found) continue // given back, or taken by a rival, while we watched
    if (isHeld) throw inUse(folder, holder.pid)
    clearStale(file, found)
  }
  throw inUse(folder, undefined)
}

/** Touches the lock (setting its mode anew changes its time of change) until it is given back. */
function keep(file: string, own: string): () => void {
  const touch = () => fs.chmod(file, 0o600, () => {}) // where the lock is gone there is nothing to touch
  const heartbeat = setInterval(touch, HEARTBEAT_MS).unref()
  return () => {
    clearInterval(heartbeat)
    if (readText(file) === own) fs.rmSync(file, { force: true })
  }
}

function inUse(folder: string, pid: number | undefined): EmbeddedFault {
  const who = pid === undefined ? '' : pid === process.pid ? ' (this very process)' : ` (process ${pid})`
  return new EmbeddedFault(
    'folder_in_use',
    `Another Amanat${who} is already using the data folder ${folder}. Stop it first, or name another folder (AMANAT_DATA for the sample network, database.embeddedFolder for a party of your own).`,
  )
}

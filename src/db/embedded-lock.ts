import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { EmbeddedFault, systemCode } from './embedded-fault.ts'
import { isRunning, readProcess } from './embedded-process.ts'

type Holder = { pid: number; startTicks: string; bootId: string }

function bootId(): string {
  return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { pid, startTicks, bootId: boot } = value as Record<string, unknown>
    if (typeof pid !== 'number' || typeof startTicks !== 'string' || typeof boot !== 'string') return undefined
    return { pid, startTicks, bootId: boot }
  } catch {
    return undefined // half written when its process was killed
  }
}

/** A process number alone proves nothing after a reboot or in a container: its start time and the boot must be the same too. */
function isAlive(holder: Holder): boolean {
  return (
    holder.bootId === bootId() && isRunning(holder.pid) && readProcess(holder.pid)?.startTicks === holder.startTicks
  )
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
export function lockFolder(folder: string): () => void {
  const file = path.join(folder, 'amanat.lock')
  const startTicks = readProcess(process.pid)?.startTicks ?? ''
  const own = JSON.stringify({ pid: process.pid, startTicks, bootId: bootId() } satisfies Holder)
  for (let attempt = 0; attempt < 5; attempt++) {
    // Made aside and linked, so that the lock appears with its content or not at all.
    const draft = `${file}.${randomBytes(6).toString('hex')}`
    fs.writeFileSync(draft, own, { mode: 0o600 })
    try {
      fs.linkSync(draft, file)
      return () => {
        if (readText(file) === own) fs.rmSync(file, { force: true })
      }
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    } finally {
      fs.rmSync(draft, { force: true })
    }
    const found = readText(file)
    if (found === undefined) continue
    const holder = parseHolder(found)
    if (holder !== undefined && isAlive(holder)) throw inUse(folder, holder.pid)
    clearStale(file, found)
  }
  throw inUse(folder, undefined)
}

function inUse(folder: string, pid: number | undefined): EmbeddedFault {
  const who = pid === undefined ? '' : pid === process.pid ? ' (this very process)' : ` (process ${pid})`
  return new EmbeddedFault(
    'folder_in_use',
    `Another Amanat${who} is already using the data folder ${folder}. Stop it first, or set AMANAT_DATA to another folder.`,
  )
}

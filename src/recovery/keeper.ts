import type { Logger } from 'pino'
import { type Machine, transact } from '../db/tx.ts'
import { baseIds, readManifest } from './backup-folder.ts'
import { retain, takeBaseBackup } from './base-backup.ts'
import { type DatabaseAddress } from './census.ts'
import { noteRun } from './commands.ts'
import { RecoveryFault } from './recovery-fault.ts'
import { signerOf } from './recovery-keys.ts'
import { openReplication } from './replication.ts'
import { readLastRun } from './store.ts'
import { archiveWal, type BackupTarget } from './wal-archive.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const RETRY_MS = 30_000
const LOOK_EVERY_MS = 60_000

export type KeeperNeeds = {
  readonly target: BackupTarget
  readonly databases: readonly DatabaseAddress[]
  readonly machine: Machine
  readonly program: string
  readonly everyHours: number
  readonly keepDays: number
  readonly lossSecondsMax: number
  /** Runs a drill; absent where the recovery key is kept elsewhere. */
  readonly drill: { readonly everyDays: number; readonly run: () => Promise<void> } | undefined
  readonly log: Logger
}

export type Keeper = { readonly stop: () => Promise<void> }

/** Keeps the backups of a running party: WAL all the time, a base backup each day, a drill each month. What fails is logged and tried again. */
export function keepBackups(needs: KeeperNeeds): Keeper {
  const stopping = new AbortController()
  const { signal } = stopping
  const loops = [
    again(needs, signal, 'WAL archive', RETRY_MS, () =>
      archiveWal(needs.target, { kind: 'stopped', everyMs: needs.lossSecondsMax * 1000, signal }).then(() => undefined),
    ),
    again(needs, signal, 'base backup', LOOK_EVERY_MS, () => baseWhenDue(needs)),
    ...(needs.drill === undefined ? [] : [again(needs, signal, 'drill', LOOK_EVERY_MS, () => drillWhenDue(needs))]),
  ]
  return {
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

async function again(
  needs: KeeperNeeds,
  signal: AbortSignal,
  what: string,
  everyMs: number,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await work()
    } catch (error) {
      if (!signal.aborted) needs.log.error({ err: error }, `backups: ${what} failed; it is tried again`)
    }
    if (!signal.aborted) await pause(everyMs, signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}

/** A base backup is due when the newest is old, or of another server or timeline: after a restore nothing of before fits. */
async function baseWhenDue({
  target,
  databases,
  machine,
  program,
  everyHours,
  keepDays,
  log,
}: KeeperNeeds): Promise<void> {
  const signer = signerOf(target.keys)
  const newest = baseIds(target.folder).at(-1)
  const last = newest === undefined ? undefined : readManifest(target.folder, newest, signer)
  const server = await openReplication(target.serverUrl)
  await server.close()
  const fits = last !== undefined && last.systemId === server.systemId && last.timeline === server.timeline
  if (fits && target.now().getTime() - Date.parse(last.at) < everyHours * HOUR_MS) return
  try {
    const manifest = await takeBaseBackup({ ...target, databases, program })
    const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
    await transact(machine, (tx) => noteRun(tx, { type: 'backup.taken', backup: manifest.id, bytes }))
    log.info({ backup: manifest.id, bytes, tookMs: manifest.tookMs }, 'backup taken')
    for (const id of retain(target.folder, keepDays * DAY_MS, target.now(), signer))
      log.info({ backup: id }, 'old backup deleted')
  } catch (error) {
    if (!(error instanceof RecoveryFault && error.code === 'in_use')) throw error
  }
}

async function drillWhenDue({ drill, machine, target }: KeeperNeeds): Promise<void> {
  if (drill === undefined || baseIds(target.folder).length === 0) return
  const last = await readLastRun(machine.db, 'recovery.drilled')
  if (last !== undefined && target.now().getTime() - last.at.getTime() < drill.everyDays * DAY_MS) return
  await drill.run()
}

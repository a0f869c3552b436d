import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { bytesToHex } from '@noble/hashes/utils.js'
import { EmbeddedFault } from '../db/embedded-fault.ts'
import { lockFolder } from '../db/embedded-lock.ts'
import {
  baseIds,
  basesFolder,
  clearUnfinished,
  type Manifest,
  makeFolder,
  publish,
  readManifest,
  walFolder,
  walPieces,
  writeManifest,
} from './backup-folder.ts'
import { type DatabaseAddress, takeCensus } from './census.ts'
import { formatLsn } from './lsn.ts'
import { RecoveryFault } from './recovery-fault.ts'
import { signerOf } from './recovery-keys.ts'
import { baseBackup, openReplication, openSlot } from './replication.ts'
import { type SealedFile, type Sealing, writeSealed } from './sealed-file.ts'
import { archiveUpTo, type BackupTarget, SLOT, walRun } from './wal-archive.ts'

export type BaseBackupOrder = BackupTarget & {
  /** Databases that are counted; the backup itself is of the whole server. */
  readonly databases: readonly DatabaseAddress[]
  readonly program: string
}

/** What a base backup inside of its folder is called: bound to its content. */
export function baseWhat(id: string, name: string): string {
  return `base/${id}/${name}`
}

/**
 * Takes a base backup: the files of the server, a census of its tables at one moment, and the WAL up to there. It counts only when all of
 * that lies on the disk: a kill before that leaves a folder with a dot, which the next run throws away.
 * @throws RecoveryFault `server_refused`, `in_use`, `disk_full`, `wal_missing`
 */
export async function takeBaseBackup(order: BaseBackupOrder): Promise<Manifest> {
  makeFolder(basesFolder(order.folder))
  const unlock = await lockFolder(basesFolder(order.folder)).catch((error: unknown) => {
    if (error instanceof EmbeddedFault && error.code === 'folder_in_use')
      throw new RecoveryFault('in_use', `Another backup into ${order.folder} is under way.`)
    throw error
  })
  try {
    clearUnfinished(order.folder)
    return await takeLocked(order)
  } catch (error) {
    clearUnfinished(order.folder)
    throw error
  } finally {
    unlock()
  }
}

async function takeLocked(order: BaseBackupOrder): Promise<Manifest> {
  const at = order.now()
  const id = `${at.toISOString().replace(/[-:]|\.\d+/g, '')}-${bytesToHex(order.random(3))}`
  const draft = join(basesFolder(order.folder), `.${id}`)
  makeFolder(draft)
  const sealing: Sealing = { recipient: order.keys.dataRecipient, keys: order.keys, random: order.random }
  const files: (SealedFile & { name: string })[] = []
  const keep = async (name: string, content: Readable): Promise<void> => {
    files.push({ name, ...(await writeSealed(join(draft, name), baseWhat(id, name), content, sealing)) })
  }
  const server = await openReplication(order.serverUrl)
  try {
    await openSlot(server, SLOT)
    const base = await baseBackup(server, keep)
    const { census, at: censusAt, needed } = await takeCensus(order.databases)
    const countedAt = order.now()
    await keep('census.json', Readable.from([JSON.stringify(census)]))
    await archiveUpTo(order, needed)
    const run = walRun(order.folder, server.systemId, base.timeline, base.start, signerOf(order.keys))
    if (run.end < needed)
      throw new RecoveryFault(
        'wal_missing',
        `The archive has no WAL after ${formatLsn(run.end)}, so the backup could not be restored. Files were removed from ${walFolder(order.folder, server.systemId, base.timeline)}: take the backup into an empty folder.`,
      )
    const manifest: Manifest = {
      format: 'amanat-backup/1',
      id,
      at: at.toISOString(),
      program: order.program,
      serverVersion: server.serverVersion,
      systemId: server.systemId,
      timeline: base.timeline,
      segmentBytes: server.segmentBytes,
      limits: server.limits,
      start: base.start,
      end: base.end,
      census: censusAt,
      censusAt: countedAt.toISOString(),
      user: server.client.user ?? '',
      databases: order.databases.map(({ name }) => name),
      tookMs: order.now().getTime() - at.getTime(),
      files,
    }
    await writeManifest(draft, manifest, order.keys.signingSeed)
    await publish(draft, join(basesFolder(order.folder), id))
    return manifest
  } finally {
    await server.close()
  }
}

/**
 * Deletes what no moment of the last `keepMs` needs: base backups that have a younger one before that time, and WAL before the oldest
 * base that stays. The newest base always stays. Returns the ids that were deleted.
 */
export function retain(folder: string, keepMs: number, now: Date, signer: Uint8Array): readonly string[] {
  const bases = baseIds(folder).flatMap((id) => {
    try {
      return [readManifest(folder, id, signer)]
    } catch {
      return [] // damaged, or of another party: not ours to delete; a restore names it
    }
  })
  const edge = now.getTime() - keepMs
  const old = bases.filter((_, i) => {
    const next = bases[i + 1]
    return next !== undefined && Date.parse(next.censusAt) <= edge
  })
  for (const { id } of old) {
    // Renamed first: a kill half way leaves nothing that looks whole.
    renameSync(join(basesFolder(folder), id), join(basesFolder(folder), `.${id}`))
    rmSync(join(basesFolder(folder), `.${id}`), { recursive: true, force: true })
  }
  const kept = bases.filter((each) => !old.includes(each))
  for (const { systemId, timeline } of old) {
    const needed = kept.filter((each) => each.systemId === systemId && each.timeline === timeline)
    const from = needed.map(({ start }) => start).toSorted((a, b) => (a < b ? -1 : 1))[0]
    for (const piece of walPieces(folder, systemId, timeline))
      if (from === undefined || piece.end <= from) rmSync(join(walFolder(folder, systemId, timeline), piece.name))
  }
  return old.map(({ id }) => id)
}

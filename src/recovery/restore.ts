import fs from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { extract } from 'tar'
import type { Programs } from '../db/embedded-binaries.ts'
import { EMBEDDED_USER, isFull } from '../db/embedded-cluster.ts'
import { messageOf } from '../db/embedded-fault.ts'
import { baseIds, basesFolder, type Manifest, pieceWhat, readManifest, walFolder } from './backup-folder.ts'
import { baseWhat } from './base-backup.ts'
import { type Census, censusSchema, countDatabase, type DatabaseCensus } from './census.ts'
import { formatLsn, type Lsn, segmentName, segmentStart } from './lsn.ts'
import { programsFor, type RecoveringServer, type RestoredFiles, startRecovering } from './recovering-server.ts'
import { RecoveryFault } from './recovery-fault.ts'
import type { RecoveryKey } from './recovery-keys.ts'
import { beginRestore, endRestore } from './restore-mark.ts'
import { readSealed, readSealedText } from './sealed-file.ts'
import { walRun } from './wal-archive.ts'

export type RestoreOrder = {
  readonly folder: string
  readonly recovery: RecoveryKey
  /** To this moment; to the end of the archived WAL when absent. */
  readonly to: Date | undefined
  /** Folder around the restored cluster: it must be empty, or with `again` hold a restore that was interrupted. The cluster is `into`/cluster, as the embedded server has it. */
  readonly into: string
  readonly again: boolean
  readonly now: () => Date
  /** Folder of PostgreSQL's programs, for another version than the one that Amanat brings. */
  readonly postgresBin: string | undefined
  readonly throwaway: boolean
  readonly say: (line: string) => void
}

/** How one table, or another thing that was counted, came out. */
export type CountDifference = {
  readonly database: string
  readonly what: string
  readonly backup: string
  readonly restored: string
}

export type Restored = {
  readonly manifest: Manifest
  readonly census: Census
  /** What differed from the census at its moment; empty when all is as it was. */
  readonly differences: readonly CountDifference[]
  /** The last transaction that was replayed, and until when the archive is known to be complete. */
  readonly reachedAt: Date | undefined
  readonly coveredUntil: Date | undefined
  /** How far the archive goes, and how far the party signed that it went when that is further. */
  readonly archive: { readonly end: Lsn; readonly missingTo: Lsn | undefined }
  readonly server: RecoveringServer
  readonly timesMs: { readonly unpacked: number; readonly counted: number; readonly replayed: number }
}

/**
 * Restores the newest backup before `to` into an empty folder: unpacks and checks every file, replays to the moment of the census and counts
 * every table, then replays to `to`. The server that runs on the result is the caller's to stop.
 * @throws RecoveryFault with one sentence for a person
 */
export async function restoreCluster(order: RestoreOrder): Promise<Restored> {
  const started = performance.now()
  const manifest = chooseBase(order)
  const run = walRun(order.folder, manifest.systemId, manifest.timeline, manifest.start, order.recovery.signer)
  requireCovered(order, manifest, run)
  const programs = programsFor(manifest.serverVersion, order.postgresBin)
  const files: RestoredFiles = {
    folder: order.into,
    cluster: path.join(order.into, 'cluster'),
    user: manifest.user,
    limits: manifest.limits,
    programs,
    throwaway: order.throwaway,
  }
  const { folder: from, to } = order
  await beginRestore(order.into, order, { startedAt: order.now(), backup: manifest.id, from, to })
  order.say(`Backup ${manifest.id} of ${manifest.at}, WAL to ${formatLsn(run.end)}.`)
  const census = await unpack(order, manifest, files.cluster, run.pieces)
  giveTo(files.cluster, programs)
  const unpacked = performance.now()
  const differences = await countAtCensus(files, manifest, census)
  const counted = performance.now()
  const server = await replay(files, order.to)
  const timesMs = { unpacked: unpacked - started, counted: counted - unpacked, replayed: performance.now() - counted }
  try {
    return {
      manifest,
      census,
      differences,
      reachedAt: await lastReplayed(server),
      coveredUntil: run.coveredUntil,
      archive: { end: run.end, missingTo: run.missingTo },
      server,
      timesMs,
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** The newest complete backup that lies before the moment. */
function chooseBase({ folder, recovery, to }: RestoreOrder): Manifest {
  const ids = baseIds(folder)
  if (ids.length === 0) throw new RecoveryFault('no_backup', `There is no complete backup in ${folder}.`)
  const manifests = ids.map((id) => readManifest(folder, id, recovery.signer))
  const fitting = manifests.filter(({ censusAt }) => to === undefined || Date.parse(censusAt) <= to.getTime())
  const found = fitting.at(-1)
  if (found !== undefined) return found
  throw new RecoveryFault(
    'time_not_covered',
    `The oldest backup in ${folder} is of ${manifests[0]?.censusAt}; nothing before that can be restored.`,
  )
}

function requireCovered(order: RestoreOrder, manifest: Manifest, run: ReturnType<typeof walRun>): void {
  const place = walFolder(order.folder, manifest.systemId, manifest.timeline)
  if (run.end < manifest.census)
    throw new RecoveryFault(
      'wal_missing',
      `The WAL after ${formatLsn(run.end)} is missing in ${place}: the backup ${manifest.id} cannot be restored.`,
    )
  if (run.unusable > 0) {
    const hole = `The WAL after ${formatLsn(run.end)} is missing in ${place}; ${run.unusable} later pieces cannot be used.`
    if (order.to !== undefined)
      throw new RecoveryFault('wal_missing', `${hole} Leave --to out to restore as far as it goes.`)
    order.say(hole)
  }
  if (run.missingTo !== undefined) {
    const cut = `The end of the WAL in ${place} was taken away: it went to ${formatLsn(run.missingTo)} and ends at ${formatLsn(run.end)}.`
    if (order.to !== undefined)
      throw new RecoveryFault('wal_missing', `${cut} Leave --to out to restore as far as it goes.`)
    order.say(cut)
  }
  if (order.to !== undefined && run.unusable === 0 && (run.coveredUntil === undefined || order.to > run.coveredUntil))
    throw new RecoveryFault(
      'time_not_covered',
      `The archive is complete until ${run.coveredUntil?.toISOString() ?? 'an unknown moment'} only. Name an earlier moment, or leave --to out to restore as far as it goes.`,
    )
}

async function unpack(
  order: RestoreOrder,
  manifest: Manifest,
  cluster: string,
  pieces: ReturnType<typeof walRun>['pieces'],
): Promise<Census> {
  const { folder, recovery } = order
  const at = (name: string): string => path.join(basesFolder(folder), manifest.id, name)
  const draft = path.join(order.into, 'cluster.new')
  fs.mkdirSync(draft, { mode: 0o700 })
  try {
    await pipeline(
      readSealed(at('base.tar'), baseWhat(manifest.id, 'base.tar'), recovery),
      extract({ cwd: draft, strict: true, preserveOwner: false }),
    )
    const pieceFolder = walFolder(folder, manifest.systemId, manifest.timeline)
    fs.mkdirSync(path.join(draft, 'pg_wal'), { recursive: true, mode: 0o700 })
    for (const { name, start } of pieces) {
      const what = pieceWhat(manifest.systemId, manifest.timeline, name)
      await writeWal(draft, manifest, start, readSealed(path.join(pieceFolder, name), what, recovery))
    }
    const census = await readSealedText(at('census.json'), baseWhat(manifest.id, 'census.json'), recovery)
    fs.renameSync(draft, cluster)
    return censusSchema.parse(JSON.parse(census))
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true })
    endRestore(order.into)
    if (isFull(messageOf(error)))
      throw new RecoveryFault('disk_full', `There is no room left on the disk of ${order.into} for the restored data.`)
    throw error
  }
}

/** Writes a piece of WAL into the segment files that it belongs to; what no piece has stays zero, where replay ends. */
async function writeWal(
  cluster: string,
  { timeline, segmentBytes }: Manifest,
  start: bigint,
  content: AsyncIterable<Buffer>,
): Promise<void> {
  let at = start
  for await (const part of content) {
    for (let done = 0; done < part.length; ) {
      const begin = segmentStart(at, segmentBytes)
      const offset = Number(at - begin)
      const length = Math.min(part.length - done, segmentBytes - offset)
      const file = path.join(cluster, 'pg_wal', segmentName(timeline, begin, segmentBytes))
      const handle = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600)
      try {
        if (fs.fstatSync(handle).size !== segmentBytes) fs.ftruncateSync(handle, segmentBytes)
        fs.writeSync(handle, part, done, length, offset)
      } finally {
        fs.closeSync(handle)
      }
      done += length
      at += BigInt(length)
    }
  }
}

function giveTo(root: string, { owner }: Programs): void {
  if (owner === undefined || fs.statSync(root).uid === owner.uid) return
  for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true }))
    fs.lchownSync(path.join(entry.parentPath, entry.name), owner.uid, owner.gid)
  fs.chownSync(root, owner.uid, owner.gid)
}

async function countAtCensus(
  files: RestoredFiles,
  manifest: Manifest,
  census: Census,
): Promise<readonly CountDifference[]> {
  const server = await startRecovering(files, { kind: 'lsn', lsn: formatLsn(manifest.census) })
  if (server === undefined)
    throw new RecoveryFault(
      'backup_damaged',
      `The WAL of the backup ${manifest.id} ends before the moment at which it was counted.`,
    )
  try {
    const found: CountDifference[] = []
    for (const expected of census.databases) {
      const client = new pg.Client({ connectionString: server.url(expected.name) })
      await client.connect()
      try {
        found.push(...compare(expected, await countDatabase(expected.name, client)))
      } finally {
        await client.end()
      }
    }
    return found
  } finally {
    await server.stop()
  }
}

function compare(expected: DatabaseCensus, found: DatabaseCensus): readonly CountDifference[] {
  const flat = ({ counts, migrations, log, lastEventAt }: DatabaseCensus): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(counts).map(([table, count]) => [`rows of ${table}`, String(count)])),
    'newest migration': migrations.at(-1) ?? 'none',
    migrations: String(migrations.length),
    log: log === null ? 'none' : `${log.size} entries, root ${log.root}`,
    'last event': lastEventAt ?? 'none',
  })
  const [backup, restored] = [flat(expected), flat(found)]
  return [...new Set([...Object.keys(backup), ...Object.keys(restored)])]
    .filter((what) => backup[what] !== restored[what])
    .map((what) => ({
      database: expected.name,
      what,
      backup: backup[what] ?? 'not there',
      restored: restored[what] ?? 'not there',
    }))
}

/** Where the archive has no transaction after the moment, its end is that moment: {@link requireCovered} has seen that it is covered. */
async function replay(files: RestoredFiles, to: Date | undefined): Promise<RecoveringServer> {
  const server = to === undefined ? undefined : await startRecovering(files, { kind: 'time', at: to })
  const ready = server ?? (await startRecovering(files, { kind: 'end' }))
  if (ready === undefined)
    throw new RecoveryFault('backup_damaged', 'The restored server did not come to the end of its WAL.')
  return ready
}

async function lastReplayed(server: RecoveringServer): Promise<Date | undefined> {
  const client = new pg.Client({ connectionString: server.url('postgres') })
  await client.connect()
  try {
    const { rows } = await client.query<{ at: Date | null }>('select pg_last_xact_replay_timestamp() as at')
    return rows[0]?.at ?? undefined
  } finally {
    await client.end()
  }
}

/** Makes restored files those of an embedded server: a password of its own, and none of the files that only the restore needed. */
export async function adoptAsEmbedded(into: string, server: RecoveringServer, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url('postgres') })
  await client.connect()
  try {
    await client.query(`alter role ${pg.escapeIdentifier(EMBEDDED_USER)} password ${pg.escapeLiteral(password)}`)
  } finally {
    await client.end()
  }
  fs.writeFileSync(path.join(into, 'password'), password, { mode: 0o600, flush: true })
}

/** Removes what only the restore needed, after its server has stopped. */
export function tidyRestored(into: string): void {
  for (const name of ['recovery.conf', 'recovery-hba.conf', 'recovery-ident.conf', 'recovery.log'])
    fs.rmSync(path.join(into, name), { force: true })
}

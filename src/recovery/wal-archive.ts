import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { EmbeddedFault } from '../db/embedded-fault.ts'
import { lockFolder } from '../db/embedded-lock.ts'
import type { Random } from '../db/tx.ts'
import { makeFolder, pieceName, pieceWhat, readReached, walFolder, walPieces, writeReached } from './backup-folder.ts'
import { formatLsn, type Lsn, segmentStart } from './lsn.ts'
import { RecoveryFault } from './recovery-fault.ts'
import type { BackupKeys } from './recovery-keys.ts'
import {
  openProbe,
  openReplication,
  openSlot,
  type Probe,
  type Replication,
  type WalPart,
  WalStream,
} from './replication.ts'
import { writeSealed } from './sealed-file.ts'

const PIECE_BYTES_MAX = 16 * 1024 * 1024
const CONFIRM_EVERY_MS = 10_000
const OTHERS_WAIT_MS = 60_000
const OTHERS_POLL_MS = 100

/** The slot that keeps WAL at the server until the archive has it. */
export const SLOT = 'amanat_backup'

/** From where to where a backup goes. */
export type BackupTarget = {
  readonly folder: string
  readonly keys: BackupKeys
  readonly serverUrl: string
  readonly random: Random
  readonly now: () => Date
}

/** What an archiver did: how far it came, how much it wrote, and whether WAL is missing before where it began. */
export type Archived = {
  readonly reached: Lsn
  readonly pieces: number
  readonly bytes: number
  readonly hasGap: boolean
}

export type ArchiveUntil =
  /** Ends when the archive has everything that the server has now. */
  | { readonly kind: 'now' }
  /** Ends as soon as the archive has everything up to there. */
  | { readonly kind: 'reached'; readonly lsn: Lsn }
  /** Goes on until it is stopped; a piece is closed at least every `everyMs`, which is what a crash of the machine can lose. */
  | {
      readonly kind: 'stopped'
      readonly everyMs: number
      readonly signal: AbortSignal
    }

/**
 * Archives the server's WAL into sealed pieces. What the archive has is confirmed to the server only when it lies safely on the disk; a
 * kill at any moment loses nothing, since the server keeps what was not confirmed.
 * @throws RecoveryFault `server_refused`, `in_use`, `disk_full`, `wal_missing`
 */
export async function archiveWal(target: BackupTarget, until: ArchiveUntil): Promise<Archived> {
  const server = await openReplication(target.serverUrl)
  const probe = await openProbe(target.serverUrl)
  try {
    const slotStart = await openSlot(server, SLOT)
    const place = walFolder(target.folder, server.systemId, server.timeline)
    makeFolder(place)
    const unlock = await lockFolder(place).catch((error: unknown) => {
      if (error instanceof EmbeddedFault && error.code === 'folder_in_use')
        throw new RecoveryFault('in_use', `Another Amanat archives into ${place} already.`)
      throw error
    })
    try {
      const { from, hasGap } = whereToBegin(target.folder, server, slotStart)
      const begun = await probe.look()
      const end = until.kind === 'now' ? ({ kind: 'reached', lsn: begun.flushed } as const) : until
      const covered = new Covered(target, server, probe.look, begun)
      return { ...(await follow(target, server, from, end, covered)), hasGap }
    } finally {
      unlock()
    }
  } finally {
    await probe.close()
    await server.close()
  }
}

/** The end of the archive, or, when there is none or the server has given up what follows it, the beginning of the slot. */
function whereToBegin(folder: string, server: Replication, slotStart: Lsn): { from: Lsn; hasGap: boolean } {
  const last = walPieces(folder, server.systemId, server.timeline).at(-1)?.end
  const first = segmentStart(slotStart, server.segmentBytes)
  if (last !== undefined && last >= first) return { from: last, hasGap: false }
  return { from: first, hasGap: last !== undefined }
}

async function follow(
  target: BackupTarget,
  server: Replication,
  from: Lsn,
  until: Exclude<ArchiveUntil, { kind: 'now' }>,
  covered: Covered,
): Promise<Omit<Archived, 'hasGap'>> {
  const turns = new Turns(until.kind === 'stopped' ? until.everyMs : CONFIRM_EVERY_MS)
  const stream = new WalStream(server, { slot: SLOT, from, onNews: () => (isDue() ? turns.wake() : undefined) })
  const isDue = (): boolean =>
    stream.gatheredBytes >= PIECE_BYTES_MAX || (until.kind === 'reached' && stream.received >= until.lsn)
  const hasEnded = (): boolean => (until.kind === 'reached' ? stream.received >= until.lsn : until.signal.aborted)
  if (until.kind === 'stopped') until.signal.addEventListener('abort', () => turns.wake(), { once: true })
  let broken: Error | undefined
  const ended = stream.ended.catch((error: unknown) => {
    broken = error instanceof Error ? error : new Error(String(error))
    turns.wake()
  })
  const count = { pieces: 0, bytes: 0 }
  let reached = from
  try {
    for (;;) {
      if (!hasEnded() && !isDue()) await turns.next()
      const part = stream.take()
      if (part !== undefined) {
        count.bytes += await savePiece(target, server, part)
        count.pieces++
        reached = part.start + BigInt(part.bytes.length)
      }
      if (broken !== undefined) throw lost(broken, reached)
      stream.confirm(reached, target.now())
      await covered.note(reached)
      if (hasEnded() && stream.gatheredBytes === 0) break
    }
    stream.finish()
    await ended
    return { reached, ...count }
  } finally {
    turns.stop()
  }
}

function lost(error: Error, reached: Lsn): RecoveryFault {
  return new RecoveryFault(
    'wal_missing',
    `The server stopped sending WAL after ${formatLsn(reached)}: ${error.message}`,
    { cause: error },
  )
}

async function savePiece({ folder, keys, random }: BackupTarget, server: Replication, part: WalPart): Promise<number> {
  const place = walFolder(folder, server.systemId, server.timeline)
  const name = pieceName(part.start, part.start + BigInt(part.bytes.length))
  const draft = join(place, `.${name}`)
  rmSync(draft, { force: true }) // of a run that was killed
  const what = pieceWhat(server.systemId, server.timeline, name)
  const { bytes } = await writeSealed(draft, what, Readable.from([part.bytes]), {
    recipient: keys.dataRecipient,
    keys,
    random,
  })
  renameSync(draft, join(place, name))
  return bytes
}

/**
 * Makes sure that the archive has everything up to `lsn`: archives it, or waits for the Amanat that archives already.
 * @throws RecoveryFault as {@link archiveWal}
 */
export async function archiveUpTo(target: BackupTarget, lsn: Lsn): Promise<Archived> {
  try {
    return await archiveWal(target, { kind: 'reached', lsn })
  } catch (error) {
    if (!(error instanceof RecoveryFault && error.code === 'in_use')) throw error
  }
  const server = await openReplication(target.serverUrl)
  await server.close()
  const end = (): Lsn => walPieces(target.folder, server.systemId, server.timeline).at(-1)?.end ?? 0n
  for (let waitedMs = 0; end() < lsn; waitedMs += OTHERS_POLL_MS) {
    if (waitedMs > OTHERS_WAIT_MS)
      throw new RecoveryFault(
        'in_use',
        `The Amanat that archives WAL did not come to ${formatLsn(lsn)} within a minute.`,
      )
    await new Promise((resolve) => setTimeout(resolve, OTHERS_POLL_MS))
  }
  return { reached: end(), pieces: 0, bytes: 0, hasGap: false }
}

/** The stretch of archived WAL without a hole that has `start`: where it ends, its pieces, and how long it is known to be complete. */
export type WalRun = {
  readonly end: Lsn
  readonly pieces: readonly { readonly name: string; readonly start: Lsn; readonly end: Lsn }[]
  readonly coveredUntil: Date | undefined
  /** How far the party signed that the archive went, where that is further than it goes: somebody took its end away. */
  readonly missingTo: Lsn | undefined
  /** What is archived behind a hole, and cannot be used. */
  readonly unusable: number
}

/** Reads {@link WalRun}. */
export function walRun(folder: string, systemId: string, timeline: number, start: Lsn, signer: Uint8Array): WalRun {
  const pieces = walPieces(folder, systemId, timeline).filter((piece) => piece.end > start)
  const run: (typeof pieces)[number][] = []
  let end = start
  for (const piece of pieces) {
    if (piece.start > end) break
    run.push(piece)
    if (piece.end > end) end = piece.end
  }
  const reached = existsSync(folder) ? readReached(folder, systemId, timeline, signer) : undefined
  const isWhole = run.length === pieces.length && reached !== undefined && reached.lsn <= end
  const missingTo = reached !== undefined && run.length === pieces.length && reached.lsn > end ? reached.lsn : undefined
  const coveredUntil = isWhole ? reached.at : undefined
  return { end, pieces: run, coveredUntil, missingTo, unusable: pieces.length - run.length }
}

/** Writes down until when the archive has everything that was acknowledged: a later moment cannot be promised. */
class Covered {
  readonly #target: BackupTarget
  readonly #server: Replication
  readonly #look: () => Promise<Probe>
  #probe: Probe

  constructor(target: BackupTarget, server: Replication, look: () => Promise<Probe>, begun: Probe) {
    this.#target = target
    this.#server = server
    this.#look = look
    this.#probe = begun
  }

  async note(reached: Lsn): Promise<void> {
    if (reached < this.#probe.flushed) return
    await this.#write(reached)
    this.#probe = await this.#look()
    if (reached >= this.#probe.flushed) await this.#write(reached)
  }

  #write(lsn: Lsn): Promise<void> {
    const { systemId, timeline } = this.#server
    const { folder, keys } = this.#target
    return writeReached(folder, systemId, timeline, { lsn, at: this.#probe.at }, keys.signingSeed)
  }
}

/** Waits for a wake-up or until time has passed. A wake-up between two waits is not lost. */
class Turns {
  readonly #everyMs: number
  #timer: NodeJS.Timeout | undefined
  #resolve: (() => void) | undefined
  #isDue = false

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  next(): Promise<void> {
    if (this.#isDue) {
      this.#isDue = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      this.#resolve = resolve
      this.#timer = setTimeout(() => this.wake(), this.#everyMs)
    })
  }

  wake(): void {
    clearTimeout(this.#timer)
    const resolve = this.#resolve
    this.#resolve = undefined
    if (resolve === undefined) this.#isDue = true
    else resolve()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

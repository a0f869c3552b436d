import { bytesToHex } from '@noble/hashes/utils.js'
import type { SignedCheckpoint } from '../../crypto/checkpoint.ts'
import { verifierOf } from '../../crypto/cosignature.ts'
import { formatNote } from '../../crypto/signed-note.ts'
import { type Machine, transact } from '../../db/tx.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { isRefusal } from '../../kernel/refusal.ts'
import { checkSigned, type LogSource } from '../verify.ts'
import { monitorName } from '../witness.ts'
import { endStalls, type NewAlarm, raiseAlarm } from './alarm.ts'
import { compareCheckpoints } from './compare.ts'
import { findSeen, saveSeen, touchSeen } from './seen-store.ts'

/** A log of our network, and where it and what witnesses saw of it are read. */
export type WatchedLog = {
  readonly origin: string
  readonly vkey: string
  readonly own: boolean
  readonly source: LogSource
  readonly witnesses: readonly { readonly name: string; readonly source: LogSource }[]
}

/** What a look at a log found. */
export type Look = {
  /** New alarms of this look, in words. */
  readonly alarms: readonly string[]
  /** What could not be seen: nothing answered, or not enough. */
  readonly notes: readonly string[]
}

/** A smaller checkpoint than one that was seen so shortly ago may come from a cache. */
const CACHE_MS = 60_000

/**
 * Looks at a log and at what witnesses cosigned of it, compares both with what we saw before, keeps the newest, and raises an alarm for
 * a fork, a rollback, or a log that answers but no longer grows.
 */
export async function lookAtLog(machine: Machine, log: WatchedLog): Promise<Look> {
  const alarms: string[] = []
  const notes: string[] = []
  const raise = async (alarm: Omit<NewAlarm, 'origin' | 'own'>): Promise<void> => {
    const { origin, own } = log
    const isNew = await transact(machine, (tx) => raiseAlarm(tx, { origin, own, ...alarm }))
    if (isNew) alarms.push(alarm.detail)
  }
  const now = await readSigned(log, log.source, 'checkpoint')
  if (typeof now === 'string') {
    notes.push(now)
    return { alarms, notes }
  }
  await compareWithMemory(machine, log, now, { raise, notes })
  for (const { name, source } of log.witnesses) {
    const seen = await readSigned(log, source, `${monitorName(log.origin)}/checkpoint`)
    if (typeof seen === 'string') notes.push(`${name}: ${seen}`)
    else await compareWithSighting(log, now, seen, name, { raise, notes })
  }
  return { alarms, notes }
}

/** Compares a checkpoint that somebody handed in with the log as it is served now. */
export async function lookAtSighting(machine: Machine, log: WatchedLog, seen: SignedCheckpoint): Promise<Look> {
  const alarms: string[] = []
  const notes: string[] = []
  const now = await readSigned(log, log.source, 'checkpoint')
  if (typeof now === 'string') return { alarms, notes: [now] }
  const raise = async (alarm: Omit<NewAlarm, 'origin' | 'own'>): Promise<void> => {
    const { origin, own } = log
    if (await transact(machine, (tx) => raiseAlarm(tx, { origin, own, ...alarm }))) alarms.push(alarm.detail)
  }
  await compareWithSighting(log, now, seen, 'a receipt', { raise, notes })
  return { alarms, notes }
}

type Telling = {
  readonly raise: (alarm: Omit<NewAlarm, 'origin' | 'own'>) => Promise<void>
  readonly notes: string[]
}

/** Reads a checkpoint and checks the log's signature; a text says why there is none. */
async function readSigned(log: WatchedLog, source: LogSource, path: string): Promise<SignedCheckpoint | string> {
  const verifier = verifierOf(log.vkey)
  if (isRefusal(verifier)) return verifier.detail
  try {
    const bytes = await source.read(path)
    if (bytes === undefined) return `there is no ${path} at ${source.name}`
    const signed = checkSigned(new TextDecoder().decode(bytes), verifier)
    return isRefusal(signed) ? signed.detail : signed
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function compareWithMemory(
  machine: Machine,
  log: WatchedLog,
  now: SignedCheckpoint,
  { raise, notes }: Telling,
): Promise<void> {
  const { origin } = log
  const { size } = now.checkpoint
  const remembered = await findSeen(machine.db, origin)
  if (remembered === undefined) return transact(machine, (tx) => saveSeen(tx, origin, size, noteOf(now)))
  const verifier = verifierOf(log.vkey)
  const before = isRefusal(verifier) ? verifier : checkSigned(remembered.note, verifier)
  // Kept under another key: what we remember is of a log that is not watched any more.
  if (isRefusal(before)) return transact(machine, (tx) => saveSeen(tx, origin, size, noteOf(now)))
  if (size < before.checkpoint.size) {
    if (machine.now().getTime() - remembered.grownAt.getTime() < CACHE_MS) return
    await raise(rollback(before, now, 'we'))
    return
  }
  const comparison = await compareCheckpoints(before, now, log.source, LIMITS.logWatchTilesMax)
  if (comparison.stand === 'fork') return raise(fork(before, now, comparison.why, 'us'))
  if (comparison.stand === 'grown')
    return transact(machine, async (tx) => {
      await saveSeen(tx, origin, size, noteOf(now))
      await endStalls(tx, origin)
    })
  if (comparison.stand === 'unproven') notes.push(comparison.why)
  await transact(machine, (tx) => touchSeen(tx, origin))
  const restedMs = machine.now().getTime() - remembered.grownAt.getTime()
  if (log.own || restedMs < LIMITS.logStallMs) return
  const since = remembered.grownAt.toISOString()
  await raise({
    kind: 'stall',
    mark: `${before.checkpoint.size} ${since}`,
    detail: `${origin} answers, and has not grown beyond ${before.checkpoint.size} entries since ${since}`,
  })
}

async function compareWithSighting(
  log: WatchedLog,
  now: SignedCheckpoint,
  seen: SignedCheckpoint,
  by: string,
  { raise, notes }: Telling,
): Promise<void> {
  let present = now
  if (seen.checkpoint.size > present.checkpoint.size) {
    // It may have grown since we looked.
    const again = await readSigned(log, log.source, 'checkpoint')
    if (typeof again === 'string') return void notes.push(again)
    present = again
  }
  if (seen.checkpoint.size > present.checkpoint.size) return raise(rollback(seen, present, by))
  const comparison = await compareCheckpoints(seen, present, log.source, LIMITS.logWatchTilesMax)
  if (comparison.stand === 'fork') return raise(fork(seen, present, comparison.why, by))
  if (comparison.stand === 'unproven') notes.push(comparison.why)
}

function rollback(seen: SignedCheckpoint, now: SignedCheckpoint, by: string): Omit<NewAlarm, 'origin' | 'own'> {
  const { origin, size } = seen.checkpoint
  return {
    kind: 'rollback',
    mark: `${size}`,
    detail: `${origin} had ${size} entries when ${by} saw it and has ${now.checkpoint.size} now: it was rolled back to an older copy`,
    evidence: { seen: noteOf(seen), now: noteOf(now) },
  }
}

function fork(
  seen: SignedCheckpoint,
  now: SignedCheckpoint,
  why: string,
  by: string,
): Omit<NewAlarm, 'origin' | 'own'> {
  const { size, root } = seen.checkpoint
  return {
    kind: 'fork',
    mark: `${size} ${bytesToHex(root)}`,
    detail: `${why}: the log shows another history than ${by} saw`,
    evidence: { seen: noteOf(seen), now: noteOf(now) },
  }
}

/** The whole note, signatures of witnesses too: evidence for others. */
function noteOf({ note }: SignedCheckpoint): string {
  return formatNote(note)
}

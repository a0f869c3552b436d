import type { Logger } from 'pino'
import { type Machine, transact } from '../../db/tx.ts'
import type { Outbound } from '../../http/outbound.ts'
import type { Chore } from '../../jobs/schedule.ts'
import { isRefusal } from '../../kernel/refusal.ts'
import { latestCheckpoint } from '../store.ts'
import { askForStamp } from './ask.ts'
import { findStamps, saveStamp } from './store.ts'
import { readRoots } from './token.ts'

const LOOK_EVERY_MS = 60_000
const HOUR_MS = 3_600_000
const RETRY_MS_MIN = 60_000
const RETRY_MS_MAX = 6 * HOUR_MS

export type TimestampNeeds = { readonly machine: Machine; readonly outbound: Outbound; readonly logger: Logger }

/** Which authority, how often, and the certificates in PEM that its time-stamps must lead to. */
export type TimestampSettings = { readonly url: string; readonly everyHours: number; readonly ca: string }

/** Has the newest checkpoint stamped every so many hours. After a failure it waits twice as long each time, up to six hours. */
export function timestampChores(
  settings: TimestampSettings | undefined,
  { machine, outbound, logger }: TimestampNeeds,
): readonly Chore[] {
  if (settings === undefined) return []
  const authority = { url: settings.url, roots: readRoots(settings.ca) }
  const wait = { untilMs: 0, delayMs: RETRY_MS_MIN }
  const run = async (): Promise<void> => {
    const nowMs = machine.now().getTime()
    if (nowMs < wait.untilMs) return
    const [last] = await findStamps(machine.db, 1)
    if (last !== undefined && nowMs < last.at.getTime() + settings.everyHours * HOUR_MS) return
    const latest = await latestCheckpoint(machine.db)
    if (latest === undefined || latest.size === last?.size) return
    // No transaction is open while we wait for the authority.
    const stamp = await askForStamp({ ...machine, outbound }, authority, new TextEncoder().encode(latest.note))
    if (isRefusal(stamp)) {
      wait.untilMs = nowMs + wait.delayMs
      wait.delayMs = Math.min(RETRY_MS_MAX, wait.delayMs * 2)
      logger.warn({ authority: settings.url }, `log: ${stamp.detail}`)
      return
    }
    wait.delayMs = RETRY_MS_MIN
    await transact(machine, (tx) => saveStamp(tx, latest.size, stamp))
  }
  return [{ name: 'log time-stamps', everyMs: LOOK_EVERY_MS, run }]
}

import type { Logger } from 'pino'
import { parseSignedCheckpoint } from '../../crypto/checkpoint.ts'
import { formatVkey } from '../../crypto/signed-note.ts'
import { type Machine, transact } from '../../db/tx.ts'
import type { Outbound } from '../../http/outbound.ts'
import type { Chore } from '../../jobs/schedule.ts'
import type { JobHandler } from '../../jobs/worker.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { must } from '../../kernel/refusal.ts'
import type { OwnLog } from '../log.ts'
import { record } from '../record.ts'
import { serveCheckpoint, serveTile } from '../serve.ts'
import { latestCheckpointTime, oldestQueued } from '../store.ts'
import type { LogSource } from '../verify.ts'
import { endStalls, raiseAlarm } from './alarm.ts'
import { lookAtLog, lookAtSighting, type WatchedLog } from './watch-log.ts'

const LOOK_EVERY_MS = 10_000
const TILE_BYTES_MAX = 256 * 32

export type WatchNeeds = {
  readonly machine: Machine
  readonly log: OwnLog
  readonly outbound: Outbound
  readonly logger: Logger
}

/** Looks at every log of the network, the own one too, again and again. */
export function watchChores(needs: WatchNeeds): readonly Chore[] {
  const { machine, log, logger } = needs
  const looks = watchedLogs(needs).map(
    (watched): Chore => ({
      name: `watch ${watched.origin}`,
      everyMs: LOOK_EVERY_MS,
      run: async () => {
        const { alarms, notes } = await lookAtLog(machine, watched)
        for (const what of alarms) logger.error({ log: watched.origin }, `log alarm: ${what}`)
        for (const what of notes) logger.debug({ log: watched.origin }, `log watch: ${what}`)
      },
    }),
  )
  const own: Chore = {
    name: 'watch the own sequencer',
    everyMs: LOOK_EVERY_MS,
    run: async () => {
      const found = await watchSequencer(machine, log)
      if (found !== undefined) logger.error(`log alarm: ${found}`)
    },
  }
  return [...looks, own]
}

/** The own log, and those of the policy that say where they are. */
function watchedLogs({ machine, log, outbound }: Omit<WatchNeeds, 'logger'>): readonly WatchedLog[] {
  const policy = log.policy
  const witnesses = (policy?.witnesses ?? []).flatMap(({ name, url }) => (url === undefined ? [] : [{ name, url }]))
  const asked = new Map(
    [...log.witnesses, ...witnesses].map(({ name, url }) => [url, { name, source: urlSource(outbound, url) }]),
  )
  const origin = log.signer.key.name
  const own: WatchedLog = {
    origin,
    vkey: formatVkey(log.signer.key),
    own: true,
    source: ownSource(machine),
    witnesses: [...asked.values()],
  }
  const others = (policy?.logs ?? []).flatMap((other): readonly WatchedLog[] =>
    other.url === undefined || other.origin === origin
      ? []
      : [
          {
            origin: other.origin,
            vkey: other.vkey,
            own: false,
            source: urlSource(outbound, other.url),
            witnesses: witnesses.map(({ name, url }) => ({ name, source: urlSource(outbound, url) })),
          },
        ],
  )
  return [own, ...others]
}

/**
 * Whether the own sequencer keeps up: entries that wait too long are a stall. After a while without any event it records one, so that
 * others can tell a log at rest from one that stands still. Returns the words of a new alarm.
 */
export async function watchSequencer(machine: Machine, log: OwnLog): Promise<string | undefined> {
  return transact(machine, async (tx) => {
    const origin = log.signer.key.name
    const oldest = await oldestQueued(tx.db)
    if (oldest !== undefined && tx.now.getTime() - oldest.getTime() > LIMITS.logWaitMs) {
      const since = oldest.toISOString()
      const detail = `entries of ${origin} wait for a checkpoint since ${since}: the sequencer stands still`
      return (await raiseAlarm(tx, { origin, own: true, kind: 'stall', mark: since, detail })) ? detail : undefined
    }
    await endStalls(tx, origin)
    const last = await latestCheckpointTime(tx.db)
    if (oldest === undefined && last !== undefined && tx.now.getTime() - last.getTime() >= LIMITS.logHeartbeatMs)
      await record(tx, { type: 'log.alive', actor: { kind: 'system', id: 'log-watch' } })
    return undefined
  })
}

export const SIGHTING_JOB = 'log.sighting'
export type SightingPayload = { readonly note: string }

/** Compares a checkpoint that was handed in with its log. */
export function sightingHandler(needs: WatchNeeds): JobHandler {
  const known = watchedLogs(needs)
  return async (machine, job) => {
    const { note } = job.payload as SightingPayload
    const signed = must(parseSignedCheckpoint(note))
    const watched = known.find(({ origin }) => origin === signed.checkpoint.origin)
    if (watched === undefined) return { outcome: 'done' }
    const { alarms, notes } = await lookAtSighting(machine, watched, signed)
    for (const what of alarms) needs.logger.error({ log: watched.origin }, `log alarm: ${what}`)
    const [why] = notes
    return why === undefined ? { outcome: 'done' } : { outcome: 'retry', error: why }
  }
}

/** The own log without the detour over the network. */
function ownSource(machine: Machine): LogSource {
  return {
    name: 'our own log',
    read: async (path) => {
      const answer = path.startsWith('tile/') ? await serveTile(machine.db, path) : await serveCheckpoint(machine.db)
      if (answer.status !== 200) return undefined
      return answer.body instanceof Uint8Array ? answer.body : new TextEncoder().encode(String(answer.body))
    },
  }
}

/** A log or witness by the party's one way out. Throws when no answer, or another one than 200 and 404, comes. */
function urlSource(outbound: Outbound, prefix: string): LogSource {
  const base = prefix.replace(/\/+$/, '')
  return {
    name: base,
    read: async (path) => {
      const outcome = await outbound.call({
        method: 'GET',
        url: `${base}/${path}`,
        headers: {},
        answerBytesMax: path.startsWith('tile/') ? TILE_BYTES_MAX : LIMITS.witnessBodyBytesMax,
      })
      if (outcome.kind !== 'answered') throw new Error(`${base} did not answer: ${outcome.reason}`)
      if (outcome.status === 404) return undefined
      if (outcome.status !== 200) throw new Error(`${base}/${path} answered ${outcome.status}`)
      return new Uint8Array(outcome.body)
    },
  }
}

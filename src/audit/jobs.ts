import type { Logger } from 'pino'
import { encodeBase64 } from '../crypto/base64.ts'
import { parseSize } from '../crypto/checkpoint.ts'
import { consistencyRanges } from '../crypto/merkle.ts'
import { formatSignature, openNote, parseNote } from '../crypto/signed-note.ts'
import { type Machine, transact } from '../db/tx.ts'
import type { Outbound } from '../http/outbound.ts'
import type { Chore } from '../jobs/schedule.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type OwnLog, verifierOfConfigured, type Witness } from './log.ts'
import { makeRowWalk } from './row-walk.ts'
import { sequenceNow } from './sequencer.ts'
import { hashesFromTiles, latestCheckpoint, type StoredCheckpoint } from './store.ts'
import { raiseAlarm } from './watch/alarm.ts'
import { saveCosignature, saveWitnessFault, saveWitnessSize, witnessState } from './witness-store.ts'

/** A little less than a second, since a turn takes its time too: a checkpoint each second. */
const SEQUENCE_EVERY_MS = 700
const WITNESS_EVERY_MS = 2_000
const CHECK_ROWS_EVERY_MS = 600_000
/** The first try, one with the size from an answer 409, and one more if we grew or it moved meanwhile. */
const TRIES_MAX = 3

/** Posts text; throws when no complete answer arrives. The witness may have acted nevertheless. */
export type SendText = (url: string, body: string) => Promise<{ readonly status: number; readonly body: string }>

/** {@link SendText} over the party's one way out. */
export function sendTextThrough(outbound: Outbound): SendText {
  return async (url, body) => {
    const headers = { 'content-type': 'text/plain; charset=utf-8' }
    const outcome = await outbound.call({ method: 'POST', url, headers, body })
    if (outcome.kind !== 'answered') throw new Error(outcome.reason)
    return { status: outcome.status, body: outcome.body.toString('utf8') }
  }
}

export type LogChoreNeeds = {
  readonly machine: Machine
  readonly log: OwnLog
  readonly send: SendText
  readonly logger: Logger
}

/**
 * What keeps the log going: sequencing about once a second, one chore for each witness, and the check that stored rows still are what
 * the log says. For `startSchedule`.
 */
export function logChores({ machine, log, send, logger }: LogChoreNeeds): readonly Chore[] {
  const sequence: Chore = {
    name: 'log sequencer',
    everyMs: SEQUENCE_EVERY_MS,
    run: async () => {
      await sequenceNow(machine, log.signer)
    },
  }
  return [
    sequence,
    ...log.witnesses.map((witness) => witnessChore({ machine, log, send, logger }, witness)),
    checkRowsChore(machine, logger),
  ]
}

/** Asks one witness. What it answers again and again is said once, and that it is well again. */
export function witnessChore({ machine, log, send, logger }: LogChoreNeeds, witness: Witness): Chore {
  let said: string | undefined
  return {
    name: `log witness ${witness.name}`,
    everyMs: WITNESS_EVERY_MS,
    run: async () => {
      const result = await askWitness(machine, witness, send)
      if (result.outcome === 'alarm') await raiseOwn(machine, log, witness, result)
      const why = 'why' in result ? result.why : undefined
      if (why !== undefined && why !== said)
        logger[result.outcome === 'alarm' ? 'error' : 'warn']({ witness: witness.name }, `log: ${why}`)
      if (result.outcome === 'cosigned' && said !== undefined)
        logger.info({ witness: witness.name }, 'log: cosigned again')
      if (result.outcome !== 'nothing-new') said = why
    },
  }
}

function checkRowsChore(machine: Machine, logger: Logger): Chore {
  const walk = makeRowWalk(machine)
  return {
    name: 'log rows check',
    everyMs: CHECK_ROWS_EVERY_MS,
    run: async () => {
      for (const { event, index, what } of await walk())
        logger.error({ event, index }, `log: ${what}: the database was changed behind our back`)
    },
  }
}

export type WitnessResult =
  | { readonly outcome: 'nothing-new' }
  | { readonly outcome: 'cosigned'; readonly size: number }
  /** Not this time: down, slow, or it does not know us. Tried again. */
  | { readonly outcome: 'failed'; readonly why: string }
  /** The witness remembers another log than ours: rolled back, or forked. Somebody must look. */
  | {
      readonly outcome: 'alarm'
      readonly why: string
      readonly kind: 'fork' | 'rollback'
      /** How many entries the witness saw. */
      readonly seen: number
    }

/**
 * Brings one witness up to our newest checkpoint: sends it with the consistency proof from the size it has, checks and keeps the
 * cosignature. Needs no memory of whether an earlier try arrived: a witness that has it already says so with 409, and cosigns again.
 */
export async function askWitness(machine: Machine, witness: Witness, send: SendText): Promise<WitnessResult> {
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const latest = await latestCheckpoint(machine.db)
    if (latest === undefined) return { outcome: 'nothing-new' }
    const state = await witnessState(machine.db, witness.name, latest.size)
    if (state.hasLatest) return { outcome: 'nothing-new' }
    if (state.size > latest.size)
      return alarm(machine, witness, 'rollback', state.size, rolledBack(witness, state.size, latest.size))
    const answer = await sendSafely(send, witness, await requestBody(machine, latest, state.size))
    if ('why' in answer) return fail(machine, witness, answer.why)
    if (answer.status === 200) return keepCosignature(machine, witness, latest, answer.body)
    if (answer.status === 422) {
      const why = `${witness.name} saw another tree of ${state.size} leaves than ours: the log was forked or changed`
      return alarm(machine, witness, 'fork', state.size, why)
    }
    const size = answer.status === 409 ? parseSize(answer.body.trim()) : undefined
    if (size === undefined) return fail(machine, witness, `${witness.name} answered ${answer.status}`)
    await transact(machine, (tx) => saveWitnessSize(tx, witness.name, size))
  }
  return fail(machine, witness, `${witness.name} kept answering 409`)
}

function rolledBack(witness: Witness, theirs: number, ours: number): string {
  return `${witness.name} has seen ${theirs} entries, we have ${ours}: the log was rolled back to an older copy`
}

async function requestBody(machine: Machine, latest: StoredCheckpoint, old: number): Promise<string> {
  const ranges = consistencyRanges(old, latest.size)
  const proof = await hashesFromTiles(machine.db, ranges, latest.size)
  return `old ${old}\n${proof.map((hash) => `${encodeBase64(hash)}\n`).join('')}\n${latest.note}`
}

async function sendSafely(
  send: SendText,
  witness: Witness,
  body: string,
): Promise<{ status: number; body: string } | { why: string }> {
  try {
    return await send(`${witness.url}/add-checkpoint`, body)
  } catch (error) {
    return { why: `${witness.name} did not answer: ${error instanceof Error ? error.message : String(error)}` }
  }
}

async function keepCosignature(
  machine: Machine,
  witness: Witness,
  latest: StoredCheckpoint,
  lines: string,
): Promise<WitnessResult> {
  const text = latest.note.slice(0, latest.note.lastIndexOf('\n\n') + 1)
  const note = parseNote(`${text}\n${lines}`)
  const good = isRefusal(note) ? note : openNote(note, [verifierOfConfigured(witness.vkey)])
  const [signature] = isRefusal(good) ? [] : good
  if (signature === undefined)
    return fail(machine, witness, `${witness.name} answered with no good cosignature of its key`)
  await transact(machine, (tx) => saveCosignature(tx, witness.name, latest.size, formatSignature(signature)))
  return { outcome: 'cosigned', size: latest.size }
}

async function fail(machine: Machine, witness: Witness, why: string): Promise<WitnessResult> {
  await transact(machine, (tx) => saveWitnessFault(tx, witness.name, why))
  return { outcome: 'failed', why }
}

async function alarm(
  machine: Machine,
  witness: Witness,
  kind: 'fork' | 'rollback',
  seen: number,
  why: string,
): Promise<WitnessResult> {
  await transact(machine, (tx) => saveWitnessFault(tx, witness.name, why))
  return { outcome: 'alarm', why, kind, seen }
}

/** Our own log is not what a witness saw: disclosures stop until somebody has looked. */
async function raiseOwn(
  machine: Machine,
  log: OwnLog,
  witness: Witness,
  { kind, seen, why }: Extract<WitnessResult, { outcome: 'alarm' }>,
): Promise<void> {
  const origin = log.signer.key.name
  const mark = kind === 'rollback' ? `${seen}` : `${witness.name} ${seen}`
  await transact(machine, (tx) => raiseAlarm(tx, { origin, own: true, kind, mark, detail: why }))
}

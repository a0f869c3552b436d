import type { Logger } from 'pino'
import { type Machine, transact } from '../db/tx.ts'
import type { Chore } from '../jobs/schedule.ts'
import { LIMITS } from '../kernel/limits.ts'
import { FIRST_PATIENT, type PatientPlace, patientsWithKeys } from '../vault/data-keys.ts'
import { type AuditEvent, announce, record } from './record.ts'
import type { Disagreement, Replay } from './replay.ts'
import { checkNobody, checkPatient } from './replay-check.ts'
import { DATABASE, isAcknowledged, raiseAlarm } from './watch/alarm.ts'

const PATIENTS_EVERY_MS = 60_000
const NOBODY_EVERY_MS = 300_000

/** `subject`: the id of the thing, or the event that names it where the id would name a patient. */
export type RowDiffersEvent = AuditEvent & {
  readonly type: 'row.differs'
  readonly subject: string
  readonly kind: string
  readonly what: Disagreement['what']
}

/** Raises an alarm for each row that is not what the log says and records it, once for each content. Answers what is new. */
export async function reportDisagreements(
  machine: Machine,
  found: readonly Disagreement[],
): Promise<readonly Disagreement[]> {
  const fresh: Disagreement[] = []
  for (const one of found) {
    const { kind, name, what, detail, mark } = one
    const isNew = await transact(machine, async (tx) => {
      if (!(await raiseAlarm(tx, { origin: DATABASE, own: true, kind: 'differs', mark, detail }))) return false
      const actor = { kind: 'system', id: 'log-replay' } as const
      const event = { type: 'row.differs', actor, subject: name, kind, what } satisfies RowDiffersEvent
      await announce(tx, await record(tx, event))
      return true
    })
    if (isNew) fresh.push(one)
  }
  return fresh
}

/** Those of which no operator has said why they stand. */
export async function unacknowledged(
  machine: Machine,
  found: readonly Disagreement[],
): Promise<readonly Disagreement[]> {
  const open: Disagreement[] = []
  for (const one of found)
    if (!(await isAcknowledged(machine.db, { origin: DATABASE, kind: 'differs', mark: one.mark }))) open.push(one)
  return open
}

/** Walks over everybody, some patients at each turn, round and round; begins anywhere. A turn gives what was not known before. */
export function makePatientReplay(
  machine: Machine,
  replays: readonly Replay[],
  patientsMax: number = LIMITS.replayPatientsPerTurnMax,
): () => Promise<readonly Disagreement[]> {
  let place: PatientPlace | undefined
  return async () => {
    const from = place ?? { bucket: (machine.random(1)[0] ?? 0) - 1, patient: '' }
    const next = await transact(machine, (tx) => patientsWithKeys(tx, from, patientsMax))
    const found: Disagreement[] = []
    for (const { patient } of next) found.push(...(await checkPatient(machine, replays, patient)))
    place = next.length < patientsMax ? FIRST_PATIENT : (next.at(-1) ?? FIRST_PATIENT)
    return reportDisagreements(machine, found)
  }
}

/** Compares rows with what the log says of them, again and again: of patients in turn, of staff, partners and operators at once. */
export function replayChores(machine: Machine, replays: readonly Replay[], logger: Logger): readonly Chore[] {
  const tell = (found: readonly Disagreement[]): void => {
    for (const { detail } of found) logger.error(`log alarm: a row of the database is not what the log says: ${detail}`)
  }
  const turn = makePatientReplay(machine, replays)
  return [
    {
      name: 'rows of patients against the log',
      everyMs: PATIENTS_EVERY_MS,
      run: async () => tell(await turn()),
    },
    {
      name: 'rows of staff and partners against the log',
      everyMs: NOBODY_EVERY_MS,
      run: async () => tell(await reportDisagreements(machine, await checkNobody(machine, replays))),
    },
  ]
}

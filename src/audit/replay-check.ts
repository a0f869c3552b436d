import { sql } from 'kysely'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { existingPatientKey, FIRST_PATIENT, patientsWithKeys } from '../vault/data-keys.ts'
import { openBody, patientTag } from './record.ts'
import { type Disagreement, disagreements, type LoggedEvent, type ReadEvent, type Replay, replay } from './replay.ts'

/** Events about nobody that are read at once. */
const EVENTS_AT_ONCE = 2_000
const FIRST_ID = '00000000-0000-0000-0000-000000000000'

/** The log and the rows as they were at one moment: nothing that happens meanwhile makes them differ. */
function inSnapshot<T>(machine: Machine, work: (tx: Tx) => Promise<T>): Promise<T> {
  return transact(machine, async (tx) => {
    await sql`set transaction isolation level repeatable read read only`.execute(tx.db)
    return work(tx)
  })
}

type Placed = {
  readonly id: string
  readonly body: Uint8Array
  readonly leaf: number | null
  readonly seq: number | null
}

/** What was recorded, in the order of the log. An event that has no place in it is none: somebody put its row there. */
const inOrder = <T extends Pick<Placed, 'leaf' | 'seq'>>(events: readonly T[]): readonly T[] =>
  events
    .filter(({ leaf, seq }) => leaf !== null || seq !== null)
    .toSorted((a, b) => (a.leaf ?? Infinity) - (b.leaf ?? Infinity) || (a.seq ?? 0) - (b.seq ?? 0))

const typesOf = (replays: readonly Replay[]): readonly string[] => [
  ...new Set(replays.flatMap(({ says }) => Object.keys(says))),
]

/** What of one patient's rows is not what the log says; nothing where her key is gone. */
export async function checkPatient(
  machine: Machine,
  replays: readonly Replay[],
  patient: string,
): Promise<readonly Disagreement[]> {
  return inSnapshot(machine, async (tx) => {
    const key = await existingPatientKey(tx, patient)
    if (key === undefined) return []
    const bucket = bucketOf(patient)
    const { rows } = await sql<Placed>`
      select e.id, e.body, l.leaf_index as leaf, q.seq from audit_event e
      left join log_leaf l on l.event = e.id left join log_queue q on q.event = e.id
      where e.bucket = ${bucket} and e.patient_tag = ${Buffer.from(patientTag(key, patient))}
        and e.type = any(${typesOf(replays)}::text[])`.execute(tx.db)
    const events = inOrder(rows).flatMap(({ id, body }): readonly LoggedEvent[] => {
      const opened = openBody(id, body, { key, patient })
      return opened === undefined ? [] : [{ id, event: opened.event as ReadEvent }]
    })
    const found: Disagreement[] = []
    for (const kind of replays) {
      if (kind.about !== 'patient') continue
      const logged = replay(kind, events)
      const stored = await kind.rows({ patient, bucket, ids: [...logged.keys()] }).execute(tx.db)
      found.push(...disagreements(kind, logged, stored.rows))
    }
    return found
  })
}

/** What of the rows that are about no patient is not what the log says. */
export async function checkNobody(machine: Machine, replays: readonly Replay[]): Promise<readonly Disagreement[]> {
  const kinds = replays.filter((kind) => kind.about === 'nobody')
  if (kinds.length === 0) return []
  return inSnapshot(machine, async (tx) => {
    const events = await eventsOfNobody(tx, typesOf(kinds))
    const found: Disagreement[] = []
    for (const kind of kinds)
      found.push(...disagreements(kind, replay(kind, events), (await kind.rows().execute(tx.db)).rows))
    return found
  })
}

const PATIENTS_AT_ONCE = 500

/** Everything once, page by page: for a drill, and for who asks. */
export async function checkEverybody(
  machine: Machine,
  replays: readonly Replay[],
): Promise<{ readonly patients: number; readonly found: readonly Disagreement[] }> {
  const found = [...(await checkNobody(machine, replays))]
  let patients = 0
  for (let place = FIRST_PATIENT; ; ) {
    const next = await transact(machine, (tx) => patientsWithKeys(tx, place, PATIENTS_AT_ONCE))
    for (const { patient } of next) found.push(...(await checkPatient(machine, replays, patient)))
    patients += next.length
    const last = next.at(-1)
    if (last === undefined) return { patients, found }
    place = last
  }
}

/** The types stand in the text of the query, so that PostgreSQL sees that the index of just these will do. */
async function eventsOfNobody(tx: Tx, types: readonly string[]): Promise<readonly LoggedEvent[]> {
  const found: (Pick<Placed, 'leaf' | 'seq'> & LoggedEvent)[] = []
  for (let after = FIRST_ID; ; ) {
    const { rows } = await sql<Placed>`
      /* all buckets: events about nobody are spread by chance */
      select e.id, e.body, l.leaf_index as leaf, q.seq from audit_event e
      left join log_leaf l on l.event = e.id left join log_queue q on q.event = e.id
      where e.patient_tag is null and e.type in (${sql.join(types.map((type) => sql.lit(type)))}) and e.id > ${after}::uuid
      order by e.id limit ${EVENTS_AT_ONCE}`.execute(tx.db)
    for (const { id, body, leaf, seq } of rows) {
      const opened = openBody(id, body)
      if (opened !== undefined) found.push({ id, event: opened.event as ReadEvent, leaf, seq })
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < EVENTS_AT_ONCE) return inOrder(found)
    after = last.id
  }
}

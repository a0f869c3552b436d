import { CompiledQuery, sql } from 'kysely'
import { posted } from '../db/pipelined-client.ts'
import type { Machine, Tx } from '../db/tx.ts'
import { sealed, sealedJson } from '../db/veil.ts'
import { type Id, makeId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'

/** What leaves the building or waits for time. Each kind has one handler (see `worker.ts`). */
export type NewJob = {
  readonly kind: string
  readonly payload: object
  /** Jobs of one lane leave in the order they were enqueued; a failing one holds back the later ones until it is dead. */
  readonly lane?: string
  /** Not before this time; at once when absent. */
  readonly runAt?: Date
}

export type Job = {
  readonly id: Id<'job'>
  readonly kind: string
  readonly payload: unknown
  /** 1 at the first try. */
  readonly attempt: number
}

const INSERT = 'insert into job (id, kind, lane, payload, status, created_at, run_at) values ($1, $2, $3, $4, $5, $6, '
/** When a job of a lane is due: it must wait for the head of its lane, so it is not looked at before that is tried again. */
const NOT_BEFORE_HEAD = `greatest($7::timestamptz,
  (select run_at from job where lane = $3 and status = 'waiting' order by seq limit 1)))`
const INSERT_IN_LANE = posted(INSERT + NOT_BEFORE_HEAD)
const INSERT_ALONE = posted(`${INSERT}$7)`)

/** Puts a job into the queue in the transaction of its cause: it exists if and only if the cause does. */
export async function enqueue(tx: Tx, { kind, lane, payload, runAt }: NewJob): Promise<Id<'job'>> {
  const id = makeId<'job'>(tx.now, tx.random, toBucket(0))
  const values = [id, kind, lane ?? null, sealedJson(payload), 'waiting', tx.now, runAt ?? tx.now]
  await tx.db.executeQuery(CompiledQuery.raw(lane === undefined ? INSERT_ALONE : INSERT_IN_LANE, values))
  tx.afterCommit(tx.wake)
  return id
}

/**
 * Takes up to `limit` due jobs for `LIMITS.jobLeaseMs`; a worker that dies loses its lease and the job runs again.
 * The head of a lane only: the rest of the lane waits for it.
 */
export async function claimJobs(machine: Pick<Machine, 'db' | 'now'>, limit: number): Promise<readonly Job[]> {
  const now = machine.now()
  const { rows } = await sql<{ id: string; kind: string; payload: unknown; attempts: number }>`
    update job set attempts = attempts + 1, claimed_until = ${new Date(now.getTime() + LIMITS.jobLeaseMs)}
    where id in (
      select id from job waiting
      where status = 'waiting' and run_at <= ${now} and (claimed_until is null or claimed_until < ${now})
        and (lane is null or not exists (
          select 1 from job earlier where earlier.lane = waiting.lane and earlier.status = 'waiting' and earlier.seq < waiting.seq))
      order by run_at, seq limit ${limit} for update skip locked)
    returning id, kind, payload, attempts`.execute(machine.db)
  return rows.map((row) => ({ id: row.id as Id<'job'>, kind: row.kind, payload: row.payload, attempt: row.attempts }))
}

/** Ends a job as done or dead, or sets its next try. Only while it still waits: a redelivery may have overtaken us. */
export async function settleJob(
  tx: Tx,
  job: Job,
  end:
    | { readonly status: 'done' }
    | { readonly status: 'dead'; readonly error: string }
    | { readonly status: 'waiting'; readonly error: string; readonly runAt: Date },
): Promise<void> {
  await tx.db
    .updateTable('job')
    .set({
      status: end.status,
      claimed_until: null,
      // A peer's words, which may repeat what it was told.
      last_error: 'error' in end ? sealed(end.error.slice(0, LIMITS.answerKeptCharsMax)) : null,
      ...(end.status === 'waiting' ? { run_at: end.runAt } : { ended_at: tx.now }),
      // What left needs its payload no more, and may hold a one-time password or demographics.
      ...(end.status === 'done' ? { payload: '{}' } : {}),
    })
    .where('id', '=', job.id)
    .where('status', '=', 'waiting')
    .execute()
  if (end.status === 'waiting') await holdLaneBack(tx, job, end.runAt)
}

/** Jobs behind a head that is tried again later wait as long: or every look for work would find them due and pass over them. */
async function holdLaneBack(tx: Tx, head: Job, until: Date): Promise<void> {
  await sql`update job as behind set run_at = ${until} from job as head
    where head.id = ${head.id} and behind.lane = head.lane and behind.status = 'waiting' and behind.seq > head.seq
      and behind.run_at < ${until}`.execute(tx.db)
}

/** Puts a dead job back, by hand of an operator: all its tries are new. False when there is no such dead job. */
export async function redeliverJob(tx: Tx, id: Id<'job'>): Promise<boolean> {
  const result = await tx.db
    .updateTable('job')
    .set({ status: 'waiting', attempts: 0, run_at: tx.now, ended_at: null, claimed_until: null })
    .where('id', '=', id)
    .where('status', '=', 'dead')
    .executeTakeFirst()
  if (result.numUpdatedRows === 1n) tx.afterCommit(tx.wake)
  return result.numUpdatedRows === 1n
}

/** Lets all that waits for another try leave now; what waits for its date stays. How many there are. */
export async function hurryJobs(tx: Tx): Promise<number> {
  const result = await tx.db
    .updateTable('job')
    .set({ run_at: tx.now })
    .where('status', '=', 'waiting')
    .where('run_at', '>', tx.now)
    .where((eb) => eb.or([eb('attempts', '>', 0), eb('lane', 'in', lanesTriedAgain(tx))]))
    .executeTakeFirst()
  tx.afterCommit(tx.wake)
  return Number(result.numUpdatedRows)
}

/** Lanes whose head is tried again: what stands behind it waits as long as it does. */
function lanesTriedAgain(tx: Tx) {
  return tx.db.selectFrom('job').select('lane').where('status', '=', 'waiting').where('attempts', '>', 0)
}

/** Full jitter around exponential growth, so that a recovering peer is not struck by all at once. `attempt` starts at 1. */
export function retryDelayMs(attempt: number, random: (bytes: number) => Uint8Array): number {
  const ceiling = Math.min(LIMITS.jobRetryDelayMsMax, LIMITS.jobRetryDelayMsMin * 2 ** (attempt - 1))
  const [high = 0, low = 0] = random(2)
  const share = (high * 256 + low) / 65_536
  return Math.round(ceiling / 2 + (ceiling / 2) * share)
}

export type OpenJob = {
  readonly id: string
  /** Its place in the queue. */
  readonly seq: number
  readonly kind: string
  /** Of a message that waits to be sent. */
  readonly path: string | null
  readonly status: string
  readonly attempts: number
  readonly runAt: Date
  readonly lastError: string | null
}

/** Waiting jobs and dead letters, oldest first: all, or those behind a `seq`. */
export async function listOpenJobs(
  tx: Tx,
  { after = 0, limit }: { readonly after?: number | undefined; readonly limit: number },
): Promise<readonly OpenJob[]> {
  const rows = await tx.db
    .selectFrom('job')
    .select(['id', 'seq', 'kind', 'status', 'attempts', 'run_at', 'last_error', 'payload'])
    .where('status', '<>', 'done')
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    id: row.id,
    seq: row.seq,
    kind: row.kind,
    path: pathIn(row.payload),
    status: row.status,
    attempts: row.attempts,
    runAt: row.run_at,
    lastError: row.last_error,
  }))
}

function pathIn(payload: unknown): string | null {
  const path = typeof payload === 'object' && payload !== null && 'path' in payload ? payload.path : undefined
  return typeof path === 'string' ? path : null
}

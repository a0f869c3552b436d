import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Tables } from '../../db/tables.generated.ts'
import type { Tx } from '../../db/tx.ts'
import type { Actor } from '../../kernel/caller.ts'
import { type Id, makeId, toBucket } from '../../kernel/id.ts'
import { type Refusal, refuse } from '../../kernel/refusal.ts'
import { type AuditEvent, announce, record } from '../record.ts'

/**
 * What can be wrong with a log: it shows two histories, it lost entries, it stands still. And with the database beside it: a row by which
 * somebody proves who they are was not written by this program (`tampered.ts`), or a row is not what the log says of it
 * (`../replay-jobs.ts`). And with the work: what people here owe a patient by a date was not done. The gravest first; only the first two
 * stop disclosures.
 */
export const ALARM_KINDS = ['fork', 'rollback', 'tampered', 'differs', 'stall', 'overdue'] as const
export type AlarmKind = (typeof ALARM_KINDS)[number]

/** What an alarm about rows names in place of a log. */
export const DATABASE = 'the database of this party'

/** The two sides that contradict each other, as signed notes. */
export type Evidence = { readonly seen: string; readonly now?: string }

export type NewAlarm = {
  readonly origin: string
  readonly own: boolean
  readonly kind: AlarmKind
  /** What makes this observation the same as another one: a size, a root. */
  readonly mark: string
  readonly detail: string
  readonly evidence?: Evidence
}

export type LogAlarm = {
  readonly id: Id<'alarm'>
  readonly origin: string
  readonly own: boolean
  readonly kind: AlarmKind
  readonly detail: string
  readonly evidence?: Evidence
  readonly raisedAt: Date
  readonly endedAt?: Date
  readonly acknowledged?: { readonly at: Date; readonly by: string; readonly reason: string }
}

export type AlarmEvent = AuditEvent & {
  readonly type: 'log.alarm-raised' | 'log.alarm-ended' | 'log.alarm-acknowledged'
  readonly origin: string
  readonly kind: AlarmKind
  readonly detail?: string
  readonly reason?: string
}

const SYSTEM: Actor = { kind: 'system', id: 'log-watch' }

const fingerprintOf = ({ origin, kind, mark }: Pick<NewAlarm, 'origin' | 'kind' | 'mark'>): string =>
  createHash('sha256')
    .update(JSON.stringify([origin, kind, mark]))
    .digest('hex')

/** Raises an alarm and records it, unless the same observation stands there already, acknowledged or not. True when it is new. */
export async function raiseAlarm(tx: Tx, alarm: NewAlarm): Promise<boolean> {
  const { origin, own, kind, detail, evidence } = alarm
  const fingerprint = fingerprintOf(alarm)
  const id = makeId<'alarm'>(tx.now, tx.random, toBucket(0))
  const inserted = await tx.db
    .insertInto('log_alarm')
    .values({
      id,
      origin,
      own,
      kind,
      fingerprint,
      detail,
      evidence: evidence === undefined ? null : JSON.stringify(evidence),
      raised_at: tx.now,
    })
    .onConflict((c) => c.column('fingerprint').doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows !== 1n) return false
  const event = { type: 'log.alarm-raised', actor: SYSTEM, subject: id, origin, kind, detail } as const
  await announce(tx, await record(tx, event satisfies AlarmEvent))
  return true
}

/** Ends the stalls of a log that grows again. */
export function endStalls(tx: Tx, origin: string): Promise<void> {
  return endAlarms(tx, origin, 'stall', [])
}

/** Ends alarms of what was overdue and is done: all but those of `marks`. */
export function endOverdue(tx: Tx, origin: string, marks: readonly string[]): Promise<void> {
  return endAlarms(tx, origin, 'overdue', marks)
}

async function endAlarms(tx: Tx, origin: string, kind: AlarmKind, except: readonly string[]): Promise<void> {
  const kept = except.map((mark) => fingerprintOf({ origin, kind, mark }))
  let query = tx.db
    .updateTable('log_alarm')
    .set({ ended_at: tx.now })
    .where('origin', '=', origin)
    .where('kind', '=', kind)
    .where('ended_at', 'is', null)
  if (kept.length > 0) query = query.where('fingerprint', 'not in', kept)
  for (const { id } of await query.returning('id').execute()) {
    const event = { type: 'log.alarm-ended', actor: SYSTEM, subject: id, origin, kind } as const
    await announce(tx, await record(tx, event satisfies AlarmEvent))
  }
}

/** An operator looked and says why work goes on. */
export async function acknowledgeAlarm(
  tx: Tx,
  id: Id<'alarm'>,
  by: { readonly actor: Actor; readonly reason: string },
): Promise<LogAlarm | Refusal> {
  const [row] = await tx.db
    .updateTable('log_alarm')
    .set({ acknowledged_at: tx.now, acknowledged_by: by.actor.id, reason: by.reason })
    .where('id', '=', id)
    .where('acknowledged_at', 'is', null)
    .returningAll()
    .execute()
  if (row === undefined) return refuse('request/not-found', 'There is no such alarm that waits for an answer.')
  const alarm = toAlarm(row)
  const { origin, kind } = alarm
  const event = {
    type: 'log.alarm-acknowledged',
    actor: by.actor,
    subject: id,
    origin,
    kind,
    reason: by.reason,
  } as const
  await announce(tx, await record(tx, event satisfies AlarmEvent))
  return alarm
}

/** Whether an operator said why work goes on though this was observed. */
export async function isAcknowledged(
  db: Kysely<Tables>,
  observed: Pick<NewAlarm, 'origin' | 'kind' | 'mark'>,
): Promise<boolean> {
  const row = await db
    .selectFrom('log_alarm')
    .select('id')
    .where('fingerprint', '=', fingerprintOf(observed))
    .where('acknowledged_at', 'is not', null)
    .executeTakeFirst()
  return row !== undefined
}

/** Alarms, newest first; `open`: only those that nobody acknowledged and that did not end, the gravest kind first. */
export async function listAlarms(
  db: Kysely<Tables>,
  filter: { readonly open: boolean; readonly limit: number },
): Promise<readonly LogAlarm[]> {
  let query = db.selectFrom('log_alarm').selectAll().limit(filter.limit)
  if (filter.open)
    query = query
      .where('acknowledged_at', 'is', null)
      .where('ended_at', 'is', null)
      .orderBy(sql`array_position(${sql.val(ALARM_KINDS)}::text[], kind)`)
  return (await query.orderBy('id', 'desc').execute()).map(toAlarm)
}

/** How many alarms are open, of each kind; `own`: about our own log. Kinds without one are left out. */
export async function countAlarms(
  db: Kysely<Tables>,
): Promise<readonly { readonly kind: AlarmKind; readonly own: boolean; readonly count: number }[]> {
  const rows = await db
    .selectFrom('log_alarm')
    .select((e) => ['kind', 'own', e.fn.countAll<string>().as('count')])
    .where('acknowledged_at', 'is', null)
    .where('ended_at', 'is', null)
    .groupBy(['kind', 'own'])
    .execute()
  return rows.map(({ kind, own, count }) => ({ kind: kind as AlarmKind, own, count: Number(count) }))
}

/**
 * Why nothing may be disclosed now: others saw our log otherwise than it stands here, and nobody has said why. What would be recorded
 * now could be lost as what was recorded then.
 */
export async function disclosureStop(tx: Pick<Tx, 'db'>): Promise<Refusal | undefined> {
  const { rows } = await sql<{ origin: string }>`select origin from log_alarm
    where own and kind in ('fork', 'rollback') and acknowledged_at is null and ended_at is null limit 1`.execute(tx.db)
  return rows.length === 0 ? undefined : refuse('log/in-doubt')
}

type Row = {
  readonly id: string
  readonly origin: string
  readonly own: boolean
  readonly kind: string
  readonly detail: string
  readonly evidence: unknown
  readonly raised_at: Date
  readonly ended_at: Date | null
  readonly acknowledged_at: Date | null
  readonly acknowledged_by: string | null
  readonly reason: string | null
}

function toAlarm(row: Row): LogAlarm {
  const { id, origin, own, kind, detail, evidence } = row
  return {
    id: id as Id<'alarm'>,
    origin,
    own,
    kind: kind as AlarmKind,
    detail,
    ...(evidence === null ? {} : { evidence: evidence as Evidence }),
    raisedAt: row.raised_at,
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.acknowledged_at === null
      ? {}
      : { acknowledged: { at: row.acknowledged_at, by: row.acknowledged_by ?? '', reason: row.reason ?? '' } }),
  }
}

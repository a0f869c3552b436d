import { type Selectable, sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { VisitTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { bucketOfId, type Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import type { TodayScope } from './rules.ts'
import { type Attendance, type Attendant, type Presence, VISIT_MOVES, type Visit, type VisitKind } from './visit.ts'

export async function insertVisit(
  tx: Tx,
  recorded: Recorded<AuditEvent>,
  visit: Pick<Visit, 'id' | 'patientReference' | 'kind' | 'queueNumber' | 'startedBy' | 'presence'>,
  attendants: readonly Attendant[],
): Promise<void> {
  insistOnMove(VISIT_MOVES, 'none', 'open', 'visit')
  await tx.db
    .insertInto('visit')
    .values({
      bucket: bucketOf(visit.patientReference),
      id: visit.id,
      patient_reference: pseudonym(visit.patientReference),
      kind: visit.kind,
      status: 'open',
      queue_number: visit.queueNumber ?? null,
      started_at: tx.now,
      ended_at: null,
      started_by: visit.startedBy ?? null,
      presence: visit.presence ?? null,
      confirmed_at: null,
    })
    .execute()
  await addAttendants(tx, recorded, visit.id, attendants, visit.startedBy)
}

/** One who attended before attends again from now. */
export async function addAttendants(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  visit: Id<'visit'>,
  attendants: readonly Attendant[],
  addedBy: Id<'staff'> | undefined,
): Promise<void> {
  if (attendants.length === 0) return
  const bucket = bucketOfId(visit)
  const since = { from_at: tx.now, until_at: null, added_by: addedBy ?? null }
  await tx.db
    .insertInto('visit_attendant')
    .values(attendants.map((attendant) => ({ bucket, visit, attendant, ...since })))
    .onConflict((c) => c.columns(['bucket', 'visit', 'attendant']).doUpdateSet(since))
    .execute()
}

export async function endAttendance(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  visit: Id<'visit'>,
  attendants: readonly Attendant[] | 'all',
): Promise<void> {
  let query = tx.db
    .updateTable('visit_attendant')
    .set({ until_at: tx.now })
    .where('bucket', '=', bucketOfId(visit))
    .where('visit', '=', visit)
    .where('until_at', 'is', null)
  if (attendants !== 'all') query = query.where('attendant', 'in', [...attendants])
  await query.execute()
}

export async function confirmStay(tx: Tx, _recorded: Recorded<AuditEvent>, visit: Id<'visit'>): Promise<void> {
  const result = await tx.db
    .updateTable('visit')
    .set({ confirmed_at: tx.now })
    .where('bucket', '=', bucketOfId(visit))
    .where('id', '=', visit)
    .where('status', '=', 'open')
    .where('kind', '=', 'inpatient')
    .executeTakeFirst()
  insistOnOne(result, `stay ${visit}`)
}

export async function endVisit(tx: Tx, recorded: Recorded<AuditEvent>, visit: Visit): Promise<void> {
  insistOnMove(VISIT_MOVES, visit.status, 'ended', 'visit')
  const result = await tx.db
    .updateTable('visit')
    .set({ status: 'ended', ended_at: tx.now })
    .where('bucket', '=', bucketOfId(visit.id))
    .where('id', '=', visit.id)
    .where('status', '=', visit.status)
    .executeTakeFirst()
  insistOnOne(result, `visit ${visit.id}`)
  await endAttendance(tx, recorded, visit.id, 'all')
}

/** Reads and locks one, so that its end and other attendants follow one another. */
export async function lockVisit(tx: Tx, id: Id<'visit'>): Promise<Visit | undefined> {
  const row = await tx.db
    .selectFrom('visit')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && (await withAttendants(tx, [row]))[0]
}

/** Visits of one patient, latest first. */
export async function visitsOf(tx: Tx, patientReference: string, limit: number): Promise<readonly Visit[]> {
  const rows = await tx.db
    .selectFrom('visit')
    .selectAll()
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .orderBy('started_at', 'desc')
    .limit(limit)
    .execute()
  return withAttendants(tx, rows)
}

/**
 * Visits that are open, or were begun since a time, within a scope: stays from before come last, else the earliest first. `after` is a
 * visit of that list, or one that was there.
 */
export async function todaysVisits(
  tx: Tx,
  since: Date,
  scope: Exclude<TodayScope, 'none'>,
  { after, limit }: { readonly after: Id<'visit'> | undefined; readonly limit: number },
): Promise<readonly Visit[]> {
  const isOlderStay = (alias: string) =>
    sql`(${sql.ref(`${alias}.kind`)} = 'inpatient' and ${sql.ref(`${alias}.started_at`)} < ${since})`
  const behind =
    after === undefined
      ? sql``
      : sql`and (${isOlderStay('v')}, v.started_at, v.id) > (select ${isOlderStay('b')}, b.started_at, b.id from visit b
          where b.bucket = ${bucketOfId(after)} and b.id = ${after})`
  const own =
    scope === 'all'
      ? sql``
      : sql`and exists (select 1 from visit_attendant a where a.bucket = v.bucket and a.visit = v.id
          and a.attendant = ${scope.attendant} and (a.until_at is null or a.until_at = v.ended_at))`
  const { rows } = await sql<Selectable<VisitTable>>`
    /* all buckets: who is here today */
    select v.* from visit v where (v.status = 'open' or v.started_at >= ${since}) ${own} ${behind}
    order by ${isOlderStay('v')}, v.started_at, v.id limit ${limit}`.execute(tx.db)
  return withAttendants(tx, rows)
}

/** Open visits that began before a time and are not stays. */
export async function visitsToEnd(
  tx: Tx,
  kind: VisitKind,
  before: Date,
  limit: number,
): Promise<readonly Id<'visit'>[]> {
  const { rows } = await sql<{ id: string }>`
    /* all buckets: the sweep of visits that nobody ended */
    select id from visit where status = 'open' and kind = ${kind} and started_at <= ${before} limit ${limit}`.execute(
    tx.db,
  )
  return rows.map(({ id }) => id as Id<'visit'>)
}

/** Stays in which somebody attends by a confirmation from before a time. */
export async function staysToConfirm(tx: Tx, before: Date, limit: number): Promise<readonly Id<'visit'>[]> {
  const { rows } = await sql<{ id: string }>`
    /* all buckets: the sweep of stays that nobody confirmed */
    select v.id from visit v where v.status = 'open' and v.kind = 'inpatient'
      and (v.confirmed_at is null or v.confirmed_at <= ${before})
      and exists (select 1 from visit_attendant a where a.bucket = v.bucket and a.visit = v.id
        and a.until_at is null and a.from_at <= ${before})
    limit ${limit}`.execute(tx.db)
  return rows.map(({ id }) => id as Id<'visit'>)
}

async function withAttendants(tx: Tx, rows: readonly Selectable<VisitTable>[]): Promise<readonly Visit[]> {
  if (rows.length === 0) return []
  const attendants = await tx.db
    .selectFrom('visit_attendant')
    .selectAll()
    .where('bucket', 'in', [...new Set(rows.map(({ bucket }) => bucket))])
    .where(
      'visit',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('from_at')
    .execute()
  return rows.map((row) => ({
    id: row.id as Id<'visit'>,
    patientReference: row.patient_reference,
    kind: row.kind as VisitKind,
    status: row.status as Visit['status'],
    startedAt: row.started_at,
    attendants: attendants
      .filter(({ visit }) => visit === row.id)
      .map(
        (one): Attendance => ({
          attendant: one.attendant as Attendant,
          from: one.from_at,
          ...(one.until_at === null ? {} : { until: one.until_at }),
          ...(one.added_by === null ? {} : { addedBy: one.added_by as Id<'staff'> }),
        }),
      ),
    ...(row.queue_number === null ? {} : { queueNumber: row.queue_number }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.started_by === null ? {} : { startedBy: row.started_by as Id<'staff'> }),
    ...(row.presence === null ? {} : { presence: row.presence as Presence }),
    ...(row.confirmed_at === null ? {} : { confirmedAt: row.confirmed_at }),
  }))
}

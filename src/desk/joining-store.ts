import { type Selectable, sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { JoinedTreatmentTable as Row } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import type { Outcome } from '../incidents/emergency.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { bucketOfId, type Id } from '../kernel/id.ts'
import type { PlaceInParts } from '../kernel/list-place.ts'
import { insistOnMove } from '../kernel/moves.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import { JOINING_MOVES, type Joining } from './joining.ts'

const place = (column: 'account' | 'review', id: string, patient: string): Place => ({
  table: 'joined_treatment',
  column,
  row: id,
  patient,
})

export async function insertJoining(tx: Tx, _recorded: Recorded<AuditEvent>, joining: Joining): Promise<void> {
  insistOnMove(JOINING_MOVES, 'none', 'waiting', 'joining')
  const { id, patientReference, name, words } = joining
  await tx.db
    .insertInto('joined_treatment')
    .values({
      bucket: bucketOf(patientReference),
      id,
      patient_reference: pseudonym(patientReference),
      visit: joining.visit,
      staff: joining.staff,
      role: joining.role,
      status: 'waiting',
      joined_at: joining.joinedAt,
      review_by: joining.reviewBy,
      account: await sealJson(tx, place('account', id, patientReference), { name, words }),
    })
    .execute()
}

export async function reviewJoiningRow(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  joining: Pick<Joining, 'id' | 'patientReference' | 'status'>,
  review: { readonly outcome: Outcome; readonly words: string; readonly by: Id<'staff'> },
): Promise<void> {
  insistOnMove(JOINING_MOVES, joining.status, 'reviewed', 'joining')
  const { id, patientReference } = joining
  const result = await tx.db
    .updateTable('joined_treatment')
    .set({
      status: 'reviewed',
      outcome: review.outcome,
      review: await sealJson(tx, place('review', id, patientReference), { words: review.words }),
      reviewer: review.by,
      reviewed_at: tx.now,
    })
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .where('status', '=', joining.status)
    .executeTakeFirst()
  insistOnOne(result, 'review of a joining')
}

export async function lockJoining(tx: Tx, id: Id<'joining'>): Promise<Joining | undefined> {
  const row = await tx.db
    .selectFrom('joined_treatment')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && readRow(tx, row)
}

/** Behind a place: what waits for a review first, the most urgent on top; then what was reviewed. */
export async function listJoinings(
  tx: Tx,
  { after, limit }: { readonly after?: PlaceInParts<Id<'joining'>> | undefined; readonly limit: number },
): Promise<readonly Joining[]> {
  const settled = sql`(status = 'reviewed')`
  const behind =
    after === undefined
      ? sql`true`
      : after.isSettled
        ? sql`(${settled} and (joined_at, id) < (${after.date}, ${after.id}::uuid))`
        : sql`(${settled} or (review_by, id) > (${after.date}, ${after.id}::uuid))`
  const { rows } = await sql<Selectable<Row>>`
    select * from joined_treatment where ${behind}
    order by ${settled}, case when ${settled} then null else review_by end, case when ${settled} then null else id end,
      joined_at desc, id desc limit ${limit}
    /* all buckets: the list of who reviews */`.execute(tx.db)
  return Promise.all(rows.map((row) => readRow(tx, row)))
}

/** Reviews that were due and are not written. */
export async function overdueIds({ db, now }: Pick<Tx, 'db' | 'now'>, limit: number): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from joined_treatment where status = 'waiting' and review_by < ${now} limit ${limit}
    /* all buckets: what is overdue */`.execute(db)
  return rows.map(({ id }) => id)
}

async function readRow(tx: Tx, row: Selectable<Row>): Promise<Joining> {
  const { id, patient_reference: reference } = row
  const account = (await openJson(tx, place('account', id, reference), row.account)) as
    | { name: string; words: string }
    | undefined
  const review =
    row.review === null
      ? undefined
      : ((await openJson(tx, place('review', id, reference), row.review)) as { words: string } | undefined)
  return {
    id: id as Id<'joining'>,
    patientReference: reference,
    visit: row.visit as Id<'visit'>,
    staff: row.staff as Id<'staff'>,
    role: row.role as StaffRole,
    name: account?.name ?? '',
    words: account?.words ?? '',
    status: row.status as Joining['status'],
    joinedAt: row.joined_at,
    reviewBy: row.review_by,
    ...(row.outcome === null || row.reviewer === null || row.reviewed_at === null
      ? {}
      : {
          review: {
            outcome: row.outcome as Outcome,
            words: review?.words ?? '',
            by: row.reviewer as Id<'staff'>,
            at: row.reviewed_at,
          },
        }),
  }
}

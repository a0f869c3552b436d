import type { Selectable } from 'kysely'
import { sql } from 'kysely'
import type { Recorded } from '../audit/record.ts'
import type { EmergencyReason } from '../consent/emergency.ts'
import type { Place } from '../crypto/envelope.ts'
import type { EmergencyAccessTable as Row } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { pseudonym } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { bucketOfId, type Id } from '../kernel/id.ts'
import type { PlaceInParts } from '../kernel/list-place.ts'
import { insistOnMove } from '../kernel/moves.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import {
  EMERGENCY_MOVES,
  type EmergencyAccess,
  type EmergencyEvent,
  type OnPaper,
  type Outcome,
  type Told,
} from './emergency.ts'

const place = (column: 'account' | 'review', id: string, patient: string): Place => ({
  table: 'emergency_access',
  column,
  row: id,
  patient,
})

export async function insertEmergency(
  tx: Tx,
  _recorded: Recorded<EmergencyEvent>,
  access: EmergencyAccess,
): Promise<void> {
  const { id, patientReference, name, words } = access
  await tx.db
    .insertInto('emergency_access')
    .values({
      bucket: bucketOf(patientReference),
      id,
      patient_reference: pseudonym(patientReference),
      staff: access.staff,
      role: access.role,
      reason: access.reason,
      status: 'open',
      opened_at: access.openedAt,
      until: access.until,
      review_by: access.reviewBy,
      account: await sealJson(tx, place('account', id, patientReference), { name, words }),
      consent: access.consent ?? null,
      told: access.told,
      told_at: access.toldAt ?? null,
      on_paper: access.onPaper ?? null,
    })
    .execute()
}

export async function endEmergencyRow(
  tx: Tx,
  _recorded: Recorded<EmergencyEvent>,
  access: EmergencyAccess,
): Promise<void> {
  insistOnMove(EMERGENCY_MOVES, access.status, 'ended', 'emergency access')
  const result = await tx.db
    .updateTable('emergency_access')
    .set({ status: 'ended', ended_at: tx.now })
    .where('bucket', '=', bucketOfId(access.id))
    .where('id', '=', access.id)
    .where('status', '=', access.status)
    .executeTakeFirst()
  insistOnOne(result, 'end of an emergency access')
}

export async function reviewEmergencyRow(
  tx: Tx,
  _recorded: Recorded<EmergencyEvent>,
  access: EmergencyAccess,
  review: { readonly outcome: Outcome; readonly words: string; readonly by: Id<'staff'> },
): Promise<void> {
  insistOnMove(EMERGENCY_MOVES, access.status, 'reviewed', 'emergency access')
  const result = await tx.db
    .updateTable('emergency_access')
    .set({
      status: 'reviewed',
      outcome: review.outcome,
      review: await sealJson(tx, place('review', access.id, access.patientReference), { words: review.words }),
      reviewer: review.by,
      reviewed_at: tx.now,
    })
    .where('bucket', '=', bucketOfId(access.id))
    .where('id', '=', access.id)
    .where('status', '=', access.status)
    .executeTakeFirst()
  insistOnOne(result, 'review of an emergency access')
}

export type Telling = Pick<EmergencyAccess, 'told' | 'toldAt' | 'onPaper'>

/** How the patient was told, or is to be. */
export async function updateTold(
  tx: Tx,
  _recorded: Recorded<EmergencyEvent>,
  id: Id<'emergency'>,
  { told, toldAt, onPaper }: Telling,
): Promise<void> {
  const result = await tx.db
    .updateTable('emergency_access')
    .set({ told, told_at: toldAt ?? null, on_paper: onPaper ?? null })
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    // A text message that went out may yet turn out to be undelivered; a letter is final.
    .where((eb) => eb.or([eb('told_at', 'is', null), eb('told', '=', 'text')]))
    .executeTakeFirst()
  insistOnOne(result, 'how a patient was told')
}

/** Text messages to one patient wait for one another until the end of `tx`: or each would find that there is room. */
export async function lockTextsOf(tx: Tx, patientReference: string): Promise<void> {
  const name = JSON.stringify(['emergency-text', patientReference])
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(tx.db)
}

/** How many text messages about emergencies went to a patient since then. */
export async function countTexts(tx: Tx, patientReference: string, since: Date): Promise<number> {
  const { count } = await tx.db
    .selectFrom('emergency_access')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .where('told', '=', 'text')
    .where('told_at', '>', since)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Reviews that were due and are not written, and letters that did not go out by then. */
export async function overdueIds(
  { db, now }: Pick<Tx, 'db' | 'now'>,
  what: 'review' | 'letter',
  limit: number,
): Promise<readonly string[]> {
  const late = what === 'review' ? sql`status <> 'reviewed'` : sql`told = 'letter' and told_at is null`
  const { rows } = await sql<{ id: string }>`
    select id from emergency_access where ${late} and review_by < ${now} limit ${limit}
    /* all buckets: what is overdue */`.execute(db)
  return rows.map(({ id }) => id)
}

/** The access that asked the exchange by this request, if one did. */
export async function findByConsent(tx: Tx, consent: Id<'hiu-consent'>): Promise<Id<'emergency'> | undefined> {
  const { rows } = await sql<{ id: Id<'emergency'> }>`
    select id from emergency_access where consent = ${consent} limit 1
    /* all buckets: the request lies by the address, the access by our number */`.execute(tx.db)
  return rows[0]?.id
}

export async function lockEmergency(tx: Tx, id: Id<'emergency'>): Promise<EmergencyAccess | undefined> {
  const row = await tx.db
    .selectFrom('emergency_access')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && readRow(tx, row)
}

/** What this person, or anybody, has open for a patient; the newest first. */
export async function findOpen(
  tx: Tx,
  patientReference: string,
  staff: Id<'staff'>,
): Promise<EmergencyAccess | undefined> {
  const row = await tx.db
    .selectFrom('emergency_access')
    .selectAll()
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .where('staff', '=', staff)
    .where('status', '=', 'open')
    .where('until', '>', tx.now)
    .orderBy('opened_at', 'desc')
    .executeTakeFirst()
  return row && readRow(tx, row)
}

/** Those whose time is over, for the chore that ends them. */
export async function findDue(tx: Tx, limit: number): Promise<readonly Id<'emergency'>[]> {
  const { rows } = await sql<{ id: Id<'emergency'> }>`
    select id from emergency_access where status = 'open' and until <= ${tx.now} order by until limit ${limit}
    /* all buckets: the chore that ends them */`.execute(tx.db)
  return rows.map(({ id }) => id)
}

/** The review list behind a place: what waits for a review, or for a letter, first, the most urgent on top; then what is settled. */
export async function listEmergencies(
  tx: Tx,
  { after, limit }: { readonly after?: PlaceInParts<Id<'emergency'>> | undefined; readonly limit: number },
): Promise<readonly EmergencyAccess[]> {
  const settled = sql`(status = 'reviewed' and not (told = 'letter' and told_at is null))`
  const behind =
    after === undefined
      ? sql`true`
      : after.isSettled
        ? sql`(${settled} and (opened_at, id) < (${after.date}, ${after.id}::uuid))`
        : sql`(${settled} or (review_by, id) > (${after.date}, ${after.id}::uuid))`
  const { rows } = await sql<Selectable<Row>>`
    select * from emergency_access where ${behind}
    order by ${settled}, case when ${settled} then null else review_by end, case when ${settled} then null else id end,
      opened_at desc, id desc limit ${limit}
    /* all buckets: the list of who reviews */`.execute(tx.db)
  return Promise.all(rows.map((row) => readRow(tx, row)))
}

async function readRow(tx: Tx, row: Selectable<Row>): Promise<EmergencyAccess> {
  const { id, patient_reference: reference } = row
  // Undefined once the patient's key was erased: who opened stays known by their account.
  const account = (await openJson(tx, place('account', id, reference), row.account)) as
    | { name: string; words: string }
    | undefined
  const review =
    row.review === null
      ? undefined
      : ((await openJson(tx, place('review', id, reference), row.review)) as { words: string } | undefined)
  return {
    id: id as Id<'emergency'>,
    patientReference: reference,
    staff: row.staff as Id<'staff'>,
    role: row.role as StaffRole,
    name: account?.name ?? '',
    words: account?.words ?? '',
    reason: row.reason as EmergencyReason,
    status: row.status as EmergencyAccess['status'],
    openedAt: row.opened_at,
    until: row.until,
    reviewBy: row.review_by,
    told: row.told as Told,
    ...(row.on_paper === null ? {} : { onPaper: row.on_paper as OnPaper }),
    ...(row.told_at === null ? {} : { toldAt: row.told_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.consent === null ? {} : { consent: row.consent as Id<'hiu-consent'> }),
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

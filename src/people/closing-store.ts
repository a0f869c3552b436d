import { sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { insistOnOne, StaleRow, type Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import type { PlaceInParts } from '../kernel/list-place.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { type AccountHold, type AccountHoldReason, CLOSING_MOVES, type Closing, type Held } from './closing.ts'

type Row = {
  readonly patient: string
  readonly status: string
  readonly closed_at: Date
  readonly hold_reason: string | null
  readonly hold_until: Date | null
}

function closingOf({ patient, closed_at, hold_reason, hold_until }: Row): Closing {
  const base = { patient: patient as AbhaAddress, closedAt: closed_at }
  return hold_reason === null || hold_until === null
    ? { ...base, status: 'stopped' }
    : { ...base, status: 'held', hold: { reason: hold_reason as AccountHoldReason, until: hold_until } }
}

/** Locks the row of a closed account; undefined when the account is active, or unknown. */
export async function lockClosing(tx: Tx, patient: AbhaAddress): Promise<Closing | undefined> {
  const row = await tx.db
    .selectFrom('account_closing')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .forUpdate()
    .executeTakeFirst()
  return row && closingOf(row)
}

export async function insertClosing(tx: Tx, _recorded: Recorded<AuditEvent>, patient: AbhaAddress): Promise<Closing> {
  await tx.db
    .insertInto('account_closing')
    .values({
      bucket: bucketOf(patient),
      patient,
      status: 'stopped',
      closed_at: tx.now,
      hold_reason: null,
      hold_until: null,
      changed_at: tx.now,
    })
    .execute()
  return { patient, closedAt: tx.now, status: 'stopped' }
}

export async function updateHeld(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  closing: Pick<Closing, 'patient' | 'status'>,
  hold: AccountHold,
): Promise<void> {
  insistOnMove(CLOSING_MOVES, closing.status, 'held', 'closed account')
  const updated = await tx.db
    .updateTable('account_closing')
    .set({ status: 'held', hold_reason: hold.reason, hold_until: hold.until, changed_at: tx.now })
    .where('bucket', '=', bucketOf(closing.patient))
    .where('patient', '=', closing.patient)
    .where('status', '=', closing.status)
    .executeTakeFirst()
  insistOnOne(updated, 'closed account')
}

/** The account is open again: its row goes. Erasing it deletes the row with all others (`rights/erase-rows.ts`). */
export async function deleteClosing(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  closing: Pick<Closing, 'patient' | 'status'>,
): Promise<void> {
  insistOnMove(CLOSING_MOVES, closing.status, 'active', 'closed account')
  const deleted = await tx.db
    .deleteFrom('account_closing')
    .where('bucket', '=', bucketOf(closing.patient))
    .where('patient', '=', closing.patient)
    .where('status', '=', closing.status)
    .executeTakeFirst()
  if (deleted.numDeletedRows !== 1n) throw new StaleRow('a closed account was changed meanwhile')
}

/** Closed accounts whose time of keeping is over, longest first. */
export async function heldAccounts(tx: Tx, limit: number, until: Date): Promise<readonly Held[]> {
  const rows = await tx.db
    .selectFrom('account_closing')
    .selectAll()
    .where('bucket', '>=', 0)
    .where('status', '=', 'held')
    .where('hold_until', '<=', until)
    .orderBy('hold_until')
    .limit(limit)
    .execute()
  return rows.map(closingOf).filter((closing) => closing.status === 'held')
}

/**
 * Closed accounts behind a place of that list: those of which something still ends, longest first, then those whose time ends first. The
 * names of equal dates follow one another as the database knows them, by their pseudonyms.
 */
export async function closingAccounts(
  tx: Tx,
  { after, limit }: { readonly after?: PlaceInParts<AbhaAddress> | undefined; readonly limit: number },
): Promise<readonly Closing[]> {
  let query = tx.db.selectFrom('account_closing').selectAll().where('bucket', '>=', 0)
  if (after !== undefined)
    query = query.where(
      sql<boolean>`(status = 'held', coalesce(hold_until, closed_at), patient) >
        (${after.isSettled}::boolean, ${after.date}::timestamptz, ${after.id}::text)`,
    )
  const rows = await query
    .orderBy(sql`status = 'held'`)
    .orderBy(sql`coalesce(hold_until, closed_at)`)
    .orderBy('patient')
    .limit(limit)
    .execute()
  return rows.map(closingOf)
}

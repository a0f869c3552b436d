import type { Selectable } from 'kysely'
import type { Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { WithheldLookTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import {
  WITHHOLDING_MOVES,
  type Withholding,
  type WithholdingEvent,
  type WithholdingOrder,
  type WithholdingStatus,
} from './withholding.ts'

const placeOf = ({ id, patient }: Pick<Withholding, 'id' | 'patient'>): Place => ({
  table: 'withheld_look',
  column: 'sealed_order',
  row: id,
  patient,
})

/** Enters an order. */
export async function insertWithholding(
  tx: Tx,
  _recorded: Recorded<WithholdingEvent>,
  one: Omit<Withholding, 'confirmedBy'>,
): Promise<void> {
  await tx.db
    .insertInto('withheld_look')
    .values({
      bucket: bucketOf(one.patient),
      id: one.id,
      patient: one.patient,
      event: one.event,
      status: one.status,
      sealed_order: Buffer.from(await sealJson(tx, placeOf(one), one.order)),
      until: one.until,
      proposed_by: one.proposedBy,
      proposed_at: tx.now,
      changed_at: tx.now,
    })
    .execute()
}

export async function moveWithholding(
  tx: Tx,
  _recorded: Recorded<WithholdingEvent>,
  from: Withholding,
  to: { readonly status: WithholdingStatus; readonly confirmedBy?: string },
): Promise<void> {
  insistOnMove(WITHHOLDING_MOVES, from.status, to.status, `withholding ${from.id}`)
  const result = await tx.db
    .updateTable('withheld_look')
    .set({
      status: to.status,
      changed_at: tx.now,
      ...(to.confirmedBy === undefined ? {} : { confirmed_by: to.confirmedBy }),
    })
    .where('bucket', '=', bucketOf(from.patient))
    .where('id', '=', from.id)
    .where('status', '=', from.status)
    .executeTakeFirst()
  insistOnOne(result, `withholding ${from.id}`)
}

export async function findWithholding(tx: Tx, id: Id<'withholding'>): Promise<Withholding | undefined> {
  const row = await tx.db
    .selectFrom('withheld_look')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .executeTakeFirst()
  return row && toWithholding(tx, row)
}

/** All orders about a patient's looks that were not lifted, newest first. */
export async function findWithholdingsOf(tx: Tx, patient: AbhaAddress): Promise<readonly Withholding[]> {
  const rows = await tx.db
    .selectFrom('withheld_look')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('status', '<>', 'lifted')
    .orderBy('proposed_at', 'desc')
    .execute()
  return Promise.all(rows.map((row) => toWithholding(tx, row)))
}

/** A page of the same, below an order. Ids go by time. */
export async function withholdingsBelow(
  tx: Tx,
  patient: AbhaAddress,
  { before, limit }: { readonly before?: string | undefined; readonly limit: number },
): Promise<readonly Withholding[]> {
  let query = tx.db
    .selectFrom('withheld_look')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('status', '<>', 'lifted')
  if (before !== undefined) query = query.where('id', '<', before)
  const rows = await query.orderBy('id', 'desc').limit(limit).execute()
  return Promise.all(rows.map((row) => toWithholding(tx, row)))
}

async function toWithholding(tx: Tx, row: Selectable<WithheldLookTable>): Promise<Withholding> {
  const own = { id: row.id as Id<'withholding'>, patient: row.patient as AbhaAddress }
  const order = (await openJson(tx, placeOf(own), row.sealed_order)) as WithholdingOrder | undefined
  return {
    ...own,
    event: row.event as Id<'event'>,
    status: row.status as WithholdingStatus,
    order: order ?? { authority: '', number: '', dated: '', law: '' },
    until: row.until,
    proposedBy: row.proposed_by,
    ...(row.confirmed_by === null ? {} : { confirmedBy: row.confirmed_by }),
  }
}

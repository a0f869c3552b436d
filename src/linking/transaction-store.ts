import type { Selectable } from 'kysely'
import type { Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { LinkingTransactionTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { pseudonymOf } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import type { TransactionEvent } from './events.ts'
import { awaited, MOVES, type Transaction } from './transaction.ts'

const place = (patient: string, id: string): Place => ({
  table: 'linking_transaction',
  column: 'sealed_detail',
  row: id,
  patient,
})

/** Columns and sealed part of a transaction: what is searched for stands in columns, what is about health is sealed. */
async function rowOf(tx: Tx, t: Transaction) {
  const { id, patient, hip, requester, askedByRequest, sentRequest, startedAt, status, ...detail } = t
  return {
    patient,
    hip,
    requester: requester ?? null,
    status,
    asked_by_request: askedByRequest,
    sent_request: sentRequest,
    link_reference: 'link' in t ? pseudonymOf(patient, t.link.referenceNumber) : null,
    answer_by: awaited(t)?.answerBy ?? null,
    sealed_detail: await sealJson(tx, place(patient, id), detail),
    started_at: startedAt,
    changed_at: tx.now,
  }
}

async function readRow(tx: Tx, row: Selectable<LinkingTransactionTable>): Promise<Transaction | undefined> {
  const detail = (await openJson(tx, place(row.patient, row.id), row.sealed_detail)) as object | undefined
  if (detail === undefined) return undefined
  return {
    ...detail,
    id: row.id,
    patient: row.patient,
    hip: row.hip,
    ...(row.requester === null ? {} : { requester: row.requester }),
    status: row.status,
    askedByRequest: row.asked_by_request,
    sentRequest: row.sent_request,
    startedAt: row.started_at,
    ...(row.answer_by === null ? {} : { answerBy: row.answer_by }),
  } as Transaction
}

export async function insertTransaction(tx: Tx, _recorded: Recorded<TransactionEvent>, t: Transaction): Promise<void> {
  await tx.db
    .insertInto('linking_transaction')
    .values({ bucket: bucketOf(t.patient), id: t.id, ...(await rowOf(tx, t)) })
    .execute()
}

/** Moves a transaction on; another move in between starts the work anew. */
export async function updateTransaction(
  tx: Tx,
  _recorded: Recorded<TransactionEvent>,
  from: Transaction,
  to: Transaction,
): Promise<void> {
  insistOnMove(MOVES, from.status, to.status, 'linking transaction')
  const updated = await tx.db
    .updateTable('linking_transaction')
    .set(await rowOf(tx, to))
    .where('bucket', '=', bucketOf(from.patient))
    .where('id', '=', from.id)
    .where('status', '=', from.status)
    .where('sent_request', '=', from.sentRequest)
    .executeTakeFirst()
  insistOnOne(updated, `linking transaction ${from.status} to ${to.status}`)
}

export async function findTransaction(tx: Tx, id: Id<'linking-transaction'>): Promise<Transaction | undefined> {
  const row = await tx.db
    .selectFrom('linking_transaction')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .executeTakeFirst()
  return row === undefined ? undefined : readRow(tx, row)
}

/** The transaction whose latest message to the HIP had this REQUEST-ID. */
export async function findTransactionBySent(tx: Tx, sentRequest: Id<'request'>): Promise<Transaction | undefined> {
  const row = await tx.db
    .selectFrom('linking_transaction')
    .selectAll()
    .where('bucket', '=', bucketOfId(sentRequest))
    .where('sent_request', '=', sentRequest)
    .executeTakeFirst()
  return row === undefined ? undefined : readRow(tx, row)
}

/** The patient's latest transaction with this reference of a HIP. */
export async function findTransactionByReference(
  tx: Tx,
  patient: AbhaAddress,
  reference: string,
): Promise<Transaction | undefined> {
  const row = await tx.db
    .selectFrom('linking_transaction')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .where('link_reference', '=', pseudonymOf(patient, reference))
    .orderBy('changed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row === undefined ? undefined : readRow(tx, row)
}

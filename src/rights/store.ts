import { type RawBuilder, type Selectable, sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { QuestionTable, ReceivedQuestionTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import type { PlaceInParts } from '../kernel/list-place.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import {
  MOVES,
  type Question,
  type QuestionStatus,
  RECEIVED_MOVES,
  type ReceivedQuestion,
  type ReceivedStatus,
} from './question.ts'

type AnyRecorded = Recorded<AuditEvent>
type Answer = NonNullable<Question['answer']>
type StoredAnswer = { readonly text: string; readonly by: string; readonly at: string }

const placeOf = (
  table: 'question' | 'received_question',
  column: 'body' | 'answer',
  row: string,
  patient: string,
): Place => ({
  table,
  column,
  row,
  patient,
})

export async function insertQuestion(tx: Tx, _recorded: AnyRecorded, question: Question): Promise<void> {
  const { id, patient, facility, event, number, status, text } = question
  await tx.db
    .insertInto('question')
    .values({
      bucket: bucketOf(patient),
      id,
      patient,
      facility,
      event,
      number,
      status,
      body: Buffer.from(await sealJson(tx, placeOf('question', 'body', id, patient), { text })),
      asked_at: question.askedAt,
      due_at: question.dueAt,
      changed_at: tx.now,
      answer: null,
    })
    .execute()
}

export async function updateQuestion(
  tx: Tx,
  _recorded: AnyRecorded,
  from: Question,
  to: { readonly status: QuestionStatus; readonly answer?: Answer },
): Promise<void> {
  insistOnMove(MOVES, from.status, to.status, `question ${from.id}`)
  const answer = to.answer && (await sealAnswer(tx, 'question', from, to.answer))
  const result = await tx.db
    .updateTable('question')
    .set({ status: to.status, changed_at: tx.now, ...(answer === undefined ? {} : { answer }) })
    .where('bucket', '=', bucketOf(from.patient))
    .where('id', '=', from.id)
    .where('status', '=', from.status)
    .executeTakeFirst()
  insistOnOne(result, `question ${from.id}`)
}

async function sealAnswer(
  tx: Tx,
  table: 'question' | 'received_question',
  { id, patient }: { readonly id: string; readonly patient: string },
  { text, by, at }: Answer,
): Promise<Buffer> {
  const stored: StoredAnswer = { text, by, at: at.toISOString() }
  return Buffer.from(await sealJson(tx, placeOf(table, 'answer', id, patient), stored))
}

async function openAnswer(
  tx: Tx,
  table: 'question' | 'received_question',
  row: { readonly id: string; readonly patient: string; readonly answer: Buffer | null },
): Promise<{ readonly answer?: Answer }> {
  if (row.answer === null) return {}
  const opened = (await openJson(tx, placeOf(table, 'answer', row.id, row.patient), row.answer)) as
    | StoredAnswer
    | undefined
  return opened === undefined ? {} : { answer: { ...opened, at: new Date(opened.at) } }
}

async function questionOfRow(tx: Tx, row: Selectable<QuestionTable>): Promise<Question> {
  const body = (await openJson(tx, placeOf('question', 'body', row.id, row.patient), row.body)) as
    | { readonly text: string }
    | undefined
  return {
    id: row.id as Id<'question'>,
    patient: row.patient as AbhaAddress,
    facility: row.facility as FacilityId,
    event: row.event as Id<'event'>,
    number: row.number,
    status: row.status as QuestionStatus,
    text: body?.text ?? '',
    askedAt: row.asked_at,
    dueAt: row.due_at,
    ...(await openAnswer(tx, 'question', row)),
  }
}

export async function findQuestion(tx: Tx, id: Id<'question'>, lock = false): Promise<Question | undefined> {
  const query = tx.db.selectFrom('question').selectAll().where('bucket', '=', bucketOfId(id)).where('id', '=', id)
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst()
  return row && questionOfRow(tx, row)
}

/** The patient's questions, newest first. */
export async function findQuestionsOf(tx: Tx, patient: AbhaAddress, limit: number): Promise<readonly Question[]> {
  const rows = await tx.db
    .selectFrom('question')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .orderBy('asked_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return inTurn(rows, (row) => questionOfRow(tx, row))
}

export async function insertReceived(tx: Tx, _recorded: AnyRecorded, question: ReceivedQuestion): Promise<boolean> {
  const { id, patient, number, status, text, look } = question
  const result = await tx.db
    .insertInto('received_question')
    .values({
      bucket: bucketOf(patient),
      id,
      patient,
      number,
      status,
      body: Buffer.from(await sealJson(tx, placeOf('received_question', 'body', id, patient), { text, look })),
      received_at: question.receivedAt,
      due_at: question.dueAt,
      changed_at: tx.now,
      answer: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return result.numInsertedOrUpdatedRows === 1n
}

export async function updateReceived(
  tx: Tx,
  _recorded: AnyRecorded,
  from: ReceivedQuestion,
  to: { readonly status: ReceivedStatus; readonly answer: Answer },
): Promise<void> {
  insistOnMove(RECEIVED_MOVES, from.status, to.status, `received question ${from.id}`)
  const result = await tx.db
    .updateTable('received_question')
    .set({ status: to.status, changed_at: tx.now, answer: await sealAnswer(tx, 'received_question', from, to.answer) })
    .where('bucket', '=', bucketOf(from.patient))
    .where('id', '=', from.id)
    .where('status', '=', from.status)
    .executeTakeFirst()
  insistOnOne(result, `received question ${from.id}`)
}

async function receivedOfRow(tx: Tx, row: Selectable<ReceivedQuestionTable>): Promise<ReceivedQuestion> {
  const body = (await openJson(tx, placeOf('received_question', 'body', row.id, row.patient), row.body)) as
    | Pick<ReceivedQuestion, 'text' | 'look'>
    | undefined
  return {
    id: row.id as Id<'question'>,
    patient: row.patient as AbhaAddress,
    number: row.number,
    status: row.status as ReceivedStatus,
    text: body?.text ?? '',
    look: body?.look ?? { at: '', person: '', role: '', purpose: '' },
    receivedAt: row.received_at,
    dueAt: row.due_at,
    ...(await openAnswer(tx, 'received_question', row)),
  }
}

/** `patient` tells the bucket: the id was made elsewhere. */
export async function findReceived(
  tx: Tx,
  patient: AbhaAddress,
  id: Id<'question'>,
  lock = false,
): Promise<ReceivedQuestion | undefined> {
  const query = tx.db
    .selectFrom('received_question')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('id', '=', id)
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst()
  return row && receivedOfRow(tx, row)
}

/** Questions to this facility behind a place of that list: open ones, the next due first, then answered ones, latest first. */
export async function findReceivedQuestions(
  tx: Tx,
  { after, limit }: { readonly after: PlaceInParts<Id<'question'>> | undefined; readonly limit: number },
): Promise<readonly ReceivedQuestion[]> {
  const turn = (date: RawBuilder<unknown>, isSettled: RawBuilder<unknown>) =>
    sql`(case when ${isSettled} then -1 else 1 end) * extract(epoch from ${date})`
  const own = turn(sql`due_at`, sql`status = 'answered'`)
  const behind =
    after === undefined
      ? sql``
      : sql`where (status = 'answered', ${own}, id) >
          (${after.isSettled}::boolean, ${turn(sql`${after.date}::timestamptz`, sql`${after.isSettled}::boolean`)}, ${after.id}::uuid)`
  const { rows } = await sql<Selectable<ReceivedQuestionTable>>`
    /* all buckets: what the data protection officer has to answer */
    select * from received_question ${behind} order by status = 'answered', ${own}, id limit ${limit}`.execute(tx.db)
  return inTurn(rows, (row) => receivedOfRow(tx, row))
}

async function inTurn<In, Out>(items: readonly In[], ask: (item: In) => Promise<Out>): Promise<readonly Out[]> {
  const answers: Out[] = []
  for (const item of items) answers.push(await ask(item))
  return answers
}

/** Questions of patients to this facility that were due and have no answer. */
export async function overdueIds({ db, now }: Pick<Tx, 'db' | 'now'>, limit: number): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    /* all buckets: what is overdue */
    select id from received_question where status = 'open' and due_at < ${now} limit ${limit}`.execute(db)
  return rows.map(({ id }) => id)
}

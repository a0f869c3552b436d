import type { z } from 'zod'
import { openEvent } from '../audit/receipts.ts'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId, parseFacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { firstWith, wordInParts } from '../kernel/list-place.ts'
import { canMove } from '../kernel/moves.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { LOOK_EVENTS, OPENING_EVENTS } from './looks.ts'
import type { questionsQuery } from './messages.ts'
import {
  MOVES,
  makeNumber,
  type Question,
  type QuestionAnswered,
  type QuestionAsked,
  type QuestionMoved,
  type QuestionReceived,
  type QuestionReplied,
  type QuestionStatus,
  RECEIVED_MOVES,
  type ReceivedQuestion,
} from './question.ts'
import {
  findQuestion,
  findQuestionsOf,
  findReceived,
  findReceivedQuestions,
  insertQuestion,
  insertReceived,
  overdueIds,
  updateQuestion,
  updateReceived,
} from './store.ts'
import type { LookEvent, OpeningEvent } from './views.ts'

/** The patient asks the facility about a look (DPDP s.13). One open question about one look; asked again, it is the same question. */
export async function askQuestion(
  tx: Tx,
  input: {
    readonly patient: AbhaAddress
    readonly event: Id<'event'>
    readonly text: string
    readonly actor: Actor
  },
): Promise<Question | Refusal> {
  const { patient, text, actor } = input
  const look = await lookAbout(tx, patient, input.event)
  const facility = look && parseFacilityId(look.facility)
  if (facility === undefined) return refuse('request/not-found', 'There is no such look at your records.')
  const open = (await findQuestionsOf(tx, patient, LIMITS.pageSizeMax)).filter(({ status }) => status !== 'answered')
  const same = open.find(({ event }) => event === input.event)
  if (same) return same
  if (open.length >= LIMITS.questionsOpenMax) {
    const most = `At most ${LIMITS.questionsOpenMax} questions may wait for an answer at once.`
    return refuse('request/too-many', most)
  }
  const question: Question = {
    id: makeId<'question'>(tx.now, tx.random, bucketOf(patient)),
    patient,
    facility,
    event: input.event,
    number: makeNumber(tx.random(5)),
    status: 'asked',
    text,
    askedAt: tx.now,
    dueAt: new Date(tx.now.getTime() + LIMITS.questionAnswerMs),
  }
  const recorded = await record(tx, {
    type: 'rights.question-asked',
    actor,
    patient,
    subject: question.id,
    facility,
    about: input.event,
    number: question.number,
    text,
    dueAt: question.dueAt.toISOString(),
  } satisfies QuestionAsked)
  await insertQuestion(tx, recorded, question)
  await announce(tx, recorded)
  return question
}

/** The look, or the opening of her page, that an event of this patient is; undefined for anything else. */
export async function lookAbout(
  tx: Tx,
  patient: AbhaAddress,
  event: Id<'event'>,
): Promise<LookEvent | OpeningEvent | undefined> {
  const opened = await openEvent(tx, event, patient)
  const isLook = opened && [...LOOK_EVENTS, ...OPENING_EVENTS].includes(opened.event.type)
  return isLook ? (opened.event as unknown as LookEvent | OpeningEvent) : undefined
}

/** The patient's questions, newest first. */
export async function questionsOf(tx: Tx, patient: AbhaAddress): Promise<readonly Question[]> {
  return findQuestionsOf(tx, patient, LIMITS.pageSizeMax)
}

/** The facility has the question. Again and late is fine; only the facility that was asked may say so. */
export async function noteDelivered(
  tx: Tx,
  input: { readonly facilities: readonly FacilityId[]; readonly id: Id<'question'> },
): Promise<Question | Refusal> {
  const question = await askedOf(tx, input)
  return question === undefined ? refuse('rights/unknown-question') : moveQuestion(tx, question, 'delivered')
}

/** Failure reaction: the question could not be handed over for good. */
export async function questionUndelivered(tx: Tx, id: string): Promise<void> {
  const question = await findQuestion(tx, id as Id<'question'>, true)
  if (question !== undefined) await moveQuestion(tx, question, 'undelivered')
}

async function moveQuestion(
  tx: Tx,
  question: Question,
  status: Extract<QuestionStatus, 'delivered' | 'undelivered'>,
): Promise<Question> {
  if (!canMove(MOVES, question.status, status)) return question
  const { patient, id, facility } = question
  const recorded = await record(tx, {
    type: status === 'delivered' ? 'rights.question-delivered' : 'rights.question-undelivered',
    actor: status === 'delivered' ? { kind: 'facility', id: facility } : { kind: 'system', id: 'delivery' },
    patient,
    subject: id,
    facility,
  } satisfies QuestionMoved)
  await updateQuestion(tx, recorded, question, { status })
  await announce(tx, recorded)
  return { ...question, status }
}

/** The facility answers. The first answer stands; a second one changes nothing. */
export async function answerQuestion(
  tx: Tx,
  input: {
    readonly facilities: readonly FacilityId[]
    readonly id: Id<'question'>
    readonly text: string
    readonly by: string
  },
): Promise<Question | Refusal> {
  const question = await askedOf(tx, input)
  if (question === undefined) return refuse('rights/unknown-question')
  if (!canMove(MOVES, question.status, 'answered')) return question
  const { text, by } = input
  const recorded = await record(tx, {
    type: 'rights.question-answered',
    actor: { kind: 'facility', id: question.facility, person: { name: by, role: '' } },
    patient: question.patient,
    subject: question.id,
    facility: question.facility,
    text,
  } satisfies QuestionAnswered)
  const answer = { text, by, at: tx.now }
  await updateQuestion(tx, recorded, question, { status: 'answered', answer })
  await announce(tx, recorded)
  return { ...question, status: 'answered', answer }
}

async function askedOf(
  tx: Tx,
  { facilities, id }: { readonly facilities: readonly FacilityId[]; readonly id: Id<'question'> },
): Promise<Question | undefined> {
  const question = await findQuestion(tx, id, true)
  return question !== undefined && facilities.includes(question.facility) ? question : undefined
}

/** At the facility: takes a patient's question in. Again is fine. */
export async function receiveQuestion(
  tx: Tx,
  input: Omit<ReceivedQuestion, 'status' | 'receivedAt' | 'answer'> & { readonly exchange: string },
): Promise<void> {
  const { exchange, ...question } = input
  if ((await findReceived(tx, question.patient, question.id)) !== undefined) return
  const recorded = await record(tx, {
    type: 'rights.question-received',
    actor: { kind: 'exchange', id: exchange },
    patient: question.patient,
    subject: question.id,
    number: question.number,
    text: question.text,
    dueAt: question.dueAt.toISOString(),
  } satisfies QuestionReceived)
  const isNew = await insertReceived(tx, recorded, { ...question, status: 'open', receivedAt: tx.now })
  if (isNew) await announce(tx, recorded)
}

/** At the facility: a page of the questions to it, open ones first, the next due first; `next` is where the following one begins. */
export async function receivedQuestions(
  tx: Tx,
  { after, limit }: z.output<typeof questionsQuery>,
): Promise<{ readonly questions: readonly ReceivedQuestion[]; readonly next?: string }> {
  const found = await findReceivedQuestions(tx, { after, limit: limit + 1 })
  const { items, ...more } = firstWith(found, limit, ({ status, dueAt, id }) =>
    wordInParts({ isSettled: status === 'answered', date: dueAt, id }),
  )
  return { questions: items, ...more }
}

/** At the facility: sends the answer. The first one stands. */
export async function replyToQuestion(
  tx: Tx,
  input: {
    readonly patient: AbhaAddress
    readonly id: Id<'question'>
    readonly text: string
    readonly by: string
    readonly actor: Actor
  },
): Promise<ReceivedQuestion | Refusal> {
  const question = await findReceived(tx, input.patient, input.id, true)
  if (question === undefined) return refuse('rights/unknown-question')
  if (!canMove(RECEIVED_MOVES, question.status, 'answered')) return refuse('rights/answered-already')
  const { text, by, actor } = input
  const recorded = await record(tx, {
    type: 'rights.question-replied',
    actor,
    patient: question.patient,
    subject: question.id,
    text,
  } satisfies QuestionReplied)
  const answer = { text, by, at: tx.now }
  await updateReceived(tx, recorded, question, { status: 'answered', answer })
  await announce(tx, recorded)
  return { ...question, status: 'answered', answer }
}

/** A received question with its answer, for reactions. */
export async function receivedQuestion(
  tx: Tx,
  patient: AbhaAddress,
  id: Id<'question'>,
): Promise<ReceivedQuestion | undefined> {
  return findReceived(tx, patient, id)
}

/** Ids of questions of patients to this facility whose answer is overdue. */
export async function overdueQuestions(tx: Pick<Tx, 'db' | 'now'>, limit: number): Promise<readonly string[]> {
  return overdueIds(tx, limit)
}

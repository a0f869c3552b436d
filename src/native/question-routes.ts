import type { Tx } from '../db/tx.ts'
import { lookAtList } from '../desk/looks.ts'
import { type Route, route } from '../http/route.ts'
import { type Actor, operatorOf, partnerOf } from '../kernel/caller.ts'
import { type FacilityId, type Id, parseAbhaAddress, parseId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import {
  answerQuestion,
  noteDelivered,
  receivedQuestions,
  receiveQuestion,
  replyToQuestion,
} from '../rights/commands.ts'
import { answerMessage, answerOrder, namedAnswerOrder, questionMessage, questionsQuery } from '../rights/messages.ts'

/** What a desk shows of the questions of patients. */
export type DeskQuestions = Awaited<ReturnType<typeof receivedQuestions>>

/** At the exchange: facilities say that they have a patient's question, and answer it. */
export function answerRoute(): Route {
  return route({
    dialect: 'native',
    auth: 'partner',
    scope: 'system/Communication.c',
    method: 'POST',
    once: true,
    path: '/v1/answers',
    summary: 'The facility has a patient’s question, or answers it',
    body: answerMessage,
    answers: {
      202: { description: 'Recorded; the patient sees it' },
      404: { description: 'No such question to a facility of the caller' },
    },
    handle: async ({ tx, caller, body }) => {
      const facilities = partnerOf(caller).facilities
      const { question: id } = body
      const done =
        body.status === 'received'
          ? await noteDelivered(tx, { facilities, id })
          : await answerQuestion(tx, { facilities, id, text: body.text, by: body.by })
      return isRefusal(done) ? done : { status: 202 }
    },
  })
}

/** At a facility: questions of patients come in, are listed for who has to answer them, and are answered. */
export function facilityQuestionRoutes(needs: {
  readonly exchange: { readonly id: string }
  readonly facility: { readonly id: FacilityId }
}): readonly Route[] {
  return [
    route({
      dialect: 'native',
      auth: 'exchange',
      method: 'POST',
      once: true,
      path: '/v1/questions',
      summary: 'A patient asks this facility about a look at her records',
      body: questionMessage,
      answers: { 202: { description: 'Stored; it waits for an answer' } },
      handle: async ({ tx, body }) => {
        await receiveQuestion(tx, { ...body, dueAt: new Date(body.dueAt), exchange: needs.exchange.id })
        return { status: 202 }
      },
    }),
    ...listRoutes(needs),
    ...replyRoutes(needs),
  ]
}

const list = {
  dialect: 'native',
  method: 'GET',
  once: false,
  summary: 'Questions of patients about looks at their records',
  query: questionsQuery,
  answers: {
    200: {
      description:
        'Questions: open ones first, the next due first, then answered ones; with `next`, ask again with it as `after`',
    },
  },
} as const

function listRoutes(needs: { readonly facility: { readonly id: FacilityId } }): readonly Route[] {
  return [
    route({
      ...list,
      path: '/v1/questions',
      auth: 'operator',
      handle: async ({ tx, query }) => ({ status: 200, body: await receivedQuestions(tx, query) }),
    }),
    route({
      ...list,
      path: '/v1/desk/questions',
      auth: 'staff',
      act: 'access-log.see',
      handle: async ({ tx, caller, query }) => {
        if (caller.kind !== 'staff') return refuse('auth/forbidden')
        const body: DeskQuestions = await receivedQuestions(tx, query)
        await lookAtList(tx, needs, caller, 'questions', body.questions.length)
        return { status: 200, body }
      },
    }),
  ]
}

const reply = {
  dialect: 'native',
  method: 'POST',
  once: true,
  summary: 'Answers a patient’s question; she reads it in her app',
  answers: {
    200: { description: 'Answered' },
    404: { description: 'No such question' },
    409: { description: 'Answered already' },
  },
} as const

function replyRoutes(needs: { readonly facility: { readonly id: FacilityId } }): readonly Route[] {
  return [
    route({
      ...reply,
      path: '/v1/questions/:patient/:id/answer',
      auth: 'operator',
      body: namedAnswerOrder,
      handle: ({ tx, caller, params, body }) => answer(tx, params, { ...body, actor: operatorOf(caller) }),
    }),
    route({
      ...reply,
      path: '/v1/desk/questions/:patient/:id/answer',
      auth: 'staff',
      act: 'access-log.see',
      body: answerOrder,
      handle: async ({ tx, caller, params, body }) => {
        if (caller.kind !== 'staff') return refuse('auth/forbidden')
        const { name, role } = caller
        const actor: Actor = { kind: 'facility', id: needs.facility.id, person: { name, role } }
        return answer(tx, params, { text: body.text, by: name, actor })
      },
    }),
  ]
}

async function answer(
  tx: Tx,
  params: Readonly<Record<string, string>>,
  given: { readonly text: string; readonly by: string; readonly actor: Actor },
): Promise<{ readonly status: number; readonly body: object } | Refusal> {
  const patient = parseAbhaAddress(params['patient'] ?? '')
  const id: Id<'question'> | undefined = parseId(params['id'] ?? '')
  if (patient === undefined || id === undefined) return refuse('rights/unknown-question')
  const replied = await replyToQuestion(tx, { patient, id, ...given })
  return isRefusal(replied) ? replied : { status: 200, body: replied }
}

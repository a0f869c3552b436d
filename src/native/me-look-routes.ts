import { z } from 'zod'
import { type Route, route } from '../http/route.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { askQuestion, questionsOf } from '../rights/commands.ts'
import { facilityViews } from '../rights/facts.ts'
import { looksOf, openingsOf, unusualLooksOf } from '../rights/look-commands.ts'
import { questionOrder } from '../rights/messages.ts'
import type { Question } from '../rights/question.ts'
import type { ChangedLook, FacilityView, LookView, OpeningView, QuestionView } from '../rights/views.ts'
import { withheldEventsOf } from '../rights/withholding-commands.ts'
import { actorOf, patientOf } from './me-caller.ts'

const mine = { dialect: 'native', auth: 'patient', method: 'GET', once: false } as const
const page = z.object({
  before: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
})

export type WithheldLooks = { readonly count: number }
export type MyLooks = readonly (LookView | ChangedLook)[]
export type MyOpenings = readonly (OpeningView | ChangedLook)[]

/** Who looked at a patient's records, and questions about it. */
export function myLookRoutes(): readonly Route[] {
  return [
    route({
      ...mine,
      path: '/v1/me/looks',
      summary: 'Who looked at my records: by name, institution, reason and consent, newest first',
      query: page,
      answers: { 200: { description: 'Looks; `id` is the event whose receipt proves it' } },
      handle: async ({ tx, query, caller }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        const before = query.before === undefined ? {} : { before: query.before as Id<'event'> }
        return { status: 200, body: (await looksOf(tx, patient, { limit: query.limit, ...before })) satisfies MyLooks }
      },
    }),
    route({
      ...mine,
      path: '/v1/me/looks/openings',
      summary: 'Who opened my page at a facility, newest first; what was read of my records is among the looks',
      query: page,
      answers: { 200: { description: 'Openings; `id` is the event whose receipt proves it' } },
      handle: async ({ tx, query, caller }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        const before = query.before === undefined ? {} : { before: query.before as Id<'event'> }
        const body = await openingsOf(tx, patient, { limit: query.limit, ...before })
        return { status: 200, body: body satisfies MyOpenings }
      },
    }),
    route({
      ...mine,
      path: '/v1/me/looks/unusual',
      summary:
        'Looks that stand out: in an emergency, without a consent in force, for another purpose, without a visit',
      answers: { 200: { description: 'Looks, newest first' } },
      handle: async ({ tx, caller }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        return { status: 200, body: await unusualLooksOf(tx, patient) }
      },
    }),
    route({
      ...mine,
      path: '/v1/me/looks/withheld',
      summary: 'How many looks are not told for now, because the law forbids it (DPDP Rules 2025, r.23(2))',
      answers: { 200: { description: 'Their number' } },
      handle: async ({ tx, caller }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        const body: WithheldLooks = { count: (await withheldEventsOf(tx, patient)).length }
        return { status: 200, body }
      },
    }),
    ...questionRoutes(),
  ]
}

function questionRoutes(): readonly Route[] {
  return [
    route({
      ...mine,
      path: '/v1/me/questions',
      summary: 'What I asked facilities about looks at my records, with their answers',
      answers: { 200: { description: 'Questions, newest first' } },
      handle: async ({ tx, caller }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        const questions = await questionsOf(tx, patient)
        const facilities = await facilityViews(tx, [...new Set(questions.map(({ facility }) => facility))])
        return { status: 200, body: questions.map((question) => viewOf(question, facilities)) }
      },
    }),
    route({
      dialect: 'native',
      auth: 'patient',
      method: 'POST',
      once: true,
      path: '/v1/me/looks/:event/question',
      summary: 'Asks the facility about a look at my records; it has to answer by a date (DPDP s.13)',
      body: questionOrder,
      answers: {
        201: { description: 'Asked: with its number, and by when it is answered' },
        404: { description: 'No such look at my records' },
        429: { description: 'Too many questions wait for an answer' },
      },
      handle: async ({ tx, caller, body, params }) => {
        const [patient, actor] = [patientOf(caller), actorOf(caller)]
        if (isRefusal(patient)) return patient
        if (isRefusal(actor)) return actor
        const event = parseId<'event'>(params['event'] ?? '')
        if (event === undefined || (await withheldEventsOf(tx, patient)).includes(event))
          return refuse('request/not-found')
        const asked = await askQuestion(tx, { patient, actor, event, text: body.text })
        if (isRefusal(asked)) return asked
        return { status: 201, body: viewOf(asked, await facilityViews(tx, [asked.facility])) }
      },
    }),
  ]
}

function viewOf(question: Question, facilities: ReadonlyMap<string, FacilityView>): QuestionView {
  const { id, number, status, facility, event, text, askedAt, dueAt, answer } = question
  return {
    id,
    number,
    status,
    facility: facilities.get(facility) ?? { id: facility, name: facility, kinds: [] },
    event,
    text,
    askedAt: askedAt.toISOString(),
    dueAt: dueAt.toISOString(),
    ...(answer === undefined ? {} : { answer: { text: answer.text, by: answer.by, at: answer.at.toISOString() } }),
  }
}

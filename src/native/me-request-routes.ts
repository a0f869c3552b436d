import type { z } from 'zod'
import type { GrantItem, Permission } from '../consent/consent.ts'
import { allowRequest, type DecisionNeeds, denyRequest, showRequestNotice } from '../consent/decision-commands.ts'
import { listRequestsOf, requestOf } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import { type Answer, type Call, type Route, route } from '../http/route.ts'
import type { PatientCaller } from '../kernel/caller.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { allowBody, denyBody, noticeBody, requestsQuery } from './me-request-messages.ts'
import { viewRequest, viewRow } from './me-request-view.ts'

const reading = { dialect: 'native', auth: 'patient', method: 'GET', once: false } as const
const deciding = { dialect: 'native', auth: 'patient', method: 'POST', once: true } as const

/** The inbox of the patient app: who asks, everything for the decision, the notice, and the decision itself. */
export function meRequestRoutes(needs: DecisionNeeds): readonly Route[] {
  return [contactRoute(needs), listRoute(), oneRoute(), noticeRoute(needs), allowRoute(needs), denyRoute()]
}

/** The patient who calls, or for whom a guardian calls. */
export function patientCaller(call: Pick<Call<never, never>, 'caller'>): PatientCaller | Refusal {
  return call.caller.kind === 'patient' ? call.caller : refuse('auth/forbidden')
}

type Named = Pick<Call<never, never>, 'caller' | 'params'>

function callerAndRequest(
  call: Named,
): { readonly caller: PatientCaller; readonly request: Id<'consent-request'> } | Refusal {
  const caller = patientCaller(call)
  if (isRefusal(caller)) return caller
  const request = parseId<'consent-request'>(call.params['id'] ?? '')
  return request === undefined ? refuse('consent/unknown-request') : { caller, request }
}

/** Published for everybody (DPDP s.8(9)). */
function contactRoute(needs: DecisionNeeds): Route {
  return route({
    ...reading,
    auth: 'none',
    path: '/v1/contact',
    summary: 'Who answers questions about personal data at this exchange',
    answers: { 200: { description: 'Name, email, phone' } },
    handle: async () => ({ status: 200, body: needs.contact }),
  })
}

function listRoute(): Route {
  return route({
    ...reading,
    path: '/v1/me/requests',
    summary: 'Consent requests that wait for me, or that are decided, newest first',
    query: requestsQuery,
    answers: { 200: { description: 'A page of rows; `size` counts all' } },
    handle: async ({ tx, query, ...call }) => {
      const caller = patientCaller(call)
      if (isRefusal(caller)) return caller
      const { limit, offset } = query
      const found = await listRequestsOf(tx, caller.patient, {
        page: { limit, offset },
        ofOthers: true,
        status: query.status === 'waiting' ? 'REQUESTED' : ['GRANTED', 'DENIED', 'REVOKED', 'EXPIRED'],
      })
      const items: object[] = []
      for (const request of found.items) items.push(await viewRow(tx, request))
      return { status: 200, body: { items, size: found.size } }
    },
  })
}

function oneRoute(): Route {
  return route({
    ...reading,
    path: '/v1/me/requests/:id',
    summary: 'Everything for the decision about one request of mine; what was decided, once it is',
    answers: { 200: { description: 'The request' }, 404: { description: 'No such request of mine' } },
    handle: async ({ tx, ...call }) => {
      const named = callerAndRequest(call)
      if (isRefusal(named)) return named
      return answerOf(tx, named)
    },
  })
}

async function answerOf(
  tx: Tx,
  named: Exclude<ReturnType<typeof callerAndRequest>, Refusal>,
): Promise<Answer | Refusal> {
  const request = await requestOf(tx, named.caller.patient, named.request)
  return isRefusal(request) ? request : { status: 200, body: await viewRequest(tx, request) }
}

function noticeRoute(needs: DecisionNeeds): Route {
  return route({
    ...deciding,
    path: '/v1/me/requests/:id/notice',
    summary: 'The notice of a request in a language of mine; what is shown is kept as evidence',
    body: noticeBody,
    answers: {
      201: { description: 'The notice as shown, with its id and SHA-256' },
      409: { description: 'Decided already' },
    },
    handle: async ({ tx, body, ...call }) => {
      const named = callerAndRequest(call)
      if (isRefusal(named)) return named
      const shown = await showRequestNotice(tx, needs, { ...named, language: body.language })
      if (isRefusal(shown)) return shown
      const { id, sha256, shownAt, notice } = shown
      return { status: 201, body: { id, sha256, shownAt, ...notice } }
    },
  })
}

function allowRoute(needs: DecisionNeeds): Route {
  return route({
    ...deciding,
    path: '/v1/me/requests/:id/allow',
    summary: 'I allow what was asked, or less, after the notice and a proof anew of who I am',
    body: allowBody,
    answers: {
      200: { description: 'Allowed; the request with what was decided' },
      400: { description: 'More than was asked' },
      409: { description: 'Decided already, or the notice was not shown' },
      410: { description: 'The time to decide is over' },
    },
    handle: async ({ tx, body, ...call }) => {
      const named = callerAndRequest(call)
      if (isRefusal(named)) return named
      const request = await requestOf(tx, named.caller.patient, named.request)
      if (isRefusal(request)) return request
      const { notice, stepUp } = body
      const items = itemsOf(body.consents, request.asked.permission)
      const allowed = await allowRequest(tx, needs, { ...named, items, notice, stepUp })
      return isRefusal(allowed) ? allowed : answerOf(tx, named)
    },
  })
}

/** How often and in which way data may be asked for is never the app's to say: as it was asked. */
function itemsOf(
  consents: z.output<typeof allowBody>['consents'],
  { accessMode, frequency }: Permission,
): readonly GrantItem[] {
  return consents.map(({ hip, hiTypes, careContexts, period, eraseAt }) => ({
    hip,
    hiTypes,
    careContexts,
    permission: { accessMode, frequency, dateRange: period, dataEraseAt: eraseAt },
  }))
}

function denyRoute(): Route {
  return route({
    ...deciding,
    path: '/v1/me/requests/:id/deny',
    summary: 'I do not allow it; the reason, if I give one, is told to who asked',
    body: denyBody,
    answers: {
      200: { description: 'Denied; the request with what was decided' },
      409: { description: 'Decided already' },
      410: { description: 'The time to decide is over' },
    },
    handle: async ({ tx, body, ...call }) => {
      const named = callerAndRequest(call)
      if (isRefusal(named)) return named
      const denied = await denyRequest(tx, { ...named, reason: body.reason })
      return isRefusal(denied) ? denied : answerOf(tx, named)
    },
  })
}

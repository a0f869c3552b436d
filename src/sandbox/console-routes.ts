import type { z } from 'zod'
import { bridgeAdmission, bridgesQuery, facilityConfirmation } from '../abdm/operator-messages.ts'
import type { Tx } from '../db/tx.ts'
import { liveRoute } from '../http/live.ts'
import { type Answer, type Call, type Route, route } from '../http/route.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { jobsQuery } from '../native/operator-routes.ts'
import { listPatients } from '../people/commands.ts'
import { type FlowWatch, readLanes } from './flow-watch.ts'
import { flowQuery } from './messages.ts'
import { askParty, type SteeredParty } from './party-client.ts'
import { faultInput, replayInput } from './party-routes.ts'

export type ConsoleNeeds = {
  readonly exchange: { readonly id: string; readonly name: string }
  readonly publicUrl: string
  readonly parties: readonly SteeredParty[]
  readonly watch: FlowWatch
  /** What the page must send with whatever changes something. */
  readonly word: string
}

const PATIENTS_MAX = 1_000
const page = { dialect: 'native', auth: 'console', once: false } as const

/** What the sandbox console's own page asks: the flow of messages, each party's state, and the switches of the operators. */
export function consoleRoutes(needs: ConsoleNeeds): readonly Route[] {
  return [
    sessionRoute(needs),
    liveRoute({
      path: '/v1/console/live',
      summary: 'Tells at once that there are new messages (server-sent events)',
      auth: 'console',
      topicOf: () => 'party',
    }),
    flowRoute(needs),
    stateRoute(needs),
    peopleRoute(needs),
    ...partyRelays(needs),
    ...faultRelays(needs),
    ...bridgeRelays(needs),
  ]
}

function sessionRoute(needs: ConsoleNeeds): Route {
  return route({
    ...page,
    method: 'GET',
    path: '/v1/console/session',
    summary: 'The word that the page sends with what it changes, and who is in the network',
    answers: { 200: { description: 'Word and parties' } },
    handle: async ({ tx }) => ({
      status: 200,
      body: {
        csrf: needs.word,
        exchange: needs.exchange.id,
        lanes: await readLanes(tx, needs),
        steered: needs.parties.map(({ id }) => id),
      },
    }),
  })
}

function flowRoute(needs: ConsoleNeeds): Route {
  return route({
    ...page,
    method: 'GET',
    path: '/v1/console/flow',
    summary: 'Messages between parties, each once with both its sides: all, or what changed after a revision',
    query: flowQuery,
    answers: { 200: { description: 'Messages by time; go on after `revision`' } },
    handle: async ({ tx, query }) => {
      await needs.watch.look()
      const { flow } = needs.watch
      return {
        status: 200,
        body: {
          revision: flow.revision(),
          lanes: await readLanes(tx, needs),
          messages: flow.after(query.after),
        },
      }
    },
  })
}

function stateRoute(needs: ConsoleNeeds): Route {
  return route({
    ...page,
    method: 'GET',
    path: '/v1/console/state',
    summary: 'Of each party: how it is broken on purpose, what waits to leave it, its text messages',
    answers: { 200: { description: 'By party; without `state` where a party does not answer' } },
    handle: async () => {
      await needs.watch.look()
      const parties = await Promise.all(
        needs.parties.map(async (party) => ({ id: party.id, state: await okBody(party, '/v1/sandbox/state') })),
      )
      return { status: 200, body: { parties } }
    },
  })
}

function peopleRoute(needs: ConsoleNeeds): Route {
  return route({
    ...page,
    method: 'GET',
    path: '/v1/console/people',
    summary: 'Patients of the network, and the staff of each facility with what signs them in',
    answers: { 200: { description: 'People' } },
    handle: async ({ tx }) => {
      const facilities = needs.parties.filter(({ id }) => id !== needs.exchange.id)
      const staff = await Promise.all(
        facilities.map(async (party) => ({ id: party.id, staff: (await okBody(party, '/v1/sandbox/staff')) ?? [] })),
      )
      return { status: 200, body: { patients: await describePatients(tx), facilities: staff } }
    },
  })
}

async function describePatients(tx: Tx): Promise<readonly object[]> {
  const patients = await listPatients(tx, PATIENTS_MAX)
  return patients.map(({ abhaAddress, name, gender, birthDate, mobile, language, guardian }) => ({
    abhaAddress,
    name,
    gender,
    birthDate,
    mobile,
    language,
    ...(guardian === undefined ? {} : { guardian }),
  }))
}

/** What a party answers, when it answers well. */
async function okBody(party: SteeredParty, path: string): Promise<unknown> {
  const answer = await askParty(party, path)
  return isRefusal(answer) || answer.status !== 200 ? undefined : answer.body
}

type Relay<B extends z.ZodType | undefined> = {
  readonly method: Route['method'] & ('GET' | 'POST' | 'DELETE')
  readonly path: string
  readonly summary: string
  readonly body?: B
  /** The operator's path at the party. */
  readonly to: (params: Call<never, never>['params']) => string
  /** Where the path names no party. */
  readonly at?: 'exchange'
}

/** A route of the page that is the operator's route of a party: it adds the operator token, and hands on who the operator says she is. */
function relay<B extends z.ZodType | undefined = undefined>(needs: ConsoleNeeds, described: Relay<B>): Route {
  const { to, at, ...rest } = described
  return route({
    ...page,
    ...rest,
    answers: {
      200: { description: 'What the party answers' },
      404: { description: 'No such party, or nothing there' },
    },
    handle: async ({ params, body, headers }): Promise<Answer | Refusal> => {
      const party = needs.parties.find(({ id }) => id === (at === 'exchange' ? needs.exchange.id : params['party']))
      if (party === undefined) return refuse('sandbox/unknown-party')
      const operatorCode = headers['x-operator-code']
      return askParty(party, to(params), { method: rest.method, operatorCode, ...(body === undefined ? {} : { body }) })
    },
  })
}

const part = (params: Call<never, never>['params'], name: string): string => encodeURIComponent(params[name] ?? '')

function partyRelays(needs: ConsoleNeeds): readonly Route[] {
  return [
    relay(needs, {
      method: 'GET',
      path: '/v1/console/parties/:party/messages/:id',
      summary: 'One side of a message with headers, body and answer',
      to: (params) => `/v1/sandbox/messages/${part(params, 'id')}`,
    }),
    relay(needs, {
      method: 'POST',
      path: '/v1/console/parties/:party/replays',
      summary: 'Sends a message once more from the party that sent it',
      body: replayInput,
      to: () => '/v1/sandbox/replays',
    }),
    jobsRelay(needs),
    relay(needs, {
      method: 'POST',
      path: '/v1/console/parties/:party/jobs/:id/redeliver',
      summary: 'Puts a dead letter back',
      to: (params) => `/v1/jobs/${part(params, 'id')}/redeliver`,
    }),
    relay(needs, {
      method: 'POST',
      path: '/v1/console/parties/:party/hurry',
      summary: 'Lets what waits for another try leave now',
      to: () => '/v1/sandbox/jobs/hurry',
    }),
  ]
}

function jobsRelay(needs: ConsoleNeeds): Route {
  return route({
    ...page,
    method: 'GET',
    path: '/v1/console/parties/:party/jobs',
    summary: 'What waits to leave a party, behind what its state shows',
    query: jobsQuery.pick({ after: true }),
    answers: { 200: { description: 'Jobs, oldest first; go on after the `seq` of the last' } },
    handle: async ({ params, query: { after = 0 } }) => {
      const party = needs.parties.find(({ id }) => id === params['party'])
      return party === undefined ? refuse('sandbox/unknown-party') : askParty(party, `/v1/jobs?after=${after}`)
    },
  })
}

function faultRelays(needs: ConsoleNeeds): readonly Route[] {
  return [
    relay(needs, {
      method: 'POST',
      path: '/v1/console/parties/:party/faults',
      summary: 'Breaks a party for its partners',
      body: faultInput,
      to: () => '/v1/sandbox/faults',
    }),
    relay(needs, {
      method: 'DELETE',
      path: '/v1/console/parties/:party/faults/:id',
      summary: 'Mends one fault',
      to: (params) => `/v1/sandbox/faults/${part(params, 'id')}`,
    }),
    relay(needs, {
      method: 'DELETE',
      path: '/v1/console/parties/:party/faults',
      summary: 'Mends all faults of a party',
      to: () => '/v1/sandbox/faults',
    }),
    route({
      ...page,
      method: 'POST',
      path: '/v1/console/mend',
      summary: 'Mends every party',
      answers: { 200: { description: 'Parties that did not answer keep their faults until their end' } },
      handle: async () => {
        const answers = await Promise.all(
          needs.parties.map(async (party) => {
            const answer = await askParty(party, '/v1/sandbox/faults', { method: 'DELETE' })
            return isRefusal(answer) || answer.status !== 200 ? [party.id] : []
          }),
        )
        return { status: 200, body: { silent: answers.flat() } }
      },
    }),
  ]
}

function bridgeRelays(needs: ConsoleNeeds): readonly Route[] {
  return [
    route({
      ...page,
      method: 'GET',
      path: '/v1/console/bridges',
      summary: 'Bridges, a page at a time, and the services that nobody has confirmed',
      query: bridgesQuery,
      answers: { 200: { description: 'What the exchange answers' } },
      handle: async ({ query: { after } }) => {
        const party = needs.parties.find(({ id }) => id === needs.exchange.id)
        if (party === undefined) return refuse('sandbox/unknown-party')
        const words = after === undefined ? '' : `?${new URLSearchParams({ after }).toString()}`
        return askParty(party, `/v1/bridges${words}`)
      },
    }),
    relay(needs, {
      method: 'POST',
      path: '/v1/console/bridges',
      summary: 'Admits a bridge; its secret is shown once',
      body: bridgeAdmission,
      at: 'exchange',
      to: () => '/v1/bridges',
    }),
    relay(needs, {
      method: 'POST',
      path: '/v1/console/bridges/:client/revoke',
      summary: 'Shuts a bridge out for good',
      at: 'exchange',
      to: (params) => `/v1/bridges/${part(params, 'client')}/revoke`,
    }),
    relay(needs, {
      method: 'POST',
      path: '/v1/console/facilities/:facility/confirm',
      summary: 'Confirms a facility that a bridge named',
      body: facilityConfirmation,
      at: 'exchange',
      to: (params) => `/v1/facilities/${part(params, 'facility')}/confirm`,
    }),
  ]
}

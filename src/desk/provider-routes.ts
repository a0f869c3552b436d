import { listErasedCopies, listKeptCopies } from '../hiu/consent-views.ts'
import { type Route, route } from '../http/route.ts'
import { staffOf } from '../kernel/caller.ts'
import type { RecordsNeeds } from '../records/commands.ts'
import { lookAtList } from './looks.ts'
import { erasedQuery, heldQuery, keptQuery, servedQuery } from './messages.ts'
import { listHeldConsents, listServed } from './provider.ts'

const common = { dialect: 'native', auth: 'staff', act: 'provider.see', method: 'GET', once: false } as const
const GO_ON = 'with `next`, ask again with it as `before`.'

/** What this facility gave away, under which consent, and what it held back: for records officers and the data protection officer. */
export function deskProviderRoutes(needs: RecordsNeeds): readonly Route[] {
  return [
    route({
      ...common,
      path: '/v1/desk/provider/consents',
      summary: 'Consents under which this facility shares, or shared.',
      query: heldQuery,
      answers: { 200: { description: `Consents, latest first; ${GO_ON}` } },
      handle: async ({ tx, caller, query }) => {
        const body = await listHeldConsents(tx, needs, query)
        await lookAtList(tx, needs, staffOf(caller), 'provider consents', body.consents.length)
        return { status: 200, body }
      },
    }),
    route({
      ...common,
      path: '/v1/desk/provider/requests',
      summary: 'Requests for data that this facility served: what was sent, cut down, held back or failed, and why.',
      query: servedQuery,
      answers: { 200: { description: `Requests, latest first; ${GO_ON}` } },
      handle: async ({ tx, caller, query }) => {
        const body = await listServed(tx, needs, query)
        await lookAtList(tx, needs, staffOf(caller), 'provider requests', body.requests.length)
        return { status: 200, body }
      },
    }),
    ...copyRoutes(needs),
  ]
}

function copyRoutes(needs: RecordsNeeds): readonly Route[] {
  return [
    route({
      ...common,
      path: '/v1/desk/provider/erasures',
      summary: 'Copies of records of others that this facility erased, and whether the exchange took its word for it.',
      query: erasedQuery,
      answers: { 200: { description: `Erasures, latest first; ${GO_ON}` } },
      handle: async ({ tx, caller, query }) => {
        const { erasures, ...more } = await listErasedCopies(tx, query)
        await lookAtList(tx, needs, staffOf(caller), 'erasures', erasures.length)
        return { status: 200, body: { erasures: erasures.map(showErasure), ...more } }
      },
    }),
    route({
      ...common,
      path: '/v1/desk/provider/kept',
      summary: 'Copies of records of others that a law makes this facility keep, sealed, and until when.',
      query: keptQuery,
      answers: {
        200: { description: 'Copies, those that end next first; with `next`, ask again with it as `after`.' },
      },
      handle: async ({ tx, caller, query }) => {
        const body = await listKeptCopies(tx, query)
        await lookAtList(tx, needs, staffOf(caller), 'kept copies', body.kept.length)
        return { status: 200, body }
      },
    }),
  ]
}

type Erasure = Awaited<ReturnType<typeof listErasedCopies>>['erasures'][number]

function showErasure({ artefact, patient, reason, documents, erasedAt, attestationRefused }: Erasure) {
  return {
    artefact,
    abhaAddress: patient,
    reason,
    documents,
    erasedAt,
    ...(attestationRefused === undefined ? {} : { attestationRefused }),
  }
}

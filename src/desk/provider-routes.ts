import { listErasedCopies, listKeptCopies } from '../hiu/consent-views.ts'
import { type Route, route } from '../http/route.ts'
import { staffOf } from '../kernel/caller.ts'
import type { RecordsNeeds } from '../records/commands.ts'
import { lookAtList } from './looks.ts'
import { erasedQuery, heldQuery, servedQuery } from './messages.ts'
import { listHeldConsents, listServed } from './provider.ts'

const common = { dialect: 'native', auth: 'staff', act: 'provider.see', method: 'GET', once: false } as const

/** What this facility gave away, under which consent, and what it held back: for records officers and the data protection officer. */
export function deskProviderRoutes(needs: RecordsNeeds): readonly Route[] {
  return [
    route({
      ...common,
      path: '/v1/desk/provider/consents',
      summary: 'Consents under which this facility shares, or shared.',
      query: heldQuery,
      answers: { 200: { description: 'Consents, latest first, and where to go on.' } },
      handle: async ({ tx, caller, query }) => {
        const consents = await listHeldConsents(tx, needs, query)
        await lookAtList(tx, needs, staffOf(caller), 'provider consents', consents.length)
        const last = consents.at(-1)
        const more = consents.length < query.limit || last === undefined ? {} : { before: last.consentId }
        return { status: 200, body: { consents, ...more } }
      },
    }),
    route({
      ...common,
      path: '/v1/desk/provider/requests',
      summary: 'Requests for data that this facility served: what was sent, cut down, held back or failed, and why.',
      query: servedQuery,
      answers: { 200: { description: 'Requests, latest first, and where to go on.' } },
      handle: async ({ tx, caller, query }) => {
        const requests = await listServed(tx, needs, query)
        await lookAtList(tx, needs, staffOf(caller), 'provider requests', requests.length)
        const last = requests.at(-1)
        const more =
          requests.length < query.limit || last === undefined ? {} : { before: last.receivedAt.toISOString() }
        return { status: 200, body: { requests, ...more } }
      },
    }),
    route({
      ...common,
      path: '/v1/desk/provider/erasures',
      summary:
        'Copies of records of others that this facility erased, and whether the exchange took its word for it; and those that a law makes it keep.',
      query: erasedQuery,
      answers: { 200: { description: 'Erasures, latest first.' } },
      handle: async ({ tx, caller, query }) => {
        const erasures = await listErasedCopies(tx, query.limit)
        const kept = await listKeptCopies(tx, query.limit)
        await lookAtList(tx, needs, staffOf(caller), 'erasures', erasures.length + kept.length)
        return {
          status: 200,
          body: {
            erasures: erasures.map(({ artefact, patient, reason, documents, erasedAt, attestationRefused }) => ({
              artefact,
              abhaAddress: patient,
              reason,
              documents,
              erasedAt,
              ...(attestationRefused === undefined ? {} : { attestationRefused }),
            })),
            kept,
          },
        }
      },
    }),
  ]
}

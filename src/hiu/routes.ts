import type { Tx } from '../db/tx.ts'
import { type Route, route } from '../http/route.ts'
import { operatorOf } from '../kernel/caller.ts'
import { parseId } from '../kernel/id.ts'
import { firstOf } from '../kernel/list-place.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import {
  type ArtefactView,
  askConsent,
  type ConsentNeeds,
  type ConsentView,
  readConsent,
  refreshStatus,
} from './commands.ts'
import { listConsents } from './consent-list-store.ts'
import { fetchAgain, listErasedCopies, listKeptCopies } from './consent-views.ts'
import { claimCopy, liftClaim } from './erase.ts'
import {
  claimOrder,
  fetchOrder,
  keptQuery,
  listQuery,
  newConsentRequest,
  newSubscription,
  recordsQuery,
  viewAllOrder,
  viewOrder,
} from './messages.ts'
import { listSubscriptions, lockSubscription, subscriptionEvents } from './subscription-store.ts'
import { askSubscription } from './subscriptions.ts'
import { listRecords, viewRecord, viewRecords } from './view.ts'

const common = { dialect: 'native', auth: 'operator' } as const
const pageQuery = listQuery.pick({ limit: true })
const placeQuery = listQuery.pick({ limit: true, before: true })

/** What staff and hospital software call at their own facility to ask for records of others and to read them. */
export function hiuRoutes(needs: ConsentNeeds): readonly Route[] {
  return [
    ...consentRoutes(needs),
    ...consentActions(needs),
    ...recordRoutes(needs),
    ...keptRoutes(needs),
    ...subscriptionRoutes(needs),
  ]
}

function consentRoutes(needs: ConsentNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'POST',
      path: '/v1/consent-requests',
      summary: 'Asks a patient for consent to records of other facilities.',
      once: true,
      body: newConsentRequest,
      answers: {
        202: { description: 'Asked; follow it at /v1/consent-requests/{id}.' },
        400: { description: 'The terms cannot be.' },
      },
      handle: async ({ tx, body }) => {
        const { from, to, hip, requester, ...rest } = body
        const id = await askConsent(tx, needs, {
          ...rest,
          range: { from, to },
          requester: withoutUndefined(requester),
          ...(hip === undefined ? {} : { hip: withoutUndefined(hip) }),
        })
        return isRefusal(id) ? id : { status: 202, body: { id } }
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/v1/consent-requests',
      summary: 'Consents that this facility asked for, latest first.',
      once: false,
      query: listQuery,
      answers: { 200: { description: 'Consent requests; with `next`, ask again with it as `before`.' } },
      handle: async ({ tx, query }) => {
        const found = await listConsents(tx, { ...query, limit: query.limit + 1 })
        const { items, ...more } = firstOf(found, query.limit, ({ askedAt, id }) => ({ date: askedAt, id }))
        return { status: 200, body: { consentRequests: items, ...more } }
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/v1/consent-requests/:id',
      summary: 'One consent: what was asked, what each artefact gives, and what is missing of its data and why.',
      once: false,
      answers: { 200: { description: 'The consent.' }, 404: { description: 'There is none.' } },
      handle: async ({ tx, params }) => {
        const consent = await consentOf(tx, params['id'])
        return isRefusal(consent) ? consent : { status: 200, body: showConsent(consent) }
      },
    }),
  ]
}

function consentActions(needs: ConsentNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'POST',
      path: '/v1/consent-requests/:id/refresh',
      summary: 'Asks the exchange where a consent request stands, when a notification may have been lost.',
      once: true,
      answers: {
        202: { description: 'Asked.' },
        404: { description: 'There is none.' },
        409: { description: 'The exchange has not taken the request yet.' },
      },
      handle: async ({ tx, params }) => {
        const id = parseId<'hiu-consent'>(params['id'] ?? '')
        const asked = id === undefined ? refuse('hiu/unknown-consent') : await refreshStatus(tx, needs, id)
        return isRefusal(asked) ? asked : { status: 202 }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/consent-requests/:id/fetch',
      summary: 'Asks for the data again, as often as the consent permits.',
      once: true,
      body: fetchOrder,
      answers: {
        202: { description: 'Asked.' },
        404: { description: 'There is none.' },
        409: { description: 'Nothing is in force.' },
        429: { description: 'The consent permits no further request now.' },
      },
      handle: async ({ tx, params, body }) => {
        const id = parseId<'hiu-consent'>(params['id'] ?? '')
        const asked = id === undefined ? refuse('hiu/unknown-consent') : await fetchAgain(tx, needs, id, body.artefact)
        return isRefusal(asked) ? asked : { status: 202, body: { requests: asked } }
      },
    }),
  ]
}

async function consentOf(tx: Tx, text: string | undefined): Promise<ConsentView | Refusal> {
  const id = parseId<'hiu-consent'>(text ?? '')
  return id === undefined ? refuse('hiu/unknown-consent') : readConsent(tx, id)
}

/** The fetch REQUEST-ID is of no use to staff; the signed value is shown as it came. */
function showConsent(consent: ConsentView): object {
  return { ...consent, artefacts: consent.artefacts.map(showArtefact) }
}

function showArtefact({ fetchRequest: _fetchRequest, granted, ...artefact }: ArtefactView): object {
  return {
    ...artefact,
    ...(granted === undefined ? {} : { hip: granted.hip, granted: granted.terms, consentDetail: granted.raw }),
  }
}

function recordRoutes(needs: ConsentNeeds): readonly Route[] {
  const viewAnswers = {
    200: { description: 'The document, and how to show it.' },
    403: { description: 'The gate does not let it be shown.' },
  }
  return [
    route({
      ...common,
      method: 'GET',
      path: '/v1/records',
      summary: 'What is held of a patient from other facilities, newest first: no content, and no access record.',
      once: false,
      query: recordsQuery,
      answers: { 200: { description: 'Documents held or quarantined; with `next`, ask again with it as `before`.' } },
      handle: async ({ tx, query }) => ({ status: 200, body: await listRecords(tx, query) }),
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/records/view',
      summary:
        'Shows documents of a patient that a named person may see for a purpose, newest first and a page at a time. The patient sees who looked.',
      once: false,
      body: viewAllOrder,
      answers: { 200: { description: 'The documents; with `next`, ask again with it as `before`.' } },
      handle: async ({ tx, body: { patient, before, person, purpose } }) => ({
        status: 200,
        body: await viewRecords(tx, needs, { patient, before, actor: { ...person, purpose } }),
      }),
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/records/:id/view',
      summary: 'Shows one document to a named person. The patient sees who looked.',
      once: false,
      body: viewOrder,
      answers: { ...viewAnswers, 404: { description: 'There is no such document.' } },
      handle: async ({ tx, params, body }) => {
        const id = parseId<'hiu-document'>(params['id'] ?? '')
        const shown =
          id === undefined
            ? refuse('hiu/unknown-document')
            : await viewRecord(tx, needs, id, { ...body.person, purpose: body.purpose })
        return isRefusal(shown) ? shown : { status: 200, body: shown }
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/v1/erasures',
      summary: 'Copies that were erased, latest first, with the hashes of what was erased.',
      once: false,
      query: placeQuery,
      answers: { 200: { description: 'Erasures; with `next`, ask again with it as `before`.' } },
      handle: async ({ tx, query }) => ({ status: 200, body: await listErasedCopies(tx, query) }),
    }),
  ]
}

function keptRoutes(needs: ConsentNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path: '/v1/copies/kept',
      summary: 'Copies that a law keeps, sealed, after their consent has ended; those that end next first.',
      once: false,
      query: keptQuery,
      answers: { 200: { description: 'Copies, with the law and the day; with `next`, ask again with it as `after`.' } },
      handle: async ({ tx, query }) => {
        const { kept, ...more } = await listKeptCopies(tx, query)
        return { status: 200, body: { copies: kept, ...more } }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/copies/:artefact/claim',
      grave: true,
      summary: 'A legal claim: this copy outlives its consent until a day, sealed and unread.',
      once: true,
      body: claimOrder,
      answers: {
        204: { description: 'Noted.' },
        404: { description: 'There is no such artefact.' },
        409: { description: 'The copy is erased.' },
      },
      handle: async ({ tx, caller, params, body }) => {
        const by = operatorOf(caller).id
        const done = await claimCopy(tx, needs, { ...body, artefact: params['artefact'] ?? '', by })
        return isRefusal(done) ? done : { status: 204 }
      },
    }),
    route({
      ...common,
      method: 'DELETE',
      path: '/v1/copies/:artefact/claim',
      grave: true,
      summary: 'Lifts a legal claim; a copy whose consent has ended is erased, unless another law keeps it.',
      once: false,
      answers: { 204: { description: 'Lifted.' }, 404: { description: 'There is no such claim.' } },
      handle: async ({ tx, caller, params }) => {
        const done = await liftClaim(tx, needs, { artefact: params['artefact'] ?? '', by: operatorOf(caller).id })
        return isRefusal(done) ? done : { status: 204 }
      },
    }),
  ]
}

function subscriptionRoutes(needs: ConsentNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'POST',
      path: '/v1/subscriptions',
      summary: 'Asks to be told of new records of a patient.',
      once: true,
      body: newSubscription,
      answers: { 202: { description: 'Asked.' }, 400: { description: 'The terms cannot be.' } },
      handle: async ({ tx, body }) => {
        const id = await askSubscription(tx, needs, body)
        return isRefusal(id) ? id : { status: 202, body: { id } }
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/v1/subscriptions',
      summary: 'Subscriptions of this facility, latest first.',
      once: false,
      query: placeQuery,
      answers: { 200: { description: 'Subscriptions; with `next`, ask again with it as `before`.' } },
      handle: async ({ tx, query: { before, limit } }) => {
        const found = await listSubscriptions(tx, { before, limit: limit + 1 })
        const { items, ...more } = firstOf(found, limit, ({ askedAt, id }) => ({ date: askedAt, id }))
        return { status: 200, body: { subscriptions: items, ...more } }
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/v1/subscriptions/:id/events',
      summary: 'News that a subscription brought, latest first.',
      once: false,
      query: pageQuery,
      answers: { 200: { description: 'Events.' }, 404: { description: 'There is no such subscription.' } },
      handle: async ({ tx, params, query }) => {
        const id = parseId<'hiu-subscription'>(params['id'] ?? '')
        const subscription = id === undefined ? undefined : await lockSubscription(tx, id)
        if (subscription === undefined) return refuse('hiu/unknown-subscription')
        return { status: 200, body: { events: await subscriptionEvents(tx, subscription, query.limit) } }
      },
    }),
  ]
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Zod writes absent members as `undefined`; JSON and our types know only absence. */
function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>
}

import { type Call, type Route, route } from '../http/route.ts'
import { type Id, parseFacilityId, parseId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { groupsOf, keyOf } from '../linking/care-context.ts'
import { askConfirm, askDiscovery, askLink, readLinking } from '../linking/discovery-commands.ts'
import { careContextPage, holdersOf } from '../linking/link-commands.ts'
import { sharesOf } from '../linking/share-commands.ts'
import type { Transaction } from '../linking/transaction.ts'
import { type Facility, isHip } from '../partners/bridge.ts'
import { facilitiesByName, facilityById } from '../partners/commands.ts'
import { actorOf, patientOf } from './me-caller.ts'
import {
  hospitalsQuery,
  linkingAsk,
  linkingChoice,
  linkingCode,
  linkPlaceWord,
  linksQuery,
} from './me-record-messages.ts'

const mine = { dialect: 'native', auth: 'patient', method: 'GET', once: false } as const
const step = { ...mine, method: 'POST', once: true } as const
const taken = {
  202: { description: 'Asked; read the state under the id' },
  404: { description: 'No such linking of mine' },
} as const
type Tx = Call<never, never>['tx']

export type Hospital = {
  readonly id: string
  readonly name: string
  readonly kinds: readonly string[]
  /** Whether something there is linked to this person already. */
  readonly isLinked: boolean
}
export type HospitalsView = {
  readonly items: readonly Hospital[]
  /** Where the next page begins, when there is one. */
  readonly next?: string
}
export type LinkedView = {
  readonly items: readonly {
    readonly hip: { readonly id: string; readonly name: string; readonly active: boolean }
    readonly contexts: readonly {
      readonly patientReference: string
      readonly careContextReference: string
      readonly hiType: string
      readonly display: string
      readonly linkedAt: string
    }[]
  }[]
  /** Absent on the last page. */
  readonly next?: string
}
export type ShareView = {
  readonly id: string
  readonly hip: { readonly id: string; readonly name: string }
  readonly counter: string
  readonly sentAt: string
  readonly status: 'sent' | 'accepted' | 'refused' | 'failed'
  readonly tokenNumber?: string
  readonly expiresAt?: string
  readonly says?: string
}
export type SharesView = { readonly items: readonly ShareView[] }

/** Linking and scan and share for a patient's page: the same commands as ABDM's calls, in the order of a conversation. */
export function myLinkingRoutes(): readonly Route[] {
  return [...hospitalRoutes(), linksRoute(), askRoute(), chooseRoute(), confirmRoute(), sharesRoute()]
}

function hospitalRoutes(): readonly Route[] {
  const view = ({ id, name, facilityTypes }: Facility, linked: ReadonlySet<string>): Hospital => ({
    id,
    name,
    kinds: facilityTypes,
    isLinked: linked.has(id),
  })
  return [
    route({
      ...mine,
      path: '/v1/me/hospitals',
      summary: 'Hospitals and laboratories that can be asked for records, by name',
      query: hospitalsQuery,
      answers: { 200: { description: 'By name; with `next`, ask again with it as `after`' } },
      handle: async ({ tx, caller, query }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        const name = query.search === undefined || query.search === '' ? {} : { name: query.search }
        const linked = await holdersOf(tx, patient)
        const { facilities, ...more } = await facilitiesByName(tx, { roles: ['hip'], ...name }, query)
        const items = facilities.map((each) => view(each, linked))
        return { status: 200, body: { items, ...more } satisfies HospitalsView }
      },
    }),
    route({
      ...mine,
      path: '/v1/me/hospitals/:id',
      summary: 'One hospital, as a code at its counter names it',
      answers: { 200: { description: 'The hospital' }, 404: { description: 'There is no such hospital' } },
      handle: async ({ tx, caller, params }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        const id = parseFacilityId(params['id'] ?? '')
        const facility = id === undefined ? undefined : await facilityById(tx, id)
        return facility === undefined || !isHip(facility)
          ? refuse('partners/hip-unavailable')
          : { status: 200, body: view(facility, await holdersOf(tx, patient)) }
      },
    }),
  ]
}

function linksRoute(): Route {
  return route({
    ...mine,
    path: '/v1/me/links',
    summary: 'What is linked, by hospital, a page at a time',
    query: linksQuery,
    answers: { 200: { description: 'Linked care contexts; with `next`, ask again with it as `after`' } },
    handle: async ({ tx, caller, query }) => {
      const patient = patientOf(caller)
      if (isRefusal(patient)) return patient
      const { contexts: page, next } = await careContextPage(tx, patient, query)
      const byHip = Map.groupBy(page, ({ hip }) => hip)
      const items: LinkedView['items'][number][] = []
      for (const [hip, contexts] of byHip) {
        const facility = await facilityById(tx, hip)
        items.push({
          hip: { id: hip, name: facility?.name ?? hip, active: facility !== undefined && isHip(facility) },
          contexts: contexts.map(({ patientReference, careContextReference, hiType, display, linkedAt }) => ({
            patientReference,
            careContextReference,
            hiType,
            display,
            linkedAt: linkedAt.toISOString(),
          })),
        })
      }
      const more = next === undefined ? {} : { next: linkPlaceWord(next) }
      return { status: 200, body: { items, ...more } satisfies LinkedView }
    },
  })
}

function askRoute(): Route {
  return route({
    ...step,
    path: '/v1/me/linking',
    summary: 'Asks a hospital whether it has records of mine',
    body: linkingAsk,
    answers: taken,
    handle: async (call) => {
      const asking = askingOf(call)
      if (isRefusal(asking)) return asking
      const { hip, identifiers } = call.body
      const asked = await askDiscovery(call.tx, { ...asking, hip, identifiers })
      return isRefusal(asked) ? asked : { status: 202, body: { id: asked.id } }
    },
  })
}

function chooseRoute(): Route {
  return route({
    ...step,
    path: '/v1/me/linking/:transaction/choose',
    summary: 'Chooses what to link of what was found; the hospital then sends me a code',
    body: linkingChoice,
    answers: taken,
    handle: async (call) => {
      const found = await ownLinking(call)
      if (isRefusal(found)) return found
      const { t, asking } = found
      const wanted = new Set(call.body.chosen.map(keyOf))
      const contexts = ('found' in t ? t.found : []).flatMap((group) =>
        group.careContexts.map((context) => ({
          patientReference: group.referenceNumber,
          careContextReference: context.referenceNumber,
          hiType: group.hiType,
          patientDisplay: group.display,
          display: context.display,
        })),
      )
      const chosen = contexts.filter((context) => wanted.has(keyOf(context)))
      if (chosen.length !== wanted.size && 'found' in t)
        return refuse('request/invalid-field', 'chosen names a record that was not found.', 'chosen')
      const asked = await askLink(call.tx, { ...asking, transaction: t.id, chosen: groupsOf(chosen) })
      return isRefusal(asked) ? asked : { status: 202, body: { id: asked.id } }
    },
  })
}

function confirmRoute(): Route {
  return route({
    ...step,
    path: '/v1/me/linking/:transaction/confirm',
    summary: 'Hands over the code that the hospital sent me',
    body: linkingCode,
    answers: taken,
    handle: async (call) => {
      const found = await ownLinking(call)
      if (isRefusal(found)) return found
      const { t, asking } = found
      if (!('link' in t)) return refuse('linking/wrong-order')
      const asked = await askConfirm(call.tx, {
        ...asking,
        linkReference: t.link.referenceNumber,
        otp: call.body.code,
      })
      return isRefusal(asked) ? asked : { status: 202, body: { id: asked.id } }
    },
  })
}

function sharesRoute(): Route {
  return route({
    ...mine,
    path: '/v1/me/shares',
    summary: 'Where I showed my profile at a counter, with my number in the queue, newest first',
    answers: { 200: { description: 'The latest ones' } },
    handle: async ({ tx, caller }) => {
      const patient = patientOf(caller)
      if (isRefusal(patient)) return patient
      const items: ShareView[] = []
      for (const share of await sharesOf(tx, patient)) {
        const facility = await facilityById(tx, share.hip)
        items.push({
          id: share.id,
          hip: { id: share.hip, name: facility?.name ?? share.hip },
          counter: share.counter,
          sentAt: share.sentAt.toISOString(),
          status: share.status,
          ...(share.status === 'accepted'
            ? {
                expiresAt: share.expiresAt.toISOString(),
                ...(share.tokenNumber === undefined ? {} : { tokenNumber: share.tokenNumber }),
              }
            : {}),
          ...('error' in share ? { says: share.error.message } : {}),
        })
      }
      return { status: 200, body: { items } satisfies SharesView }
    },
  })
}

type Calling = Pick<Call<never, never>, 'caller' | 'requestId' | 'params'> & { readonly tx: Tx }

function askingOf({ caller, requestId }: Calling) {
  const [patient, actor] = [patientOf(caller), actorOf(caller)]
  if (isRefusal(patient)) return patient
  if (isRefusal(actor)) return actor
  // No app to call back: the page reads the state under the id.
  return { patient, actor, askedByRequest: requestId }
}

async function ownLinking(call: Calling) {
  const asking = askingOf(call)
  if (isRefusal(asking)) return asking
  const id: Id<'linking-transaction'> | undefined = parseId(call.params['transaction'] ?? '')
  if (id === undefined) return refuse('linking/unknown-transaction')
  const t: Transaction | Refusal = await readLinking(call.tx, asking.patient, id)
  return isRefusal(t) ? t : { t, asking }
}

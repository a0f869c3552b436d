import { type Call, type Route, route } from '../http/route.ts'
import { parseId } from '../kernel/id.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { facilityById } from '../partners/commands.ts'
import { collectPages, noteOpened } from '../transfer/mailbox-commands.ts'
import type { Holder, HolderReason, HolderStatus, OwnFetch } from '../transfer/own-fetch.ts'
import {
  closeOwnFetch,
  noteExported,
  type OwnFetchNeeds,
  readOwnFetch,
  startOwnFetch,
} from '../transfer/own-fetch-commands.ts'
import { actorOf, patientOf } from './me-caller.ts'
import { openedPages, ownExport, ownFetchAsk, pagesQuery } from './me-record-messages.ts'

const mine = { dialect: 'native', auth: 'patient', method: 'GET', once: false } as const
const PATH = '/v1/me/records/fetch'
const unknown = { 404: { description: 'Nothing of mine waits under this id' } } as const

/** How one hospital is getting on with a patient's own copy. */
export type FetchHolder = {
  readonly hip: { readonly id: string; readonly name: string }
  readonly status: HolderStatus
  readonly pagesReceived: number
  /** Absent until the first page says it. */
  readonly pagesAnnounced?: number
  readonly entriesReceived: number
  readonly reason?: HolderReason
}
export type FetchView = {
  readonly id: string
  readonly startedAt: string
  readonly deadline: string
  readonly expiresAt: string
  /** The number of the newest page: what the page has not collected yet is beyond what it has. */
  readonly lastSeq: number
  readonly holders: readonly FetchHolder[]
}

/** Entries and key material of a sealed page, as the hospital sent them. */
export type SealedBody = {
  readonly entries: readonly {
    readonly content?: string
    readonly link?: string
    readonly media?: string
    readonly checksum?: string
    readonly careContextReference: string
  }[]
  readonly keyMaterial: { readonly keyValue: string; readonly nonce: string }
}
export type PageView = { readonly seq: number; readonly hip: string; readonly number: number } & SealedBody
export type PagesView = { readonly pages: readonly PageView[]; readonly more: boolean }

/** A patient's own records: asked for with the key of her page, handed over sealed. */
export function myRecordRoutes(needs: OwnFetchNeeds): readonly Route[] {
  return [startRoute(needs), ...followRoutes(needs), openedRoute(needs), exportRoute()]
}

function startRoute(needs: OwnFetchNeeds): Route {
  return route({
    ...mine,
    method: 'POST',
    once: true,
    path: PATH,
    summary: 'Asks my hospitals for my own records, sealed for the key of this page',
    body: ownFetchAsk,
    answers: {
      202: { description: 'Asked; follow it under the id' },
      409: { description: 'No records are linked' },
    },
    handle: async ({ tx, caller, body }) => {
      const [patient, actor] = [patientOf(caller), actorOf(caller)]
      if (isRefusal(patient)) return patient
      if (isRefusal(actor)) return actor
      const { keyMaterial, hips, hiTypes, range } = body
      const own = await startOwnFetch(tx, needs, {
        patient,
        actor,
        key: { keyValue: keyMaterial.dhPublicKey.keyValue, nonce: keyMaterial.nonce },
        ...(hips === undefined ? {} : { hips }),
        ...(hiTypes === undefined ? {} : { hiTypes }),
        ...(range === undefined ? {} : { dateRange: range }),
      })
      if (isRefusal(own)) return own
      const found = await readOwnFetch(tx, patient, own.id)
      return isRefusal(found) ? found : { status: 202, body: await viewOf(tx, found.own, found.holders) }
    },
  })
}

function followRoutes(needs: OwnFetchNeeds): readonly Route[] {
  return [
    route({
      ...mine,
      path: `${PATH}/:id`,
      summary: 'How far each hospital is with my own records',
      answers: { 200: { description: 'One state for each hospital' }, ...unknown },
      handle: async ({ tx, caller, params }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        const id = parseId<'own-fetch'>(params['id'] ?? '')
        const found = id === undefined ? refuse('transfer/unknown-fetch') : await readOwnFetch(tx, patient, id)
        return isRefusal(found) ? found : { status: 200, body: await viewOf(tx, found.own, found.holders) }
      },
    }),
    route({
      ...mine,
      path: `${PATH}/:id/pages`,
      summary: 'Collects sealed pages of my own records; this exchange cannot open them',
      query: pagesQuery,
      answers: { 200: { description: 'Pages after `after`, in the order in which they came' }, ...unknown },
      handle: async ({ tx, caller, params, query }) => {
        const [patient, actor] = [patientOf(caller), actorOf(caller)]
        if (isRefusal(patient)) return patient
        if (isRefusal(actor)) return actor
        const id = parseId<'own-fetch'>(params['id'] ?? '')
        if (id === undefined) return refuse('transfer/unknown-fetch')
        const collected = await collectPages(tx, needs, { patient, actor, id, after: query.after })
        if (isRefusal(collected)) return collected
        const pages = collected.pages.map(({ body, ...page }) => ({ ...page, ...(JSON.parse(body) as SealedBody) }))
        return { status: 200, body: { pages, more: collected.more } satisfies PagesView }
      },
    }),
    route({
      ...mine,
      method: 'DELETE',
      path: `${PATH}/:id`,
      summary: 'Throws away what waits of my own records, and takes no more',
      answers: { 204: { description: 'Nothing waits any more' }, ...unknown },
      handle: async ({ tx, caller, params }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        const id = parseId<'own-fetch'>(params['id'] ?? '')
        if (id === undefined) return refuse('transfer/unknown-fetch')
        const closed = await closeOwnFetch(tx, needs, patient, id)
        return isRefusal(closed) ? closed : { status: 204 }
      },
    }),
  ]
}

function openedRoute(needs: OwnFetchNeeds): Route {
  return route({
    ...mine,
    method: 'POST',
    once: true,
    path: `${PATH}/:id/opened`,
    summary: 'Says which collected documents opened; they are deleted here',
    body: openedPages,
    answers: { 204: { description: 'Noted and deleted' }, ...unknown },
    handle: async ({ tx, caller, params, body }) => {
      const [patient, actor] = [patientOf(caller), actorOf(caller)]
      if (isRefusal(patient)) return patient
      if (isRefusal(actor)) return actor
      const id = parseId<'own-fetch'>(params['id'] ?? '')
      if (id === undefined) return refuse('transfer/unknown-fetch')
      const pages = body.pages.map(({ seq, entries }) => ({
        seq,
        entries: entries.map(({ careContextReference, fault }) => ({
          careContextReference,
          ...(fault === undefined ? {} : { fault }),
        })),
      }))
      const noted = await noteOpened(tx, needs, { patient, actor, id, pages })
      return isRefusal(noted) ? noted : { status: 204 }
    },
  })
}

/** The page has the documents; this is the moment at which it may make files or paper of them. */
function exportRoute(): Route {
  return route({
    ...mine,
    method: 'POST',
    once: true,
    path: '/v1/me/records/export',
    summary: 'I take my copy out of this page, as files or on paper; after a proof anew of who I am',
    body: ownExport,
    stepUp: { act: 'export.read', subject: ({ caller }) => (caller.kind === 'patient' ? caller.patient : '') },
    answers: { 204: { description: 'Recorded: the page may make the files now' }, 403: { description: 'No proof' } },
    handle: async ({ tx, caller, body }) => {
      const [patient, actor] = [patientOf(caller), actorOf(caller)]
      if (isRefusal(patient)) return patient
      if (isRefusal(actor)) return actor
      await noteExported(tx, { patient, actor, form: body.form })
      return { status: 204 }
    },
  })
}

async function viewOf(tx: Call<never, never>['tx'], own: OwnFetch, holders: readonly Holder[]): Promise<FetchView> {
  const views: FetchHolder[] = []
  for (const { hip, status, pagesReceived, pagesAnnounced, entriesReceived, reason } of holders) {
    const facility = await facilityById(tx, hip)
    views.push({
      hip: { id: hip, name: facility?.name ?? hip },
      status,
      pagesReceived,
      entriesReceived,
      ...(pagesAnnounced === undefined ? {} : { pagesAnnounced }),
      ...(reason === undefined ? {} : { reason }),
    })
  }
  return {
    id: own.id,
    startedAt: own.startedAt.toISOString(),
    deadline: own.deadline.toISOString(),
    expiresAt: own.expiresAt.toISOString(),
    lastSeq: own.lastSeq,
    holders: views,
  }
}

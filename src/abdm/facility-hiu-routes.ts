import type { z } from 'zod'
import type { Heard } from '../consent/emergency.ts'
import { type FetchedArtefact, takeArtefact } from '../hiu/artefacts.ts'
import { takeConsentAnswer, takeNotice, takeStatus } from '../hiu/commands.ts'
import { isPushAddress, type Page, receivePage } from '../hiu/pages.ts'
import { PUSH_PATH, type RequestNeeds, takeDataAnswer } from '../hiu/requests.ts'
import { takeSubscriptionAnswer, takeSubscriptionEvent, takeSubscriptionNotice } from '../hiu/subscriptions.ts'
import { type Answer, type Call, type Route, route } from '../http/route.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { parsePurpose } from '../policy/purpose.ts'
import {
  consentOnFetch,
  consentOnInit,
  consentOnStatus,
  hiuConsentNotify,
  type ReceivedDetail,
} from './consent-messages.ts'
import { dataOnRequest, dataPush } from './data-messages.ts'
import { errorOf } from './rules.ts'
import { subscriptionEvent, subscriptionNotify, subscriptionOnInit } from './subscription-messages.ts'
import { wireDate } from './wire.ts'

export type FacilityHiuNeeds = RequestNeeds

const accepted: Answer = { status: 202 }
const common = { method: 'POST', dialect: 'abdm', auth: 'exchange', once: true } as const
const answers = { 202: { description: 'Taken; the answer of this facility is a call of its own.' } }
const NO_ANSWER = { code: 'ABDM-1006', message: 'The answer holds neither a result nor an error.' }

/** Callbacks of the exchange to this facility as HIU, and the address to which providers push (protocol sheet 2.4, 2.5, 2.7). */
export function facilityHiuRoutes(needs: FacilityHiuNeeds): readonly Route[] {
  return [...consentRoutes(needs), ...dataRoutes(needs), ...subscriptionRoutes(needs)]
}

/** An exchange that does not say that it told a patient has not. */
function heardOf({ patientTold, onlyOnPaper }: z.output<typeof consentOnInit>): Heard {
  if (patientTold === true) return 'told'
  return onlyOnPaper === true ? 'only-on-paper' : 'not-told'
}

/** A callback for another facility than this one. An exchange that leaves X-HIU-ID out means the one that it calls. */
function otherFacility(call: Pick<Call<never, never>, 'headers'>, needs: FacilityHiuNeeds): Refusal | undefined {
  const named = call.headers['x-hiu-id']
  if (named === undefined || named === needs.facility.id) return undefined
  return refuse('hiu/other-facility', 'X-HIU-ID names another facility than this one.', 'X-HIU-ID')
}

const answered = (result: true | Refusal): Answer | Refusal => (isRefusal(result) ? result : accepted)

function consentRoutes(needs: FacilityHiuNeeds): readonly Route[] {
  return [
    route({
      ...common,
      path: '/api/v3/hiu/consent/request/on-init',
      summary: 'The id of the consent request that we made, or why there is none.',
      body: consentOnInit,
      answers,
      handle: async (call) => {
        const { consentRequest, error, response } = call.body
        const heard = heardOf(call.body)
        const answer = consentRequest ? { id: consentRequest.id, heard } : { error: error ?? NO_ANSWER, heard }
        return (
          otherFacility(call, needs) ?? answered(await takeConsentAnswer(call.tx, needs, response.requestId, answer))
        )
      },
    }),
    route({
      ...common,
      path: '/api/v3/hiu/consent/request/on-status',
      summary: 'Where a consent request stands.',
      body: consentOnStatus,
      answers,
      handle: async (call) => {
        const refusal = otherFacility(call, needs)
        const told = call.body.consentRequest
        // An error here changes nothing: what we know stays as it is, and the delivery log shows the error.
        if (refusal !== undefined || !told) return refusal ?? accepted
        const artefacts = (told.consentArtefacts ?? []).map(({ id }) => id)
        const { id: consentRequest, status } = told
        return answered(await takeStatus(call.tx, needs, { consentRequest, status, artefacts }))
      },
    }),
    route({
      ...common,
      path: '/api/v3/hiu/consent/request/notify',
      summary: 'What the patient decided about a consent request, or that a consent ended.',
      body: hiuConsentNotify,
      answers,
      handle: async (call) => {
        const refusal = otherFacility(call, needs)
        if (refusal !== undefined) return refusal
        const { consentRequestId: consentRequest, status, reason, consentArtefacts } = call.body.notification
        const artefacts = (consentArtefacts ?? []).map(({ id }) => id)
        await takeNotice(call.tx, needs, {
          consentRequest,
          status,
          artefacts,
          message: call.requestId,
          ...(reason ? { reason } : {}),
        })
        return accepted
      },
    }),
    route({
      ...common,
      path: '/api/v3/hiu/consent/on-fetch',
      summary: 'A consent artefact that we fetched.',
      body: consentOnFetch,
      answers,
      handle: async (call) => {
        const { consent, error, response } = call.body
        const fetched = consent ? readFetched(consent) : { error: error ?? NO_ANSWER }
        const taken = isRefusal(fetched) ? { error: errorOf(fetched) } : fetched
        return otherFacility(call, needs) ?? answered(await takeArtefact(call.tx, needs, response.requestId, taken))
      },
    }),
  ]
}

function readFetched(consent: NonNullable<z.output<typeof consentOnFetch>['consent']>): FetchedArtefact | Refusal {
  const { status, consentDetail, signature } = consent
  if (!consentDetail || !signature) return refuse('hiu/artefact-incomplete')
  const { raw, detail } = consentDetail
  const purpose = parsePurpose(detail.purpose.code)
  if (purpose === undefined) return refuse('hiu/artefact-mismatch', 'Its purpose is none of the six purpose codes.')
  return {
    status,
    raw,
    signature,
    consentId: detail.consentId,
    patient: detail.patient.id,
    hip: named(detail.hip),
    ...(detail.hiu ? { hiu: detail.hiu.id } : {}),
    terms: {
      purpose,
      hiTypes: detail.hiTypes,
      range: detail.permission.dateRange,
      dataEraseAt: detail.permission.dataEraseAt,
      frequency: detail.permission.frequency,
      accessMode: detail.permission.accessMode,
      hip: named(detail.hip),
      careContexts: detail.careContexts,
    },
  }
}

function named({ id, name }: ReceivedDetail['hip']): FetchedArtefact['hip'] {
  return name ? { id, name } : { id }
}

function dataRoutes(needs: FacilityHiuNeeds): readonly Route[] {
  return [
    route({
      ...common,
      path: '/api/v3/hiu/health-information/on-request',
      summary: 'The transaction of our data request, or why there is none.',
      body: dataOnRequest,
      answers,
      handle: async (call) => {
        const { hiRequest, error, response } = call.body
        const answer = hiRequest ? { transaction: hiRequest.transactionId } : { error: error ?? NO_ANSWER }
        return otherFacility(call, needs) ?? answered(await takeDataAnswer(call.tx, needs, response.requestId, answer))
      },
    }),
    route({
      method: 'POST',
      path: `${PUSH_PATH}:token`,
      summary: 'One page of sealed documents, pushed by a provider to the address that we gave for one request.',
      dialect: 'abdm',
      // Two of three known providers send no token (protocol sheet 2.5): the unguessable address is what lets them in. Without
      // REQUEST-ID, too: a repeated page is known by its content.
      auth: 'none',
      once: false,
      secretPath: true,
      body: dataPush,
      bodyBytesMax: LIMITS.pushBodyBytesMax,
      answers: {
        202: { description: 'Stored.' },
        403: { description: 'The consent has ended; nothing was stored.' },
        404: { description: 'No request has this address.' },
        410: { description: 'Too late; nothing was stored.' },
      },
      admit: async ({ tx, params }) =>
        (await isPushAddress(tx, params['token'] ?? '')) ? undefined : refuse('hiu/unknown-push'),
      handle: async ({ tx, body, params }) =>
        answered(await receivePage(tx, needs, params['token'] ?? '', readPage(body))),
    }),
  ]
}

function readPage(body: z.output<typeof dataPush>): Page {
  const { pageNumber, pageCount, transactionId, entries, keyMaterial } = body
  const { dhPublicKey, nonce, curve, cryptoAlg } = keyMaterial
  return {
    transaction: transactionId,
    ...present({ number: pageNumber, count: pageCount }),
    body: {
      key: { keyValue: dhPublicKey.keyValue, nonce, curve, algorithm: cryptoAlg, expiry: wireDate(dhPublicKey.expiry) },
      entries: entries.map(({ content, link, media, checksum, careContextReference }) => ({
        careContextReference,
        ...present({ content, link, media, checksum }),
      })),
    },
  }
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> }

/** `null` on the wire means the same as absence (protocol sheet 3.9). */
function present<T extends object>(members: T): Present<T> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined),
  ) as Present<T>
}

function subscriptionRoutes(needs: FacilityHiuNeeds): readonly Route[] {
  return [
    route({
      ...common,
      path: '/api/v3/hiu/hiecm/subscription-requests/on-init',
      summary: 'The id of the subscription that we asked for, or why there is none.',
      body: subscriptionOnInit,
      answers,
      handle: async (call) => {
        const { subscriptionRequest, error, response } = call.body
        const answer = subscriptionRequest ? { id: subscriptionRequest.id } : { error: error ?? NO_ANSWER }
        return (
          otherFacility(call, needs) ??
          answered(await takeSubscriptionAnswer(call.tx, needs, response.requestId, answer))
        )
      },
    }),
    route({
      ...common,
      path: '/api/v3/hiu/subscription-requests/hiu/notify',
      summary: 'What the patient decided about a subscription.',
      body: subscriptionNotify,
      answers,
      handle: async (call) => {
        const { subscriptionRequestId, status, subscription, reason } = call.body.notification
        const notice = {
          subscriptionRequest: subscriptionRequestId,
          status,
          message: call.requestId,
          ...(subscription ? { subscription: subscription.id } : {}),
          ...(reason ? { reason } : {}),
        }
        return otherFacility(call, needs) ?? answered(await takeSubscriptionNotice(call.tx, needs, notice))
      },
    }),
    route({
      ...common,
      path: '/api/v3/hiu/subscription/notify',
      summary: 'News of records under a subscription.',
      body: subscriptionEvent,
      answers,
      handle: async (call) => {
        const { id, published, category, subscriptionId, content } = call.body.event
        const news = {
          id,
          subscription: subscriptionId,
          publishedAt: published,
          category,
          patient: content.patient.id,
          hip: content.hip.id,
          contexts: content.contexts,
          message: call.requestId,
        }
        return otherFacility(call, needs) ?? answered(await takeSubscriptionEvent(call.tx, needs, news))
      },
    }),
  ]
}

import type { z } from 'zod'
import { type Answer, type Route, route } from '../http/route.ts'
import { parseId } from '../kernel/id.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { answerRequest, reportTransfer, requestData, transferFor } from '../transfer/commands.ts'
import type { DataRequest } from '../transfer/transfer.ts'
import { isGiven } from './consent-messages.ts'
import { laneOfTransfer } from './consent-reactions.ts'
import {
  dataNotify,
  type dataOnRequest,
  dataRequest,
  type dataStatus,
  hipDataOnRequest,
  type hipDataRequest,
} from './data-messages.ts'
import { facilitiesOfCaller } from './exchange-callers.ts'
import { refusedBody } from './exchange-consent-routes.ts'
import { facilityOf, ownFacility } from './rules.ts'
import { sendToFacility } from './send.ts'

const ACCEPTED: Answer = { status: 202 }
const form = {
  dialect: 'abdm',
  auth: 'bridge',
  once: true,
  method: 'POST',
  answers: { 202: { description: 'Accepted; the result comes as a callback.' } },
} as const

type HiRequest = z.output<typeof dataRequest>['hiRequest']

/** The data flow at the exchange (protocol sheet 2.5): it routes requests and notes how they end; data never passes here. */
export function exchangeDataRoutes(): readonly Route[] {
  return [askForData(), hipAnswer(), notify(), status()]
}

function askForData(): Route {
  return route({
    ...form,
    path: '/api/hiecm/data-flow/v3/health-information/request',
    summary: 'A HIU asks for health information under a consent; the transaction id comes by on-request.',
    body: dataRequest,
    handle: async (call) => {
      const hiu = facilityOf(call, 'X-HIU-ID')
      if (isRefusal(hiu)) return hiu
      const { hiRequest } = call.body
      const request = await requestData(call.tx, {
        hiu,
        consent: hiRequest.consent.id,
        keyMaterial: hiRequest.keyMaterial,
        requestId: call.requestId,
        ...(!isGiven(hiRequest.dateRange) ? {} : { dateRange: hiRequest.dateRange }),
      })
      const body: z.input<typeof dataOnRequest> = isRefusal(request)
        ? refusedBody(request, call.requestId)
        : {
            hiRequest: { transactionId: request.id, sessionStatus: 'REQUESTED' },
            response: { requestId: call.requestId },
          }
      await sendToFacility(call.tx, {
        facility: hiu,
        as: 'hiu',
        path: '/api/v3/hiu/health-information/on-request',
        body,
        ...(isRefusal(request) ? {} : { lane: laneOfTransfer(request.id) }),
      })
      if (!isRefusal(request)) {
        await sendToFacility(call.tx, {
          facility: request.hip,
          as: 'hip',
          path: '/api/v3/hip/health-information/request',
          body: routedBody(request, hiRequest),
          // The transaction id serves as REQUEST-ID, so an answer that carries nothing else is still found.
          requestId: request.id,
          failure: { kind: 'data-request', id: request.id },
        })
      }
      return ACCEPTED
    },
  })
}

function routedBody(request: DataRequest, { dataPushUrl, keyMaterial }: HiRequest): z.input<typeof hipDataRequest> {
  const { cryptoAlg, curve, dhPublicKey, nonce } = keyMaterial
  return {
    transactionId: request.id,
    hiRequest: {
      consent: { id: request.consent },
      dateRange: { from: request.dateRange.from.toISOString(), to: request.dateRange.to.toISOString() },
      dataPushUrl,
      keyMaterial: {
        cryptoAlg,
        curve,
        dhPublicKey: {
          expiry: dhPublicKey.expiry.toISOString(),
          parameters: dhPublicKey.parameters ?? 'Curve25519/32byte random key',
          keyValue: dhPublicKey.keyValue,
        },
        nonce,
      },
    },
  }
}

function hipAnswer(): Route {
  return route({
    ...form,
    path: '/api/hiecm/data-flow/v3/health-information/hip/on-request',
    summary: 'A HIP takes a request for health information, or answers it with an error.',
    body: hipDataOnRequest,
    // care_abdm insists on 200 here (protocol sheet 2.9).
    answers: { 200: { description: 'Noted.' } },
    handle: async (call) => {
      const { hiRequest, error, response } = call.body
      const id = hiRequest?.transactionId ?? parseId<'transaction'>(response.requestId)
      if (id === undefined) return refuse('transfer/unknown-transaction', undefined, 'response.requestId')
      if (!isGiven(hiRequest) && !isGiven(error))
        return refuse('request/invalid-field', 'hiRequest or error must be there.', 'hiRequest')
      const request = await answerRequest(call.tx, {
        facilities: facilitiesOfCaller(call),
        id,
        ...(!isGiven(error) ? {} : { error }),
      })
      return isRefusal(request) ? request : { status: 200 }
    },
  })
}

function notify(): Route {
  return route({
    ...form,
    path: '/api/hiecm/data-flow/v3/health-information/notify',
    summary: 'HIP or HIU says how a transfer ended.',
    body: dataNotify,
    answers: { 202: { description: 'Noted.' } },
    handle: async (call) => {
      const { notification } = call.body
      // No X-HIP-ID or X-HIU-ID: a known client sends another header here (protocol sheet 2.9). The notifier says who it is.
      const facility = ownFacility(call, notification.notifier.id)
      if (isRefusal(facility)) return facility
      const { sessionStatus, statusResponses } = notification.statusNotification
      const reported = await reportTransfer(call.tx, {
        side: notification.notifier.type === 'HIP' ? 'hip' : 'hiu',
        facility,
        id: notification.transactionId,
        consent: notification.consentId,
        sessionStatus,
        outcomes: (statusResponses ?? []).map(({ careContextReference, hiStatus, description }) => ({
          careContextReference,
          hiStatus,
          ...(!isGiven(description) ? {} : { description }),
        })),
      })
      return isRefusal(reported) ? reported : ACCEPTED
    },
  })
}

function status(): Route {
  return route({
    ...form,
    method: 'GET',
    once: false,
    path: '/api/hiecm/data-flow/v3/health-information/request/status/:id',
    summary: 'How a transfer stands, for its HIP and its HIU.',
    answers: { 200: { description: 'The state as both sides reported it.' } },
    handle: async (call) => {
      const id = parseId<'transaction'>(call.params['id'] ?? '')
      if (id === undefined) return refuse('transfer/unknown-transaction')
      const request = await transferFor(call.tx, facilitiesOfCaller(call), id)
      return isRefusal(request) ? request : { status: 200, body: statusBody(request) }
    },
  })
}

/** No source shows this answer; these are its words for the states, with both sides apart. */
function statusBody(request: DataRequest): z.input<typeof dataStatus> {
  return {
    hiRequest: {
      transactionId: request.id,
      consent: { id: request.consent },
      dateRange: { from: request.dateRange.from.toISOString(), to: request.dateRange.to.toISOString() },
      requestedAt: request.askedAt.toISOString(),
      sessionStatus: request.hipStatus,
      hip: {
        id: request.hip,
        sessionStatus: request.hipStatus,
        at: request.hipAt.toISOString(),
        statusResponses: [...request.hipOutcomes],
      },
      hiu: {
        id: request.hiu,
        sessionStatus: request.hiuStatus ?? 'REQUESTED',
        ...(request.hiuAt === undefined ? {} : { at: request.hiuAt.toISOString() }),
        statusResponses: [...request.hiuOutcomes],
      },
    },
    ...(request.error === undefined ? {} : { error: request.error }),
  }
}

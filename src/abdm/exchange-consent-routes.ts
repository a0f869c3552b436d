import type { z } from 'zod'
import { askConsent, type ConsentNeeds, type ConsentProposal, fetchArtefact } from '../consent/commands.ts'
import { acknowledgeNotices } from '../consent/notices.ts'
import { requestForHiu } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import { type Answer, type Route, route } from '../http/route.ts'
import type { FacilityId } from '../kernel/id.ts'
import { isRefusal, type Refusal } from '../kernel/refusal.ts'
import {
  consentFetch,
  consentInit,
  type consentOnFetch,
  type consentOnInit,
  consentOnNotify,
  type consentOnStatus,
  consentStatus,
  isGiven,
} from './consent-messages.ts'
import { facilitiesOfCaller } from './exchange-callers.ts'
import { errorOf, facilityOf, ownFacility } from './rules.ts'
import { sendToFacility } from './send.ts'

const ACCEPTED: Answer = { status: 202 }
const ANSWERS = { 202: { description: 'Accepted; the result comes as a callback.' } } as const
const form = { dialect: 'abdm', auth: 'bridge', once: true, answers: ANSWERS, method: 'POST' } as const

/** Calls of HIU and HIP about consent (protocol sheet 2.4). Business refusals go into the callback, faults of form are answered at once. */
export function exchangeConsentRoutes(needs: ConsentNeeds): readonly Route[] {
  return [
    route({
      ...form,
      path: '/api/hiecm/consent/v3/request/init',
      summary: 'A HIU asks a patient for consent; the id comes by on-init.',
      body: consentInit,
      handle: async (call) => {
        const hiu = ownFacility(call, call.body.consent.hiu.id)
        if (isRefusal(hiu)) return hiu
        const request = await askConsent(call.tx, needs, {
          proposal: proposalOf(call.body.consent),
          requestId: call.requestId,
        })
        if (!isRefusal(request)) return ACCEPTED
        return callBack(
          call.tx,
          hiu,
          '/api/v3/hiu/consent/request/on-init',
          refusedBody(request, call.requestId) satisfies z.input<typeof consentOnInit>,
        )
      },
    }),
    route({
      ...form,
      path: '/api/hiecm/consent/v3/request/status',
      summary: 'A HIU asks how its consent request stands; the answer comes by on-status.',
      body: consentStatus,
      handle: async (call) => {
        const hiu = facilityOf(call, 'X-HIU-ID')
        if (isRefusal(hiu)) return hiu
        const found = await requestForHiu(call.tx, hiu, call.body.consentRequestId)
        const body: z.input<typeof consentOnStatus> = isRefusal(found)
          ? refusedBody(found, call.requestId)
          : {
              consentRequest: {
                id: found.request.id,
                status: found.request.status,
                consentArtefacts: found.artefacts.map(({ id }) => ({ id })),
              },
              response: { requestId: call.requestId },
            }
        return callBack(call.tx, hiu, '/api/v3/hiu/consent/request/on-status', body)
      },
    }),
    acknowledgement('hiu'),
    acknowledgement('hip'),
    route({
      ...form,
      path: '/api/hiecm/consent/v3/fetch',
      summary: 'A HIU fetches a signed artefact; it comes by on-fetch.',
      body: consentFetch,
      handle: async (call) => {
        const hiu = facilityOf(call, 'X-HIU-ID')
        if (isRefusal(hiu)) return hiu
        const artefact = await fetchArtefact(call.tx, { hiu, id: call.body.consentId })
        const body: z.input<typeof consentOnFetch> = isRefusal(artefact)
          ? refusedBody(artefact, call.requestId)
          : {
              consent: { status: artefact.status, consentDetail: artefact.detail, signature: artefact.signature },
              response: { requestId: call.requestId },
            }
        return callBack(call.tx, hiu, '/api/v3/hiu/consent/on-fetch', body)
      },
    }),
  ]
}

/** `on-notify` of either side. No callback answers it, so a refusal is answered at once. */
function acknowledgement(party: 'hip' | 'hiu'): Route {
  return route({
    ...form,
    path: `/api/hiecm/consent/v3/request/${party}/on-notify`,
    summary: `A ${party.toUpperCase()} acknowledges what it was told about consents.`,
    body: consentOnNotify,
    answers: { 202: { description: 'Noted.' } },
    handle: async (call) => {
      const { acknowledgement: items, error, response } = call.body
      const noted = await acknowledgeNotices(call.tx, {
        party,
        facilities: facilitiesOfCaller(call),
        requestId: response.requestId,
        items,
        ...(!isGiven(error) ? {} : { error }),
      })
      return isRefusal(noted) ? noted : ACCEPTED
    },
  })
}

async function callBack(tx: Tx, hiu: FacilityId, path: string, body: object): Promise<Answer> {
  await sendToFacility(tx, { facility: hiu, as: 'hiu', path, body })
  return ACCEPTED
}

/** The body of a callback that says no. */
export function refusedBody(
  refusal: Refusal,
  requestId: string,
): { error: { code: string; message: string }; response: { requestId: string } } {
  return { error: errorOf(refusal), response: { requestId } }
}

/** What a HIU asks for, out of the body of an init. */
export function proposalOf(consent: z.output<typeof consentInit>['consent']): ConsentProposal {
  const { purpose, requester, hip } = consent
  const identifier = requester.identifier
  return {
    purpose: { code: purpose.code, ...(!isGiven(purpose.refUri) ? {} : { refUri: purpose.refUri }) },
    patient: consent.patient.id,
    hiu: consent.hiu.id,
    ...(!isGiven(hip) ? {} : { hip: hip.id }),
    careContexts: consent.careContexts ?? [],
    requester: {
      name: requester.name,
      ...(!isGiven(identifier)
        ? {}
        : {
            identifier: {
              value: identifier.value,
              ...(!isGiven(identifier.type) ? {} : { type: identifier.type }),
              ...(!isGiven(identifier.system) ? {} : { system: identifier.system }),
            },
          }),
    },
    hiTypes: consent.hiTypes,
    permission: consent.permission,
  }
}

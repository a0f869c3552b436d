import type { z } from 'zod'
import type { Tx } from '../db/tx.ts'
import { receiveArtefact } from '../hip/artefact-commands.ts'
import { askDiscovery, confirmLink, startLink, takeProfile } from '../hip/discovery-commands.ts'
import { answerCall, type LinkNeeds } from '../hip/link-commands.ts'
import type { Wanted } from '../hip/matching.ts'
import { acceptRequest } from '../hip/transfer-commands.ts'
import { type Answer, type Call, type Route, route } from '../http/route.ts'
import { parseAbhaNumber, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { parseMobile } from '../records/patient.ts'
import { hipConsentNotify } from './consent-messages.ts'
import { hipDataRequest } from './data-messages.ts'
import type { ExchangeKeys } from './exchange-keys.ts'
import { HIP_FAILURES, wireGroups } from './hip-reactions.ts'
import {
  contextOnNotify,
  hipDiscover,
  hipLinkConfirm,
  hipLinkInit,
  LINK_STATUS,
  type onConfirm,
  onGenerateToken,
  type onInit,
  onLinkCareContext,
  smsOnNotify,
} from './linking-messages.ts'
import { errorOf } from './rules.ts'
import { sendToExchange } from './send.ts'
import { type onShare, profileShare } from './share-messages.ts'
import { wireDate } from './wire.ts'

export type FacilityHipNeeds = LinkNeeds & { readonly exchangeKeys: Pick<ExchangeKeys, 'verifyArtefact'> }

const accepted: Answer = { status: 202 }
const common = { method: 'POST', dialect: 'abdm', auth: 'exchange', once: true } as const
const answers = { 202: { description: 'Taken; the answer of this facility is a call of its own.' } }

/** Callbacks of the exchange to this facility as HIP (protocol sheet 2.1 to 2.5). */
export function facilityHipRoutes(needs: FacilityHipNeeds): readonly Route[] {
  return [...linkAnswerRoutes(needs), ...discoveryRoutes(needs), shareRoute(needs), ...dataRoutes(needs)]
}

type AnyCall = Pick<Call<never, never>, 'headers'>

/** A callback for another facility than this one. An exchange that leaves X-HIP-ID out means the one that it calls. */
function otherFacility(call: AnyCall, needs: FacilityHipNeeds): Refusal | undefined {
  const named = call.headers['x-hip-id']
  if (named === undefined || named === needs.facility.id) return undefined
  return refuse('auth/forbidden', 'X-HIP-ID names another facility than this one.', 'X-HIP-ID')
}

async function send(
  tx: Tx,
  needs: FacilityHipNeeds,
  path: string,
  body: object,
  failure?: { readonly kind: string; readonly id: string },
): Promise<Answer> {
  await sendToExchange(tx, {
    from: needs.facility.id,
    as: 'hip',
    path,
    body,
    ...(failure === undefined ? {} : { failure }),
  })
  return accepted
}

function linkAnswerRoutes(needs: FacilityHipNeeds): readonly Route[] {
  return [
    route({
      ...common,
      path: '/api/v3/hip/token/on-generate-token',
      summary: 'The link token that we asked for, or why there is none.',
      body: onGenerateToken,
      answers,
      handle: async (call) => {
        const { linkToken, error, response } = call.body
        const result = error ? { error } : linkToken ? { linkToken } : {}
        return otherFacility(call, needs) ?? (await answerCall(call.tx, needs, response.requestId, result), accepted)
      },
    }),
    route({
      ...common,
      path: '/api/v3/link/on_carecontext',
      summary: 'Whether the care contexts that we offered are linked.',
      body: onLinkCareContext,
      answers,
      handle: async (call) => {
        const { status, error, response } = call.body
        const failed = error ?? (status === LINK_STATUS.failed ? { message: status } : undefined)
        return (
          otherFacility(call, needs) ??
          (await answerCall(call.tx, needs, response.requestId, failed ? { error: failed } : {}), accepted)
        )
      },
    }),
    route({
      ...common,
      path: '/api/v3/links/context/on-notify',
      summary: 'Whether the exchange took the news of a new record.',
      body: contextOnNotify,
      answers,
      handle: async (call) => {
        const { acknowledgement, error, response } = call.body
        const failed =
          error ??
          (acknowledgement && /^(ERRORED|FAILED)$/i.test(acknowledgement.status)
            ? { message: acknowledgement.status }
            : undefined)
        return (
          otherFacility(call, needs) ??
          (await answerCall(call.tx, needs, response.requestId, failed ? { error: failed } : {}), accepted)
        )
      },
    }),
    route({
      ...common,
      path: '/api/v3/patients/sms/on-notify',
      summary: 'Whether a text message was sent to a patient for us.',
      body: smsOnNotify,
      answers,
      handle: async (call) => otherFacility(call, needs) ?? accepted,
    }),
  ]
}

function discoveryRoutes(needs: FacilityHipNeeds): readonly Route[] {
  return [
    route({
      ...common,
      path: '/api/v3/hip/patient/care-context/discover',
      summary: 'Asks whether we have records of a patient.',
      body: hipDiscover,
      answers,
      handle: async (call) => {
        const transactionId = parseId<'linking-transaction'>(call.body.transactionId)
        if (transactionId === undefined)
          return refuse('request/invalid-field', 'transactionId: must be a UUID', 'transactionId')
        const other = otherFacility(call, needs)
        if (other !== undefined) return other
        await askDiscovery(call.tx, { requestId: call.requestId, transactionId, wanted: wantedOf(call.body.patient) })
        return accepted
      },
    }),
    route({
      ...common,
      path: '/api/v3/hip/link/care-context/init',
      summary: 'A patient wants to link care contexts that we offered: sends a one-time password.',
      body: hipLinkInit,
      answers,
      handle: async (call) => otherFacility(call, needs) ?? answerInit(call, needs),
    }),
    route({
      ...common,
      path: '/api/v3/hip/link/care-context/confirm',
      summary: 'A patient gives the one-time password of a link.',
      body: hipLinkConfirm,
      answers,
      handle: async (call) => otherFacility(call, needs) ?? answerConfirm(call, needs),
    }),
  ]
}

function wantedOf(patient: z.output<typeof hipDiscover>['patient']): Wanted {
  const verified = patient.verifiedIdentifiers ?? []
  const given = [...verified, ...(patient.unverifiedIdentifiers ?? [])]
  const values = (list: typeof given, type: string): readonly string[] =>
    list.flatMap((one) => (one.type === type ? [one.value.trim()] : []))
  const abhaNumber = values(verified, 'ABHA_NUMBER').flatMap((text) => parseAbhaNumber(text) ?? [])[0]
  return {
    abhaAddress: patient.id,
    ...(abhaNumber === undefined ? {} : { abhaNumber }),
    name: patient.name,
    gender: patient.gender,
    yearOfBirth: patient.yearOfBirth,
    // A number that nobody verified could be anybody's.
    mobiles: values(verified, 'MOBILE').flatMap((text) => parseMobile(text) ?? []),
    recordNumbers: values(given, 'MR'),
  }
}

async function answerInit(
  call: Call<z.output<typeof hipLinkInit>, undefined>,
  needs: FacilityHipNeeds,
): Promise<Answer> {
  const { transactionId, abhaAddress, patient } = call.body
  const started = await startLink(call.tx, needs, {
    transactionId,
    abhaAddress,
    patientReferences: patient.map(({ referenceNumber }) => referenceNumber),
    references: patient.flatMap(({ careContexts }) => careContexts.map(({ referenceNumber }) => referenceNumber)),
  })
  const response = { requestId: call.requestId }
  const body: z.input<typeof onInit> = isRefusal(started)
    ? { transactionId, error: errorOf(started), response }
    : {
        transactionId,
        link: {
          referenceNumber: started.linkRef,
          authenticationType: 'MEDIATED',
          meta: {
            communicationMedium: 'MOBILE',
            communicationHint: started.hint,
            communicationExpiry: wireDate(started.expiresAt),
          },
        },
        response,
      }
  return send(call.tx, needs, '/user-initiated-linking/v3/link/care-context/on-init', body)
}

async function answerConfirm(
  call: Call<z.output<typeof hipLinkConfirm>, undefined>,
  needs: FacilityHipNeeds,
): Promise<Answer> {
  const { linkRefNumber, token } = call.body.confirmation
  const confirmed = await confirmLink(call.tx, needs, { linkRef: linkRefNumber, otp: token })
  const path = '/user-initiated-linking/v3/link/care-context/on-confirm'
  const response = { requestId: call.requestId }
  if (isRefusal(confirmed)) return send(call.tx, needs, path, { error: errorOf(confirmed), response })
  const body: z.input<typeof onConfirm> = {
    patient: wireGroups(confirmed.patientReference, confirmed.name, confirmed.contexts),
    response,
  }
  return send(call.tx, needs, path, body, { kind: HIP_FAILURES.confirm, id: confirmed.linkRef })
}

function shareRoute(needs: FacilityHipNeeds): Route {
  return route({
    ...common,
    path: '/api/v3/hip/patient/share',
    summary: 'A patient shares their profile at one of our counters: gives them a place in the queue.',
    body: profileShare,
    answers,
    handle: async (call) => {
      const { metaData, profile } = call.body
      const other = otherFacility(call, needs)
      if (other !== undefined) return other
      const { abhaAddress } = profile.patient
      const response = { requestId: call.requestId }
      const path = '/patient-share/v3/on-share'
      if (metaData.hipId !== needs.facility.id) {
        return send(call.tx, needs, path, { error: errorOf(refuse('hip/other-facility')), response })
      }
      const share = await takeProfile(call.tx, { abhaAddress, counter: metaData.context, profile: profile.patient })
      const seconds = Math.max(0, Math.round((share.expiresAt.getTime() - call.tx.now.getTime()) / 1000))
      const body: z.input<typeof onShare> = {
        acknowledgement: {
          abhaAddress,
          status: 'SUCCESS',
          profile: { context: metaData.context, tokenNumber: String(share.tokenNumber), expiry: seconds },
        },
        response,
      }
      return send(call.tx, needs, path, body)
    },
  })
}

function dataRoutes(needs: FacilityHipNeeds): readonly Route[] {
  return [
    route({
      ...common,
      path: '/api/v3/consent/request/hip/notify',
      summary: 'A consent was granted, revoked, or has expired.',
      body: hipConsentNotify,
      answers,
      handle: async (call) => otherFacility(call, needs) ?? acknowledgeArtefact(call, needs),
    }),
    route({
      ...common,
      path: '/api/v3/hip/health-information/request',
      summary: 'Asks for records under a consent: they follow, sealed, to the address in it.',
      body: hipDataRequest,
      answers,
      handle: async (call) => otherFacility(call, needs) ?? answerRequest(call, needs),
    }),
  ]
}

async function acknowledgeArtefact(
  call: Call<z.output<typeof hipConsentNotify>, undefined>,
  needs: FacilityHipNeeds,
): Promise<Answer> {
  const { status, consentId, consentDetail, signature } = call.body.notification
  const signed =
    consentDetail && signature
      ? {
          detail: consentDetail.detail,
          raw: consentDetail.raw,
          signature,
          verified: await needs.exchangeKeys.verifyArtefact(consentDetail.raw, signature),
        }
      : undefined
  const received = await receiveArtefact(call.tx, needs, {
    status,
    consentId,
    ...(signed === undefined ? {} : { signed }),
  })
  const response = { requestId: call.requestId }
  const body = isRefusal(received)
    ? { acknowledgement: { status: 'ERRORED', consentId }, error: errorOf(received), response }
    : { acknowledgement: { status: 'OK', consentId }, response }
  return send(call.tx, needs, '/consent/v3/request/hip/on-notify', body)
}

async function answerRequest(
  call: Call<z.output<typeof hipDataRequest>, undefined>,
  needs: FacilityHipNeeds,
): Promise<Answer> {
  const { transactionId, hiRequest } = call.body
  const { dhPublicKey, nonce } = hiRequest.keyMaterial
  const result = await acceptRequest(call.tx, needs, {
    transactionId,
    consentId: hiRequest.consent.id,
    range: hiRequest.dateRange,
    pushUrl: hiRequest.dataPushUrl,
    keys: {
      keyValue: dhPublicKey.keyValue.slice(0, LIMITS.keyValueCharsMax),
      nonce,
      expiry: wireDate(dhPublicKey.expiry),
    },
  })
  const response = { requestId: call.requestId }
  const body = isRefusal(result)
    ? { error: errorOf(result), response }
    : { hiRequest: { transactionId, sessionStatus: 'ACKNOWLEDGED' }, response }
  return send(call.tx, needs, '/data-flow/v3/health-information/hip/on-request', body)
}

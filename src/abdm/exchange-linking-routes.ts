import type { z } from 'zod'
import { type Answer, type Call, type Route, route } from '../http/route.ts'
import type { FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { type CareContext, type Group, groupsOf } from '../linking/care-context.ts'
import {
  answerConfirm,
  answerDiscovery,
  answerLink,
  askConfirm,
  askDiscovery,
  askLink,
} from '../linking/discovery-commands.ts'
import {
  careContextsOf,
  issueLinkToken,
  type LinkNeeds,
  linkContexts,
  notifyContext,
  sendLinkText,
} from '../linking/link-commands.ts'
import type { Answered } from '../linking/transaction.ts'
import { facilityById } from '../partners/commands.ts'
import { errorIn, facilitiesOfCaller, patientStep } from './exchange-callers.ts'
import * as messages from './linking-messages.ts'
import { errorOf, facilityOf } from './rules.ts'
import { sendToFacility } from './send.ts'

const HIP_LINK = '/api/hiecm/hip/v3/link'
const USER_LINK = '/api/hiecm/user-initiated-linking/v3'
const ACCEPTED: Answer = { status: 202 }
const accepted = { 202: { description: 'Taken; the result comes as a callback.' } } as const

/** Linking at the exchange (protocol sheet 2.1 and 2.2). */
export function exchangeLinkingRoutes(needs: LinkNeeds): readonly Route[] {
  return [...tokenRoutes(needs), ...contextRoutes(needs), ...patientRoutes(), ...hipAnswerRoutes()]
}

const hipCall = { method: 'POST', dialect: 'abdm', auth: 'bridge', once: true, answers: accepted } as const
const patientCall = { method: 'POST', dialect: 'abdm', auth: 'patient', once: true, answers: accepted } as const

/** Calls the HIP back with the outcome of its own call: what was asked for, or the refusal in ABDM's words. */
async function callBack(
  call: Pick<Call<never, never>, 'tx' | 'requestId'>,
  hip: FacilityId,
  path: string,
  body: object,
): Promise<Answer> {
  await sendToFacility(call.tx, {
    facility: hip,
    as: 'hip',
    path,
    body: { ...body, response: { requestId: call.requestId } },
  })
  return ACCEPTED
}

function tokenRoutes(needs: LinkNeeds): readonly Route[] {
  return [
    route({
      ...hipCall,
      path: '/api/hiecm/v3/token/generate-token',
      summary: 'Get a link token for a patient whose details the HIP knows.',
      body: messages.generateToken,
      handle: async (call) => {
        const hip = facilityOf(call, 'X-HIP-ID')
        if (isRefusal(hip)) return hip
        const issued = await issueLinkToken(call.tx, needs, { hip, sought: call.body })
        const body: Omit<z.input<typeof messages.onGenerateToken>, 'response'> = isRefusal(issued)
          ? { error: errorOf(issued) }
          : issued
        return callBack(call, hip, '/api/v3/hip/token/on-generate-token', body)
      },
    }),
    route({
      ...hipCall,
      path: `${HIP_LINK}/carecontext`,
      summary: 'Link care contexts with a link token.',
      body: messages.linkCareContext,
      handle: async (call) => {
        const hip = facilityOf(call, 'X-HIP-ID')
        if (isRefusal(hip)) return hip
        const { abhaAddress, abhaNumber, patient: groups } = call.body
        const linkToken = call.headers['x-link-token']?.replace(/^Bearer\s+/i, '').trim()
        const linked = await linkContexts(call.tx, needs, {
          hip,
          linkToken: linkToken || undefined,
          abhaAddress,
          abhaNumber: abhaNumber || undefined,
          groups,
        })
        if (isRefusal(linked) && linked.code === 'linking/invalid-token') return linked
        const body: Omit<z.input<typeof messages.onLinkCareContext>, 'response'> = isRefusal(linked)
          ? { abhaAddress, status: messages.LINK_STATUS.failed, error: errorOf(linked) }
          : { abhaAddress, status: messages.LINK_STATUS.linked }
        return callBack(call, hip, '/api/v3/link/on_carecontext', body)
      },
    }),
  ]
}

function contextRoutes(needs: LinkNeeds): readonly Route[] {
  return [
    route({
      ...hipCall,
      path: `${HIP_LINK}/context/notify`,
      summary: 'Say that a linked care context has new data.',
      body: messages.contextNotify,
      handle: async (call) => {
        const hip = facilityOf(call, 'X-HIP-ID')
        if (isRefusal(hip)) return hip
        const { notification } = call.body
        if (notification.hip.id !== hip) return otherHip('notification.hip.id')
        const { patientReference, careContextReference } = notification.careContext
        const noted = await notifyContext(call.tx, {
          hip,
          patient: notification.patient.id,
          patientReference,
          careContextReference,
          hiTypes: notification.hiTypes,
          date: notification.date,
        })
        const body = isRefusal(noted)
          ? { acknowledgement: { status: 'ERRORED' }, error: errorOf(noted) }
          : { acknowledgement: { status: 'SUCCESS' } }
        return callBack(call, hip, '/api/v3/links/context/on-notify', body)
      },
    }),
    route({
      ...hipCall,
      path: `${HIP_LINK}/patient/links/sms/notify2`,
      summary: 'Have a text message sent that invites to link records.',
      body: messages.smsNotify,
      handle: async (call) => {
        const hip = facilityOf(call, 'X-HIP-ID')
        if (isRefusal(hip)) return hip
        const { notification } = call.body
        if (notification.hip.id !== hip) return otherHip('notification.hip.id')
        const sent = await sendLinkText(call.tx, needs, { hip, mobile: notification.phoneNo })
        const body = isRefusal(sent) ? { status: 'ERRORED', error: errorOf(sent) } : { status: 'ACKNOWLEDGED' }
        return callBack(call, hip, '/api/v3/patients/sms/on-notify', body)
      },
    }),
    route({
      method: 'GET',
      dialect: 'abdm',
      auth: 'patient',
      once: false,
      path: `${HIP_LINK}/patient/links`,
      summary: 'What is linked, by facility.',
      query: messages.linksQuery,
      answers: { 200: { description: 'The patient’s links.' } },
      handle: async (call) => {
        const step = await patientStep(call)
        if (isRefusal(step)) return step
        const contexts = await careContextsOf(call.tx, step.patient)
        return {
          status: 200,
          body: {
            patient: {
              id: step.patient,
              links: await wireLinks(call.tx, contexts.slice(0, call.query.limit ?? LIMITS.careContextsFoundMax)),
            },
          },
        }
      },
    }),
  ]
}

const otherHip = (field: string): Refusal =>
  refuse('request/invalid-field', `${field} and X-HIP-ID name different facilities.`, field)

/** V0.5 `GET /patients/links`, with the HI type added. */
async function wireLinks(tx: Call<never, never>['tx'], contexts: readonly CareContext[]): Promise<readonly object[]> {
  const links: object[] = []
  for (const hip of new Set(contexts.map((context) => context.hip))) {
    const facility = await facilityById(tx, hip)
    for (const group of groupsOf(contexts.filter((context) => context.hip === hip))) {
      links.push({
        hip: { id: hip, name: facility?.name ?? hip, type: 'HIP' },
        ...group,
        count: group.careContexts.length,
      })
    }
  }
  return links
}

function patientRoutes(): readonly Route[] {
  return [
    route({
      ...patientCall,
      path: `${USER_LINK}/patient/care-context/discover`,
      summary: 'Ask a facility whether it has records of the patient.',
      body: messages.discover,
      handle: async (call) => {
        const step = await patientStep(call)
        if (isRefusal(step)) return step
        const asked = await askDiscovery(call.tx, {
          ...step,
          hip: call.body.hip,
          identifiers: call.body.unverifiedIdentifiers,
        })
        // The transaction id is told here as well: without a registered app the patient reads the result under it.
        return isRefusal(asked) ? asked : { status: 202, body: { transactionId: asked.id } }
      },
    }),
    route({
      ...patientCall,
      path: `${USER_LINK}/link/care-context/init`,
      summary: 'Choose records that were found, to link them.',
      body: messages.linkInit,
      handle: async (call) => {
        const step = await patientStep(call)
        if (isRefusal(step)) return step
        if (call.body.abhaAddress !== step.patient) return refuse('linking/address-not-yours', undefined, 'abhaAddress')
        const asked = await askLink(call.tx, {
          ...step,
          transaction: call.body.transactionId,
          chosen: call.body.patient.map(readGroup),
        })
        return isRefusal(asked) ? asked : ACCEPTED
      },
    }),
    route({
      ...patientCall,
      path: `${USER_LINK}/link/care-context/confirm`,
      summary: 'Hand over the one-time password of the facility.',
      body: messages.linkConfirm,
      handle: async (call) => {
        const step = await patientStep(call)
        if (isRefusal(step)) return step
        const asked = await askConfirm(call.tx, {
          ...step,
          linkReference: call.body.linkRefNumber,
          otp: call.body.token,
        })
        return isRefusal(asked) ? asked : ACCEPTED
      },
    }),
  ]
}

function hipAnswerRoutes(): readonly Route[] {
  return [
    route({
      ...hipCall,
      path: `${USER_LINK}/patient/care-context/on-discover`,
      summary: 'A HIP answers a discovery.',
      body: messages.onDiscover,
      handle: async (call) => {
        const { transactionId, patient, matchedBy, error, response } = call.body
        if (!patient?.length && !errorIn(error))
          return refuse('request/invalid-field', 'patient: is needed where no error is', 'patient')
        const answer = answered(error, { found: (patient ?? []).map(readGroup), matchedBy: matchedBy ?? [] })
        const result = await answerDiscovery(call.tx, {
          ...answering(call, response),
          transaction: transactionId,
          answer,
        })
        return isRefusal(result) ? result : ACCEPTED
      },
    }),
    route({
      ...hipCall,
      path: `${USER_LINK}/link/care-context/on-init`,
      summary: 'A HIP answers a link request.',
      body: messages.onInit,
      handle: async (call) => {
        const { transactionId, link, error, response } = call.body
        if (!link && !errorIn(error))
          return refuse('request/invalid-field', 'link: is needed where no error is', 'link')
        const hint = link?.meta.communicationHint
        const offer = {
          referenceNumber: link?.referenceNumber ?? '',
          authenticationType: link?.authenticationType ?? ('DIRECT' as const),
          communicationMedium: link?.meta.communicationMedium ?? ('MOBILE' as const),
          ...(typeof hint === 'string' ? { communicationHint: hint } : {}),
          communicationExpiry: link?.meta.communicationExpiry.toISOString() ?? '',
        }
        const result = await answerLink(call.tx, {
          ...answering(call, response),
          transaction: transactionId,
          answer: answered(error, offer),
        })
        return isRefusal(result) ? result : ACCEPTED
      },
    }),
    route({
      ...hipCall,
      path: `${USER_LINK}/link/care-context/on-confirm`,
      summary: 'A HIP answers a confirmation.',
      body: messages.onConfirm,
      handle: async (call) => {
        const { patient, error, response } = call.body
        const result = await answerConfirm(call.tx, {
          ...answering(call, response),
          answer: answered(error, (patient ?? []).map(readGroup)),
        })
        return isRefusal(result) ? result : ACCEPTED
      },
    }),
    ...(['hip', 'hiu'] as const).map((role) =>
      route({
        ...hipCall,
        path: `${HIP_LINK}/patient/links/${role}/ondeactivate`,
        summary: `A ${role.toUpperCase()} takes note of a patient’s changed status.`,
        body: messages.onPatientStatus,
        handle: async () => ACCEPTED,
      }),
    ),
  ]
}

function answering(call: Pick<Call<never, never>, 'caller'>, response: { readonly requestId: string }) {
  return { facilities: facilitiesOfCaller(call), sentRequest: response.requestId }
}

function answered<T>(error: Parameters<typeof errorIn>[0], result: T): Answered<T> {
  const fault = errorIn(error)
  return fault === undefined ? { result } : { error: fault }
}

type WireGroup = NonNullable<z.output<typeof messages.onDiscover>['patient']>[number]

/** Counts are left out (the lists count), missing words become empty ones. */
function readGroup(group: WireGroup): Group {
  return {
    referenceNumber: group.referenceNumber,
    display: group.display ?? '',
    careContexts: group.careContexts.map((context) => ({
      referenceNumber: context.referenceNumber,
      display: context.display ?? '',
    })),
    hiType: group.hiType,
  }
}

import type { z } from 'zod'
import { type ApprovalTerms, type KnownPolicy, termsJson } from '../consent/approval-policy.ts'
import { wirePermission } from '../consent/artefact.ts'
import { type ConsentNeeds, denyConsent, grantConsent } from '../consent/commands.ts'
import type { Artefact, ConsentRequest } from '../consent/consent.ts'
import { revokeConsents } from '../consent/end-commands.ts'
import { createPolicy, policiesOf, switchPolicy } from '../consent/policy-commands.ts'
import { artefactOf, artefactsOf, artefactsOfRequest, listRequestsOf, requestOf } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import { type Call, type Route, route } from '../http/route.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, parseId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { subscriptionsOf } from '../linking/subscription-commands.ts'
import { facilityById } from '../partners/commands.ts'
import { parsePurpose } from '../policy/purpose.ts'
import {
  autoApprove,
  consentApprove,
  consentDeny,
  consentRevoke,
  inboxQuery,
  isGiven,
  listQuery,
} from './consent-messages.ts'
import { wireSubscription } from './exchange-subscription-wire.ts'

const reading = { dialect: 'abdm', auth: 'patient', once: false, method: 'GET' } as const
const deciding = {
  dialect: 'abdm',
  auth: 'patient',
  once: true,
  method: 'POST',
  answers: { 202: { description: 'Done.' } },
} as const

/** The patient's side of consent (protocol sheet 2.6): what a PHR app calls with `X-AUTH-TOKEN`. Refusals are answered at once. */
export function exchangePatientRoutes(needs: ConsentNeeds): readonly Route[] {
  return [...requestLists(), inbox(), ...decisions(needs), ...artefactLists(), ...policyRoutes()]
}

/** Whose session this is, and who acts in it. */
function sessionOf(
  call: Pick<Call<never, never>, 'caller'>,
): { readonly patient: AbhaAddress; readonly actor: Actor } | Refusal {
  if (call.caller.kind !== 'patient') return refuse('auth/forbidden')
  const { patient, guardian } = call.caller
  return { patient, actor: { kind: 'patient', id: patient, ...(guardian === undefined ? {} : { guardian }) } }
}

function idIn<Kind extends string>(call: Pick<Call<never, never>, 'params'>): Id<Kind> | undefined {
  return parseId<Kind>(call.params['id'] ?? '')
}

function requestLists(): readonly Route[] {
  return [
    route({
      ...reading,
      path: '/api/hiecm/consent/v3/request',
      summary: "The patient's consent requests, newest first.",
      query: listQuery,
      answers: { 200: { description: 'A page of requests; size counts all.' } },
      handle: async (call) => {
        const session = sessionOf(call)
        if (isRefusal(session)) return session
        const { limit, offset, status } = call.query
        const found = await listRequestsOf(call.tx, session.patient, {
          page: { limit, offset },
          ...(status === 'ALL' ? {} : { status }),
        })
        const requests: object[] = []
        for (const request of found.items) requests.push(await requestBody(call.tx, request))
        return { status: 200, body: { limit, offset, size: found.size, requests } }
      },
    }),
    route({
      ...reading,
      path: '/api/hiecm/consent/v3/request/:id',
      summary: 'One consent request of the patient.',
      answers: { 200: { description: 'The request.' } },
      handle: async (call) => {
        const session = sessionOf(call)
        if (isRefusal(session)) return session
        const id = idIn<'consent-request'>(call)
        const request =
          id === undefined ? refuse('consent/unknown-request') : await requestOf(call.tx, session.patient, id)
        return isRefusal(request) ? request : { status: 200, body: await requestBody(call.tx, request) }
      },
    }),
  ]
}

/** Everything that waits for the patient or was decided, of all kinds (protocol sheet 2.6). */
function inbox(): Route {
  return route({
    ...reading,
    path: '/api/hiecm/subscription-requests/v3/patients/requests',
    summary: "All of the patient's requests: consents and subscriptions, newest first.",
    query: inboxQuery,
    answers: { 200: { description: 'A page of each kind.' } },
    handle: async (call) => {
      const session = sessionOf(call)
      if (isRefusal(session)) return session
      const { consentLimit, consentOffset, subscriptionLimit, subscriptionOffset, status } = call.query
      const page = { limit: consentLimit, offset: consentOffset }
      const found = await listRequestsOf(call.tx, session.patient, { page, ...(status === 'ALL' ? {} : { status }) })
      const consents: object[] = []
      for (const request of found.items) consents.push(await requestBody(call.tx, request))
      const all = await subscriptionsOf(call.tx, session.patient)
      const wanted = all.filter((each) => status === 'ALL' || each.status.toUpperCase() === status)
      const subscriptions: object[] = []
      for (const each of wanted.slice(subscriptionOffset, subscriptionOffset + subscriptionLimit)) {
        subscriptions.push(await wireSubscription(call.tx, each))
      }
      const none = { limit: 0, offset: 0, size: 0, requests: [] }
      return {
        status: 200,
        body: {
          consents: { ...page, size: found.size, requests: consents },
          subscriptions: {
            limit: subscriptionLimit,
            offset: subscriptionOffset,
            size: wanted.length,
            requests: subscriptions,
          },
          // V3 has no authorization requests, and lockers are set up at once.
          authorization: none,
          lockerSetups: none,
        },
      }
    },
  })
}

async function named(tx: Tx, id: FacilityId, type: 'HIP' | 'HIU'): Promise<{ id: string; name: string; type: string }> {
  return { id, name: (await facilityById(tx, id))?.name ?? id, type }
}

/** One request as PHR apps read it (protocol sheet 2.6), with the end of the time to decide. */
async function requestBody(tx: Tx, request: ConsentRequest): Promise<object> {
  const { asked } = request
  return {
    requestId: request.id,
    id: request.id,
    purpose: asked.purpose,
    patient: { id: asked.patient },
    ...(asked.hip === undefined ? {} : { hip: await named(tx, asked.hip, 'HIP') }),
    hiu: await named(tx, asked.hiu, 'HIU'),
    ...(asked.careContexts.length === 0 ? {} : { careContexts: asked.careContexts }),
    requester: asked.requester,
    status: request.status,
    createdAt: request.createdAt.toISOString(),
    lastUpdated: request.changedAt.toISOString(),
    decideBy: request.decideBy.toISOString(),
    hiTypes: asked.hiTypes,
    permission: wirePermission(asked.permission),
    ...(request.status === 'DENIED' ? { reason: request.reason } : {}),
    ...('policy' in request && request.policy !== undefined ? { autoApprovalId: request.policy } : {}),
  }
}

function decisions(needs: ConsentNeeds): readonly Route[] {
  return [
    route({
      ...deciding,
      path: '/api/hiecm/consent/v3/request/:id/approve',
      summary: 'The patient grants what was asked, or less; one item for each provider.',
      body: consentApprove,
      handle: async (call) => {
        const session = sessionOf(call)
        if (isRefusal(session)) return session
        const request = idIn<'consent-request'>(call)
        if (request === undefined) return refuse('consent/unknown-request')
        const items = call.body.consents.map(({ hip, ...item }) => ({ ...item, hip: hip.id }))
        const granted = await grantConsent(call.tx, needs, { ...session, request, items })
        if (isRefusal(granted)) return granted
        return { status: 202, body: { message: 'Consent granted', consentIds: granted.map(({ id }) => ({ id })) } }
      },
    }),
    route({
      ...deciding,
      path: '/api/hiecm/consent/v3/request/:id/deny',
      summary: 'The patient denies a request.',
      body: consentDeny,
      handle: async (call) => {
        const session = sessionOf(call)
        if (isRefusal(session)) return session
        const request = idIn<'consent-request'>(call)
        if (request === undefined) return refuse('consent/unknown-request')
        const denied = await denyConsent(call.tx, { ...session, request, reason: call.body.reason })
        return isRefusal(denied) ? denied : { status: 202, body: { message: 'Consent request denied' } }
      },
    }),
    route({
      ...deciding,
      path: '/api/hiecm/consent/v3/revoke',
      summary: 'The patient stops consents at once: all that are named, or none.',
      body: consentRevoke,
      handle: async (call) => {
        const session = sessionOf(call)
        if (isRefusal(session)) return session
        const revoked = await revokeConsents(call.tx, { ...session, consents: call.body.consents })
        return isRefusal(revoked) ? revoked : { status: 202, body: { message: 'Consent revoked' } }
      },
    }),
  ]
}

function artefactBody(artefact: Artefact): object {
  return {
    status: artefact.status,
    consentDetail: artefact.detail,
    signature: artefact.signature,
    lastUpdated: artefact.changedAt.toISOString(),
    ...(artefact.erasedAt === undefined ? {} : { dataErasedAt: artefact.erasedAt.toISOString() }),
  }
}

function artefactLists(): readonly Route[] {
  return [
    route({
      ...reading,
      path: '/api/hiecm/consent/v3/artefact',
      summary: "The patient's consents, newest first.",
      query: listQuery,
      answers: { 200: { description: 'A page of artefacts; size counts all.' } },
      handle: async (call) => {
        const session = sessionOf(call)
        if (isRefusal(session)) return session
        const { limit, offset, status } = call.query
        if (status === 'REQUESTED' || status === 'DENIED')
          return { status: 200, body: { limit, offset, size: 0, consentArtefacts: [] } }
        const found = await artefactsOf(call.tx, session.patient, {
          page: { limit, offset },
          ...(status === 'ALL' ? {} : { status }),
        })
        return {
          status: 200,
          body: { limit, offset, size: found.size, consentArtefacts: found.items.map(artefactBody) },
        }
      },
    }),
    route({
      ...reading,
      path: '/api/hiecm/consent/v3/artefact/:id',
      summary: 'One consent of the patient.',
      answers: { 200: { description: 'The artefact.' } },
      handle: async (call) => {
        const session = sessionOf(call)
        if (isRefusal(session)) return session
        const id = idIn<'artefact'>(call)
        const artefact =
          id === undefined ? refuse('consent/unknown-artefact') : await artefactOf(call.tx, session.patient, id)
        return isRefusal(artefact) ? artefact : { status: 200, body: artefactBody(artefact) }
      },
    }),
    route({
      ...reading,
      path: '/api/hiecm/consent/v3/artefact/request/:id',
      summary: 'All consents that came of one request of the patient.',
      answers: { 200: { description: 'The artefacts.' } },
      handle: async (call) => {
        const session = sessionOf(call)
        if (isRefusal(session)) return session
        const id = idIn<'consent-request'>(call)
        const artefacts =
          id === undefined ? refuse('consent/unknown-request') : await artefactsOfRequest(call.tx, session.patient, id)
        return isRefusal(artefacts) ? artefacts : { status: 200, body: artefacts.map(artefactBody) }
      },
    }),
  ]
}

type Terms = z.output<typeof autoApprove>

/** A purpose code that is none of the six stays as it came, for the command to refuse by its name. */
function purposeOf({ code }: { readonly code: string }): string {
  return parsePurpose(code) ?? code
}

function termsOf(body: Terms): ApprovalTerms {
  return {
    isApplicableForAllHIPs: body.isApplicableForAllHIPs,
    includedSources: body.includedSources.map(({ hiTypes, purpose, hip, period }) => ({
      hiTypes,
      purpose: purposeOf(purpose),
      period,
      ...(!isGiven(hip) ? {} : { hip: hip.id }),
    })),
    excludedSources: (body.excludedSources ?? []).map(({ hiTypes, purpose, hip, period }) => ({
      ...(!isGiven(hiTypes) ? {} : { hiTypes }),
      ...(!isGiven(purpose) ? {} : { purpose: purposeOf(purpose) }),
      ...(!isGiven(hip) ? {} : { hip: hip.id }),
      ...(!isGiven(period) ? {} : { period }),
    })),
  }
}

function policyRoutes(): readonly Route[] {
  return [
    route({
      ...deciding,
      path: '/api/hiecm/consent/v3/auto/approve',
      summary: 'The patient approves beforehand what one HIU will ask for.',
      body: autoApprove,
      handle: async (call) => {
        const session = sessionOf(call)
        if (isRefusal(session)) return session
        const policy = await createPolicy(call.tx, { ...session, hiu: call.body.hiu.id, terms: termsOf(call.body) })
        return isRefusal(policy) ? policy : { status: 202, body: { autoApprovalId: policy.id } }
      },
    }),
    route({
      ...reading,
      path: '/api/hiecm/consent/v3/auto/approve',
      summary: "The patient's standing approvals, oldest first.",
      answers: { 200: { description: 'The policies.' } },
      handle: async (call) => {
        const session = sessionOf(call)
        if (isRefusal(session)) return session
        const autoApprovals: object[] = []
        for (const policy of await policiesOf(call.tx, session.patient))
          autoApprovals.push(await policyBody(call.tx, policy))
        return { status: 200, body: { autoApprovals } }
      },
    }),
    switchRoute('enable'),
    switchRoute('disable'),
  ]
}

async function policyBody(tx: Tx, policy: KnownPolicy): Promise<object> {
  return {
    autoApprovalId: policy.id,
    status: policy.enabled && !policy.isUnconfirmed ? 'ENABLED' : 'DISABLED',
    hiu: await named(tx, policy.hiu, 'HIU'),
    createdAt: policy.createdAt.toISOString(),
    lastUpdated: policy.changedAt.toISOString(),
    ...termsJson(policy.terms),
  }
}

function switchRoute(verb: 'enable' | 'disable'): Route {
  return route({
    ...deciding,
    path: `/api/hiecm/consent/v3/auto/approve/:id/${verb}`,
    summary: `The patient switches a standing approval ${verb === 'enable' ? 'on' : 'off'}.`,
    handle: async (call) => {
      const session = sessionOf(call)
      if (isRefusal(session)) return session
      const id = idIn<'approval-policy'>(call)
      const policy =
        id === undefined
          ? refuse('consent/unknown-policy')
          : await switchPolicy(call.tx, { ...session, id, enabled: verb === 'enable' })
      return isRefusal(policy) ? policy : { status: 202, body: { autoApprovalId: policy.id } }
    },
  })
}

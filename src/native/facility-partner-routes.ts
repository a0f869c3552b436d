import type { OwnLog } from '../audit/log.ts'
import { decideSharing } from '../hip/decision-commands.ts'
import { consentsSharedWith, disclosuresTo } from '../hip/partner-list.ts'
import { type Route, route } from '../http/route.ts'
import { partnerOf } from '../kernel/caller.ts'
import type { FacilityId } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { pageAfter, partnerReceiptRoute, recordAsked, wireDecision } from './partner-answers.ts'
import { partnerPage, sharingAsk } from './partner-messages.ts'

type Needs = { readonly facility: { readonly id: FacilityId }; readonly ownLog: OwnLog }
const partner = { dialect: 'native', auth: 'partner', once: false, method: 'GET' } as const

/** What software of partners (laboratories, insurers) asks a facility about what is shared with it. */
export function facilityPartnerRoutes(needs: Needs): readonly Route[] {
  return [...listRoutes(), sharingRoute(needs), partnerReceiptRoute(needs)]
}

function listRoutes(): readonly Route[] {
  return [
    route({
      ...partner,
      scope: 'system/Consent.rs',
      path: '/v1/partner/consents',
      summary: 'Consents under which this facility shares, or shared, with a facility of the caller, newest first',
      query: partnerPage,
      answers: { 200: { description: 'Consents, and where to go on' } },
      handle: async ({ tx, query, caller }) => {
        const { facilities } = partnerOf(caller)
        const page = await pageAfter(
          query,
          (asked) => consentsSharedWith(tx, facilities, asked),
          ({ consentId }) => consentId,
        )
        return { status: 200, body: { consents: page.found, ...page.next } }
      },
    }),
    route({
      ...partner,
      scope: 'system/AuditEvent.rs',
      path: '/v1/partner/disclosures',
      summary: 'Documents that this facility sent to a facility of the caller, or held back, newest first',
      query: partnerPage,
      answers: { 200: { description: 'Disclosures with the events that prove them, and where to go on' } },
      handle: async ({ tx, query, caller }) => {
        const { facilities } = partnerOf(caller)
        const page = await pageAfter(
          query,
          (asked) => disclosuresTo(tx, facilities, asked),
          ({ event }) => event,
        )
        return { status: 200, body: { disclosures: page.found, ...page.next } }
      },
    }),
  ]
}

function sharingRoute(needs: Needs): Route {
  return route({
    ...partner,
    scope: 'system/Consent.rs',
    method: 'POST',
    path: '/v1/decisions',
    summary: 'May this be shared with us under this consent? The gate’s answer as it would be now; nothing is shared',
    body: sharingAsk,
    answers: {
      200: { description: 'allow, narrow or deny, with the rules that decided' },
      404: { description: 'No such consent of a facility of the caller' },
    },
    handle: async ({ tx, body, ...call }) => {
      const caller = partnerOf(call.caller)
      const { consentId, from, to } = body
      const decision = await decideSharing(tx, needs, {
        consentId,
        receivers: caller.facilities,
        ...(from === undefined || to === undefined ? {} : { range: { from, to } }),
      })
      if (isRefusal(decision)) return decision
      await recordAsked(tx, caller, decision)
      return { status: 200, body: wireDecision(decision) }
    },
  })
}

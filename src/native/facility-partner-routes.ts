import type { OwnLog } from '../audit/log.ts'
import { decideSharing } from '../hip/decision-commands.ts'
import { consentsSharedWith, disclosuresTo } from '../hip/partner-list.ts'
import { type Route, route } from '../http/route.ts'
import { partnerOf } from '../kernel/caller.ts'
import type { FacilityId } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { partnerListRoute, partnerReceiptRoute, recordAsked, wireDecision } from './partner-answers.ts'
import { sharingAsk } from './partner-messages.ts'

type Needs = { readonly facility: { readonly id: FacilityId }; readonly ownLog: OwnLog }

/** What software of partners (laboratories, insurers) asks a facility about what is shared with it. */
export function facilityPartnerRoutes(needs: Needs): readonly Route[] {
  return [...listRoutes(), sharingRoute(needs), partnerReceiptRoute(needs)]
}

function listRoutes(): readonly Route[] {
  return [
    partnerListRoute({
      name: 'consents',
      scope: 'system/Consent.rs',
      summary: 'Consents under which this facility shares, or shared, with a facility of the caller, newest first',
      says: 'Consents, and where to go on',
      read: consentsSharedWith,
      idOf: ({ consentId }) => consentId,
    }),
    partnerListRoute({
      name: 'disclosures',
      scope: 'system/AuditEvent.rs',
      summary: 'Documents that this facility sent to a facility of the caller, or held back, newest first',
      says: 'Disclosures with the events that prove them, and where to go on',
      read: disclosuresTo,
      idOf: ({ event }) => event,
    }),
  ]
}

function sharingRoute(needs: Needs): Route {
  return route({
    dialect: 'native',
    auth: 'partner',
    scope: 'system/Consent.rs',
    once: false,
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

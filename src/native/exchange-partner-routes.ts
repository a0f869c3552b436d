import type { OwnLog } from '../audit/log.ts'
import { receiptsAbout } from '../audit/receipts.ts'
import type { Artefact } from '../consent/consent.ts'
import { consentsNaming } from '../consent/partner-list.ts'
import { artefactById } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import { type Route, route } from '../http/route.ts'
import { type PartnerCaller, partnerOf } from '../kernel/caller.ts'
import { parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { refuse } from '../kernel/refusal.ts'
import { decideDryRun } from '../transfer/decision-commands.ts'
import { concerns, partnerListRoute, partnerReceiptRoute, recordAsked, wireDecision } from './partner-answers.ts'
import { decisionAsk } from './partner-messages.ts'

const partner = { dialect: 'native', auth: 'partner', once: false } as const
const consents = { ...partner, scope: 'system/Consent.rs' } as const

/** What software of partners asks an exchange about its own facilities. */
export function exchangePartnerRoutes(needs: { readonly ownLog: OwnLog }): readonly Route[] {
  return [...consentRoutes(), decisionRoute(), partnerReceiptRoute(needs)]
}

function consentRoutes(): readonly Route[] {
  return [
    partnerListRoute({
      name: 'consents',
      scope: consents.scope,
      summary: 'Consents that name a facility of the caller, newest first, and how they stand',
      says: 'Consents, and where to go on',
      read: consentsNaming,
      idOf: ({ consentId }) => consentId,
    }),
    route({
      ...consents,
      method: 'GET',
      path: '/v1/partner/consents/:id',
      summary:
        'One consent of a facility of the caller: how it stands, as it was signed, and the events that prove what happened',
      answers: { 200: { description: 'The consent' }, 404: { description: 'No such consent of the caller' } },
      handle: async ({ tx, params, caller }) => {
        const { facilities } = partnerOf(caller)
        const id = parseId<'artefact'>(params['id'] ?? '')
        const artefact = id === undefined ? undefined : await artefactById(tx, id)
        const isOwn = artefact !== undefined && (facilities.includes(artefact.hiu) || facilities.includes(artefact.hip))
        if (!isOwn) return refuse('consent/unknown-artefact')
        const { status, createdAt, changedAt, dataEraseAt, detail, signature } = artefact
        return {
          status: 200,
          body: {
            consentId: artefact.id,
            status,
            grantedAt: createdAt,
            changedAt,
            dataEraseAt,
            consentDetail: detail,
            signature,
            events: await eventsOf(tx, artefact, partnerOf(caller)),
          },
        }
      },
    }),
  ]
}

/** The newest events about this consent, or the request it came of, in which a facility of the caller took part; each has a receipt. */
async function eventsOf(tx: Tx, { id, request, patient }: Artefact, caller: PartnerCaller): Promise<readonly object[]> {
  const about = await receiptsAbout(tx, patient, { limit: LIMITS.sharingProofsMax })
  return about.flatMap((one) => {
    if (!('event' in one)) return []
    const { event, at } = one
    const isAbout = event.subject === id || event.subject === request || ('consent' in event && event.consent === id)
    return isAbout && concerns({ ...event }, caller) ? [{ event: one.id, type: event.type, at }] : []
  })
}

function decisionRoute(): Route {
  return route({
    ...consents,
    method: 'POST',
    path: '/v1/decisions',
    summary: 'May this be shared? The gate’s answer to a data request as it would be now; nothing is shared',
    body: decisionAsk,
    answers: {
      200: { description: 'allow, narrow or deny, with the rules that decided' },
      403: { description: 'Neither facility is of the caller, or the token was asked for another purpose' },
    },
    handle: async ({ tx, body, ...call }) => {
      const caller = partnerOf(call.caller)
      const { from, to, hiTypes, ...ask } = body
      const asker = caller.facilities.find((own) => own === ask.recipient || own === ask.holder)
      if (asker === undefined) return refuse('auth/forbidden', 'Neither facility belongs to the calling client.')
      if (caller.purposes.length > 0 && !caller.purposes.includes(ask.purpose))
        return refuse('auth/forbidden', 'The token was asked for another purpose of use.', 'purpose')
      const decision = await decideDryRun(tx, { ...ask, asker, types: hiTypes, period: { from, to } })
      await recordAsked(tx, caller, decision)
      return { status: 200, body: wireDecision(decision) }
    },
  })
}

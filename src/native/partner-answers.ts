import type { z } from 'zod'
import type { OwnLog } from '../audit/log.ts'
import { receiptFor } from '../audit/receipts.ts'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { type Route, route } from '../http/route.ts'
import { type PartnerCaller, partnerOf } from '../kernel/caller.ts'
import { type FacilityId, parseId } from '../kernel/id.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import type { ClientEvent } from '../partners/client.ts'
import type { Decision } from '../policy/gate.ts'
import { partnerPage, receiptQuery } from './partner-messages.ts'

/** Records that a partner asked the gate, by which rules it answered and for which purposes; about nobody, since nothing was shared. */
export async function recordAsked(tx: Tx, caller: PartnerCaller, decision: Decision): Promise<void> {
  const recorded = await record(tx, {
    type: 'partners.decision-asked',
    actor: { kind: 'system', id: caller.clientId },
    subject: caller.clientId,
    outcome: decision.outcome,
    rules: decision.explain.map(({ rule }) => rule),
    consents: decision.consents,
    ...(caller.purposes.length === 0 ? {} : { purposes: caller.purposes }),
  } satisfies ClientEvent & Record<string, unknown>)
  await announce(tx, recorded)
}

/** A decision of the gate as it crosses our wire. */
export function wireDecision(decision: Decision): object {
  const { outcome, granted, withheld, consents, explain, policyVersion, nextAt } = decision
  const period = ({ from, to }: { from: Date; to: Date }) => ({ from: from.toISOString(), to: to.toISOString() })
  return {
    outcome,
    consents,
    granted: granted.map((grant) => ({
      consentId: grant.consent,
      hiType: grant.type,
      ...period(grant.period),
      eraseBy: grant.eraseBy.toISOString(),
    })),
    withheld: withheld.map((one) => ({ hiType: one.type, why: one.why, ...period(one.period) })),
    explain,
    policyVersion,
    ...(nextAt === undefined ? {} : { nextAt: nextAt.toISOString() }),
  }
}

type Page = { readonly before?: string; readonly limit: number }

/** Reads a page as it was asked for, and says where the next one goes on: after `idOf` of its last entry, if it is full. */
async function pageAfter<Entry>(
  { before, limit }: z.output<typeof partnerPage>,
  read: (page: Page) => Promise<readonly Entry[]>,
  idOf: (entry: Entry) => string | null,
): Promise<{ readonly found: readonly Entry[]; readonly next: { readonly before?: string } }> {
  const found = await read({ limit, ...(before === undefined ? {} : { before }) })
  const last = found.at(-1)
  const id = last === undefined || found.length < limit ? null : idOf(last)
  return { found, next: id === null ? {} : { before: id } }
}

/** A list of what concerns the caller's facilities, page by page, newest first; `name` is what the answer calls it. */
export function partnerListRoute<Entry>(list: {
  readonly name: string
  readonly scope: string
  readonly summary: string
  readonly says: string
  readonly read: (tx: Tx, facilities: readonly FacilityId[], page: Page) => Promise<readonly Entry[]>
  readonly idOf: (entry: Entry) => string | null
}): Route {
  return route({
    dialect: 'native',
    auth: 'partner',
    scope: list.scope,
    once: false,
    method: 'GET',
    path: `/v1/partner/${list.name}`,
    summary: list.summary,
    query: partnerPage,
    answers: { 200: { description: list.says } },
    handle: async ({ tx, query, caller }) => {
      const { facilities } = partnerOf(caller)
      const { found, next } = await pageAfter(query, (page) => list.read(tx, facilities, page), list.idOf)
      return { status: 200, body: { [list.name]: found, ...next } }
    },
  })
}

/** Fields of events that name a facility which takes part in what happened. */
const PARTIES = ['hip', 'hiu', 'facility', 'recipient', 'requester'] as const

/** Whether one of these facilities took part in what an event says. */
export function concerns(event: Readonly<Record<string, unknown>>, { facilities }: PartnerCaller): boolean {
  const { actor } = event
  const own: readonly unknown[] = facilities
  const acted =
    typeof actor === 'object' && actor !== null && 'kind' in actor && actor.kind === 'facility' && 'id' in actor
  return (acted && own.includes(actor.id)) || PARTIES.some((field) => own.includes(event[field]))
}

/** At every party: the receipt of an event in which a facility of the caller took part. Others' events do not exist for it. */
export function partnerReceiptRoute(needs: { readonly ownLog: OwnLog }): Route {
  return route({
    dialect: 'native',
    auth: 'partner',
    scope: 'system/AuditEvent.rs',
    once: false,
    method: 'GET',
    path: '/v1/partner/receipts/:event',
    summary:
      'The receipt of an event in which a facility of the caller took part; the patient is named where it is about one',
    query: receiptQuery,
    answers: {
      200: { description: 'The receipt' },
      404: { description: 'No such event of a facility of the caller' },
      503: { description: 'Not yet in a checkpoint; ask again in a second' },
    },
    handle: async ({ tx, params, query, ...call }) => {
      const caller = partnerOf(call.caller)
      const id = parseId<'event'>(params['event'] ?? '')
      const receipt =
        id === undefined ? refuse('request/not-found') : await receiptFor(tx, needs.ownLog, id, query.patient)
      if (isRefusal(receipt)) return receipt
      if (!concerns(receipt.event, caller)) return refuse('request/not-found')
      const recorded = await record(tx, {
        type: 'partners.receipt-fetched',
        actor: { kind: 'system', id: caller.clientId },
        subject: caller.clientId,
        event: receipt.id,
      } satisfies ClientEvent & Record<string, unknown>)
      await announce(tx, recorded)
      return { status: 200, body: receipt }
    },
  })
}

import { announce, type Recorded, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import {
  type Artefact,
  type ArtefactVerb,
  type ConsentRequest,
  endOfRequest,
  moveArtefact,
  moveRequest,
} from './consent.ts'
import type { DataErasedEvent, DataKeptEvent, EndedEvent, RequestExpiredEvent } from './events.ts'
import { noticesOfEnd, noticesOfRequestEnd } from './notices.ts'
import {
  findArtefact,
  findArtefactsOfRequest,
  findRequest,
  insertNotices,
  updateArtefact,
  updateErased,
  updateKept,
  updateRequest,
} from './store.ts'

const EXPIRY: Actor = { kind: 'system', id: 'expiry' }

/** Stops consents at once: all of them, or none when one is not this patient's or not in force. */
export async function revokeConsents(
  tx: Tx,
  input: { readonly patient: AbhaAddress; readonly consents: readonly Id<'artefact'>[]; readonly actor: Actor },
): Promise<true | Refusal> {
  const artefacts: Artefact[] = []
  for (const [i, id] of [...new Set(input.consents)].entries()) {
    const artefact = await lockArtefact(tx, id)
    if (artefact === undefined || artefact.patient !== input.patient)
      return refuse('consent/unknown-artefact', undefined, `consents[${i}]`)
    if (moveArtefact(artefact.status, 'revoke') === undefined || artefact.dataEraseAt <= tx.now) {
      const status = artefact.status === 'GRANTED' ? 'EXPIRED' : artefact.status
      return refuse('consent/not-granted', `This consent is ${status} already.`, `consents[${i}]`)
    }
    artefacts.push(artefact)
  }
  for (const artefact of artefacts) await endArtefact(tx, artefact, 'revoke', input.actor)
  return true
}

/** Locks the request before the artefact, so that two artefacts of one request cannot end at once and both see the other alive. */
async function lockArtefact(tx: Tx, id: Id<'artefact'>): Promise<Artefact | undefined> {
  const seen = await findArtefact(tx, id)
  if (seen === undefined) return undefined
  await findRequest(tx, seen.request, true)
  return findArtefact(tx, id, true)
}

/** Ends a consent whose receiver was shut out, by whom; nothing when it is over already. */
export async function endForShutOut(tx: Tx, id: Id<'artefact'>, actor: Actor): Promise<void> {
  const artefact = await lockArtefact(tx, id)
  if (artefact?.status === 'GRANTED' && artefact.dataEraseAt > tx.now)
    await endArtefact(tx, artefact, 'revoke', actor, 'shut-out')
}

/** Ends a request whose asker was shut out: nobody can allow it any more. */
export async function endRequestForShutOut(tx: Tx, id: Id<'consent-request'>, actor: Actor): Promise<void> {
  const request = await findRequest(tx, id, true)
  if (request?.status === 'REQUESTED') await expireRequest(tx, request, { actor, reason: 'shut-out' })
}

async function endArtefact(
  tx: Tx,
  artefact: Artefact,
  verb: ArtefactVerb,
  actor: Actor,
  reason?: 'shut-out',
): Promise<void> {
  const status = verb === 'revoke' ? 'REVOKED' : 'EXPIRED'
  const recorded = await record(tx, {
    type: verb === 'revoke' ? 'consent.revoked' : 'consent.expired',
    actor,
    patient: artefact.patient,
    subject: artefact.id,
    request: artefact.request,
    hip: artefact.hip,
    hiu: artefact.hiu,
    ...(reason === undefined ? {} : { reason }),
  } satisfies EndedEvent)
  await updateArtefact(tx, recorded, artefact, status)
  await endRequest(tx, recorded, artefact.request)
  await insertNotices(tx, recorded, noticesOfEnd(tx, artefact, status))
  await announce(tx, recorded)
}

async function endRequest(tx: Tx, recorded: Recorded<EndedEvent>, id: Id<'consent-request'>): Promise<void> {
  const verb = endOfRequest((await findArtefactsOfRequest(tx, id)).map(({ status }) => status))
  const request = verb && (await findRequest(tx, id))
  const status = verb && request && moveRequest(request.status, verb)
  if (request && status) await updateRequest(tx, recorded, request, { status })
}

/** Ends a request that nobody decided in time, or whose asker was shut out; the caller holds its lock. */
export async function expireRequest(
  tx: Tx,
  request: ConsentRequest,
  by: { readonly actor: Actor; readonly reason?: 'shut-out' } = { actor: EXPIRY },
): Promise<void> {
  const { patient, hiu } = request.asked
  const recorded = await record(tx, {
    type: 'consent.request-expired',
    ...by,
    patient,
    subject: request.id,
    hiu,
  } satisfies RequestExpiredEvent)
  await updateRequest(tx, recorded, request, { status: 'EXPIRED' })
  await insertNotices(tx, recorded, noticesOfRequestEnd(tx, request, 'EXPIRED'))
  await announce(tx, recorded)
}

/** Ends a request whose time is over. Safe to call for any: does nothing when it is not due. */
export async function expireRequestIfDue(tx: Tx, id: Id<'consent-request'>): Promise<boolean> {
  const request = await findRequest(tx, id, true)
  if (request?.status !== 'REQUESTED' || request.decideBy > tx.now) return false
  await expireRequest(tx, request)
  return true
}

/** Ends a consent whose `dataEraseAt` has come. Safe to call for any: does nothing when it is not due. */
export async function expireArtefactIfDue(tx: Tx, id: Id<'artefact'>): Promise<boolean> {
  const artefact = await lockArtefact(tx, id)
  if (artefact?.status !== 'GRANTED' || artefact.dataEraseAt > tx.now) return false
  await endArtefact(tx, artefact, 'expire', EXPIRY)
  return true
}

/** The HIU tells that a law makes it keep its copy beyond the consent. A later day, or another law, replaces the first. */
export async function markKept(
  tx: Tx,
  input: {
    readonly consentId: Id<'artefact'>
    readonly hiu: FacilityId
    readonly until: Date
    readonly reason: string
    readonly law: string
  },
): Promise<Artefact | Refusal> {
  const { consentId, hiu, until, reason, law } = input
  await expireArtefactIfDue(tx, consentId)
  const artefact = await lockArtefact(tx, consentId)
  if (artefact === undefined || artefact.hiu !== hiu) return refuse('consent/unknown-artefact', undefined, 'consentId')
  if (artefact.status === 'GRANTED') return refuse('consent/still-granted', undefined, 'consentId')
  const isKnown = artefact.kept?.reason === reason && artefact.kept.until.getTime() === until.getTime()
  if (artefact.erasedAt !== undefined || isKnown) return artefact
  const recorded = await record(tx, {
    type: 'consent.data-kept',
    actor: { kind: 'facility', id: hiu },
    patient: artefact.patient,
    subject: artefact.id,
    hiu,
    until: until.toISOString(),
    reason,
    law,
  } satisfies DataKeptEvent)
  await updateKept(tx, recorded, artefact, { until, reason })
  await announce(tx, recorded)
  return { ...artefact, kept: { until, reason } }
}

/** The HIU attests that its copy under an ended consent is erased. A second attestation changes nothing. */
export async function markErased(
  tx: Tx,
  input: { readonly consentId: Id<'artefact'>; readonly hiu: FacilityId; readonly attestation: object },
): Promise<Artefact | Refusal> {
  await expireArtefactIfDue(tx, input.consentId)
  const artefact = await lockArtefact(tx, input.consentId)
  if (artefact === undefined || artefact.hiu !== input.hiu)
    return refuse('consent/unknown-artefact', undefined, 'consentId')
  if (artefact.status === 'GRANTED') return refuse('consent/still-granted', undefined, 'consentId')
  if (artefact.erasedAt !== undefined) return artefact
  const recorded = await record(tx, {
    type: 'consent.data-erased',
    actor: { kind: 'facility', id: artefact.hiu },
    patient: artefact.patient,
    subject: artefact.id,
    hiu: artefact.hiu,
    attestation: input.attestation,
  } satisfies DataErasedEvent)
  await updateErased(tx, recorded, artefact)
  await announce(tx, recorded)
  return { ...artefact, erasedAt: tx.now }
}

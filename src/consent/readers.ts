import type { Tx } from '../db/tx.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Artefact, ArtefactStatus, ConsentRequest, RequestStatus } from './consent.ts'
import { type Notice } from './consent.ts'
import { isGrantAcknowledged } from './notices.ts'
import { findEndedNamed, findEndedShared, findLiveNamed, findLiveShared, findReceiverOf } from './sharing-store.ts'
import {
  findArtefact,
  findArtefactsOf,
  findArtefactsOfRequest,
  findNoticesOfRequest,
  findRequest,
  findRequestsOf,
  type Page,
} from './store.ts'

const FIRST_PAGE: Page = { limit: LIMITS.pageSizeMax, offset: 0 }
type Listed<T> = { readonly items: readonly T[]; readonly size: number }

/** The patient's requests, newest first; `size` counts all, not only this page. */
export async function listRequestsOf(
  tx: Tx,
  patient: AbhaAddress,
  filter: {
    readonly status?: RequestStatus | readonly RequestStatus[]
    readonly page?: Page
    /** Without those of the exchange's own app, with which patients fetch their own copies. */
    readonly ofOthers?: true
  } = {},
): Promise<Listed<ConsentRequest>> {
  const { status, ofOthers = false } = filter
  const statuses = typeof status === 'string' ? [status] : status
  return findRequestsOf(tx, patient, statuses, filter.page ?? FIRST_PAGE, ofOthers)
}

/** One request of this patient; another's does not exist. */
export async function requestOf(
  tx: Tx,
  patient: AbhaAddress,
  id: Id<'consent-request'>,
): Promise<ConsentRequest | Refusal> {
  const request = await findRequest(tx, id)
  return request?.asked.patient === patient ? request : refuse('consent/unknown-request')
}

/** The patient's artefacts, newest first; `size` counts all, not only this page. */
export async function artefactsOf(
  tx: Tx,
  patient: AbhaAddress,
  filter: { readonly status?: ArtefactStatus; readonly page?: Page } = {},
): Promise<Listed<Artefact>> {
  return findArtefactsOf(tx, patient, filter.status, filter.page ?? FIRST_PAGE)
}

/**
 * What the patient shares with others, newest first: every consent in force, and the newest `endedMax` of those that are over. What she
 * fetches for herself is not among them.
 */
export async function sharedArtefactsOf(
  tx: Tx,
  patient: AbhaAddress,
  endedMax: number,
): Promise<{ readonly live: readonly Artefact[]; readonly ended: readonly Artefact[] }> {
  return { live: await findLiveShared(tx, patient), ended: await findEndedShared(tx, patient, endedMax) }
}

/** To whom the patient's consents go that an id names: one consent, all of a request, all to a receiver, or `holder>receiver`. */
export async function receiverOf(tx: Tx, patient: AbhaAddress, what: string): Promise<FacilityId | undefined> {
  return findReceiverOf(tx, patient, what)
}

/** The newest of them that are over, at most `max`. */
export async function endedNamed(
  tx: Tx,
  patient: AbhaAddress,
  what: string,
  max: number,
): Promise<readonly Id<'artefact'>[]> {
  return findEndedNamed(tx, patient, what, max)
}

/** Those in force among them, a batch in the order of their ids. */
export async function liveNamed(
  tx: Tx,
  patient: AbhaAddress,
  what: string,
  batch: { readonly after: Id<'artefact'> | undefined; readonly limit: number },
): Promise<readonly Id<'artefact'>[]> {
  return findLiveNamed(tx, patient, what, batch)
}

export async function artefactOf(tx: Tx, patient: AbhaAddress, id: Id<'artefact'>): Promise<Artefact | Refusal> {
  const artefact = await findArtefact(tx, id)
  return artefact?.patient === patient ? artefact : refuse('consent/unknown-artefact')
}

export async function artefactsOfRequest(
  tx: Tx,
  patient: AbhaAddress,
  id: Id<'consent-request'>,
): Promise<readonly Artefact[] | Refusal> {
  const request = await findRequest(tx, id)
  return request?.asked.patient === patient ? findArtefactsOfRequest(tx, id) : refuse('consent/unknown-request')
}

/** Who was told what about this request and its artefacts, and when they confirmed: "City Hospital confirmed 10:03". */
export async function noticesOf(
  tx: Tx,
  patient: AbhaAddress,
  id: Id<'consent-request'>,
): Promise<readonly Notice[] | Refusal> {
  const request = await findRequest(tx, id)
  return request?.asked.patient === patient ? findNoticesOfRequest(tx, id) : refuse('consent/unknown-request')
}

/** The state of a request for the HIU that made it, with all its artefacts; for others it does not exist. */
export async function requestForHiu(
  tx: Tx,
  hiu: FacilityId,
  id: Id<'consent-request'>,
): Promise<{ readonly request: ConsentRequest; readonly artefacts: readonly Artefact[] } | Refusal> {
  const request = await findRequest(tx, id)
  if (request?.asked.hiu !== hiu) return refuse('consent/unknown-request', undefined, 'consentRequestId')
  return { request, artefacts: await findArtefactsOfRequest(tx, id) }
}

/** An artefact by its id alone, for reactions. */
export async function artefactById(tx: Tx, id: Id<'artefact'>): Promise<Artefact | undefined> {
  return findArtefact(tx, id)
}

/**
 * An artefact for a data request of its HIU, locked until the end of the transaction: neither a revocation nor another request can
 * slip between the checks and the routing. For other facilities it does not exist.
 */
export async function artefactForRequest(
  tx: Tx,
  hiu: FacilityId,
  id: Id<'artefact'>,
): Promise<{ readonly artefact: Artefact; readonly acknowledged: boolean } | Refusal> {
  const artefact = await findArtefact(tx, id, true)
  if (artefact === undefined || artefact.hiu !== hiu)
    return refuse('consent/unknown-artefact', undefined, 'hiRequest.consent.id')
  return { artefact, acknowledged: await isGrantAcknowledged(tx, artefact) }
}

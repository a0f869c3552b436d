import { createHash } from 'node:crypto'
import { announce, record } from '../audit/record.ts'
import { canonicalJson } from '../crypto/canonical-json.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, type FacilityId, type Id, makeId, parseId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { attestAgain, endCopy } from './erase.ts'
import {
  type ArtefactEvent,
  type ArtefactStatus,
  type ArtefactToldEvent,
  type ErasureReason,
  next,
  type Terms,
} from './hiu.ts'
import { type RequestNeeds, requestData } from './requests.ts'
import { checkWithinAsked } from './rules.ts'
import {
  type Artefact,
  type Consent,
  findArtefact,
  findArtefactByFetch,
  findConsent,
  findKnownArtefact,
  insertArtefact,
  lockArtefact,
  moveArtefact,
  saveKnownId,
} from './store.ts'

export type ArtefactNeeds = RequestNeeds

/** Checks the signature of an artefact, away from any transaction: the exchange's keys may have to be fetched. */
export const CHECK_ARTEFACT_JOB = 'hiu.check-artefact'
export type CheckArtefact = { readonly patient: AbhaAddress; readonly artefact: Id<'artefact'> }

/** The artefact as the exchange gave it, already read by the dialect. `raw` is the value that was signed. */
export type FetchedArtefact = {
  readonly status: string
  readonly raw: unknown
  readonly consentId: string
  readonly patient: AbhaAddress
  readonly hip: { readonly id: FacilityId; readonly name?: string }
  readonly hiu?: FacilityId
  readonly terms: Terms
  readonly signature: string
}

const actorOf = (needs: ArtefactNeeds) => ({ kind: 'facility', id: needs.facility.id }) as const

/** Learns of an artefact and lets it be fetched. One that has ended, or that is there already, stays as it is. */
export async function learnArtefact(tx: Tx, needs: ArtefactNeeds, consent: Consent, id: Id<'artefact'>): Promise<void> {
  const known = await findKnownArtefact(tx, id)
  if (known !== undefined && (known.consent !== consent.id || next('artefact', known.status, 'refetch') === undefined))
    return
  const fetchRequest = makeId<'request'>(tx.now, tx.random, bucketOf(consent.patient))
  const recorded = await record<ArtefactToldEvent>(tx, {
    type: 'hiu.artefact-told',
    actor: actorOf(needs),
    patient: consent.patient,
    subject: id,
    fetchRequest,
  })
  if (known !== undefined) {
    await moveArtefact(tx, recorded, known, { status: 'told', fetchRequest })
  } else {
    await saveKnownId(tx, recorded, 'artefact', id, { bucket: bucketOf(consent.patient), id })
    await insertArtefact(tx, recorded, {
      id,
      consent: consent.id,
      patient: consent.patient,
      status: 'told',
      fetchRequest,
    })
  }
  await announce(tx, recorded)
}

/** The exchange's answer to a fetch: keeps the artefact and has its signature checked. */
export async function takeArtefact(
  tx: Tx,
  needs: ArtefactNeeds,
  responseTo: string,
  fetched: FetchedArtefact | { readonly error: { readonly code?: string; readonly message: string } },
): Promise<true | Refusal> {
  const id = parseId<'request'>(responseTo)
  const artefact = id && (await findArtefactByFetch(tx, id))
  if (artefact === undefined) return refuse('hiu/unknown-request')
  if ('error' in fetched) {
    await failArtefact(tx, needs, artefact, fetched.error)
    return true
  }
  if (fetched.status === 'REVOKED' || fetched.status === 'EXPIRED') {
    await endArtefact(tx, needs, artefact, fetched.status)
    return true
  }
  const status = next('artefact', artefact.status, 'fetched')
  if (status === undefined) return true
  const detailSha256 = createHash('sha256').update(canonicalJson(fetched.raw)).digest('hex')
  const recorded = await record<ArtefactEvent>(tx, {
    ...about(needs, artefact),
    type: 'hiu.artefact-fetched',
    detailSha256,
  })
  const { raw, terms, hip, signature } = fetched
  await moveArtefact(tx, recorded, artefact, { status, granted: { raw, terms, hip }, signature })
  await announce(tx, recorded)
  const fault = faultOf(needs, artefact, fetched)
  if (fault !== undefined) await refuseArtefact(tx, needs, { ...artefact, status }, fault)
  else
    await enqueue(tx, {
      kind: CHECK_ARTEFACT_JOB,
      payload: { patient: artefact.patient, artefact: artefact.id } satisfies CheckArtefact,
    })
  return true
}

function about(needs: ArtefactNeeds, artefact: Pick<Artefact, 'id' | 'patient'>) {
  return { actor: actorOf(needs), patient: artefact.patient, subject: artefact.id } as const
}

function faultOf(needs: ArtefactNeeds, artefact: Artefact, fetched: FetchedArtefact): Refusal | undefined {
  if (fetched.consentId !== artefact.id)
    return refuse('hiu/artefact-mismatch', 'It has another consent id.', 'consentId')
  if (fetched.patient !== artefact.patient)
    return refuse('hiu/artefact-mismatch', 'It is about another patient.', 'patient.id')
  if (fetched.hiu !== undefined && fetched.hiu !== needs.facility.id)
    return refuse('hiu/artefact-mismatch', 'It was made for another facility.', 'hiu.id')
  return undefined
}

/** What of an artefact is to be checked; undefined when it is not waiting for that any more. */
export async function readUnchecked(
  tx: Tx,
  { patient, artefact: id }: CheckArtefact,
): Promise<{ readonly raw: unknown; readonly signature: string } | undefined> {
  const artefact = await findArtefact(tx, patient, id)
  if (artefact?.status !== 'checking' || artefact.granted === undefined || artefact.signature === undefined)
    return undefined
  return { raw: artefact.granted.raw, signature: artefact.signature }
}

/** The signature was checked: takes the artefact into use and asks for the data at once, or refuses it for good. */
export async function settleCheck(
  tx: Tx,
  needs: ArtefactNeeds,
  { patient, artefact: id }: CheckArtefact,
  verdict: true | Refusal,
): Promise<void> {
  const artefact = await lockArtefact(tx, patient, id)
  if (artefact?.status !== 'checking') return
  if (isRefusal(verdict)) return refuseArtefact(tx, needs, artefact, verdict)
  const wider = await checkScope(tx, artefact)
  if (wider !== undefined) return refuseArtefact(tx, needs, artefact, wider)
  const recorded = await record<ArtefactEvent>(tx, { ...about(needs, artefact), type: 'hiu.artefact-granted' })
  await moveArtefact(tx, recorded, artefact, { status: 'granted' })
  await announce(tx, recorded)
  const granted = { ...artefact, status: 'granted' } as const
  if (artefact.eraseAt !== undefined && artefact.eraseAt <= tx.now) return endArtefact(tx, needs, granted, 'EXPIRED')
  const asked = await requestData(tx, needs, granted, 'automatic')
  if (isRefusal(asked)) throw new Error(`a consent in force refused its first request: ${asked.code}`)
}

/** A right signature is not enough: what the exchange signed must lie within what we asked the patient. */
async function checkScope(tx: Tx, artefact: Artefact): Promise<Refusal | undefined> {
  const consent = await findConsent(tx, artefact.consent)
  if (consent === undefined || artefact.granted === undefined)
    throw new Error(`artefact ${artefact.id} waits for its check without consent or detail`)
  return checkWithinAsked(consent.asked, { ...artefact.granted.terms, patient: artefact.patient })
}

async function refuseArtefact(tx: Tx, needs: ArtefactNeeds, artefact: Artefact, why: Refusal): Promise<void> {
  const reason = `${why.code}: ${why.detail}`
  const recorded = await record<ArtefactEvent>(tx, {
    ...about(needs, artefact),
    type: 'hiu.artefact-refused',
    reason,
    ...(why.field === undefined ? {} : { field: why.field }),
  })
  await moveArtefact(tx, recorded, artefact, { status: 'refused', reason })
  await announce(tx, recorded)
}

async function failArtefact(
  tx: Tx,
  needs: ArtefactNeeds,
  artefact: Artefact,
  error: { readonly code?: string; readonly message: string },
): Promise<void> {
  const status = next('artefact', artefact.status, 'fail')
  if (status === undefined) return
  const reason = `${error.code === undefined ? '' : `${error.code}: `}${error.message}`
  const recorded = await record<ArtefactEvent>(tx, { ...about(needs, artefact), type: 'hiu.artefact-failed', reason })
  await moveArtefact(tx, recorded, artefact, { status, reason })
  await announce(tx, recorded)
}

/** The fetch could not be delivered for good. Asking for the status of the consent tries again. */
export async function noteFetchUndelivered(
  tx: Tx,
  needs: ArtefactNeeds,
  fetchRequest: string,
  error: { readonly code?: string; readonly message: string },
): Promise<void> {
  const id = parseId<'request'>(fetchRequest)
  const artefact = id && (await findArtefactByFetch(tx, id))
  if (artefact !== undefined) await failArtefact(tx, needs, artefact, error)
}

/** Revoked or expired: the copy is erased in the same transaction. Final, whatever comes later. */
export async function endArtefact(
  tx: Tx,
  needs: ArtefactNeeds,
  artefact: Artefact,
  reason: ErasureReason,
): Promise<void> {
  const status: ArtefactStatus | undefined = next(
    'artefact',
    artefact.status,
    reason === 'EXPIRED' ? 'expire' : 'revoke',
  )
  if (status === undefined) return attestAgain(tx, needs, artefact)
  const recorded = await record<ArtefactEvent>(tx, {
    ...about(needs, artefact),
    type: 'hiu.artefact-ended',
    status,
    reason,
  })
  await moveArtefact(tx, recorded, artefact, { status, reason })
  await announce(tx, recorded)
  await endCopy(tx, needs, recorded, artefact, reason)
}

/** An artefact whose end is told before its beginning: remembered, so that its grant, when it comes late, has no effect. */
export async function endArtefactById(
  tx: Tx,
  needs: ArtefactNeeds,
  consent: Consent,
  id: Id<'artefact'>,
  reason: ErasureReason,
): Promise<void> {
  const known = await findKnownArtefact(tx, id)
  if (known !== undefined) {
    if (known.consent === consent.id) await endArtefact(tx, needs, known, reason)
    return
  }
  const status: ArtefactStatus = reason === 'EXPIRED' ? 'expired' : 'revoked'
  const recorded = await record<ArtefactEvent>(tx, {
    ...about(needs, { id, patient: consent.patient }),
    type: 'hiu.artefact-ended',
    status,
    reason,
  })
  await saveKnownId(tx, recorded, 'artefact', id, { bucket: bucketOf(consent.patient), id })
  await insertArtefact(tx, recorded, { id, consent: consent.id, patient: consent.patient, status, reason })
  await announce(tx, recorded)
  await endCopy(tx, needs, recorded, { id, patient: consent.patient, consent: consent.id }, reason)
}

import { type AuditEvent, announce, type Recorded, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { type AbhaAddress, type FacilityId, type Id, parseId } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { type CopyHeldEvent, type CopyStoppedAgainEvent, HOLDS, type HoldBySetting, holdFor } from './copy.ts'
import { type Copy, copyFacts, lockCopy, moveCopy, saveClaim } from './copy-store.ts'
import { copyOf, deletePages, type Erasure, eraseCopyRows, findErasure, setAttestation } from './document-store.ts'
import { type AttestationRefusedEvent, type ErasedEvent, type ErasureReason, next } from './hiu.ts'
import { type Artefact, findKnownArtefact } from './store.ts'
import { destroySecret, lockRequest, moveRequest, requestsOf } from './transfer-store.ts'

export type EraseNeeds = {
  readonly facility: { readonly id: FacilityId }
  readonly keepsByLaw?: readonly HoldBySetting[]
}

/**
 * What follows the end of a consent, in its transaction: nobody reads the copy from now on, its sealed pages and the private keys of its
 * requests go, and the copy is erased; or kept, sealed, when a law demands it. `recorded` is the end of the consent.
 */
export async function endCopy(
  tx: Tx,
  needs: EraseNeeds,
  recorded: Recorded<AuditEvent>,
  artefact: Pick<Artefact, 'id' | 'patient' | 'consent'>,
  reason: ErasureReason,
): Promise<void> {
  const { id, patient, consent } = artefact
  const name = { artefact: id, patient }
  const before = await lockCopy(tx, name)
  if (before !== undefined && before.status !== 'active') return
  const pages = await stopRequests(tx, recorded, name)
  const facts = await copyFacts(tx, name, consent)
  const claim = before?.hold
  const hold = holdFor(needs.keepsByLaw ?? [], { ...facts, ...(claim === undefined ? {} : { claim }) }, tx.now)
  const stopped: Copy = { ...name, status: 'stopped', reason, pages, stoppedAt: tx.now }
  await moveCopy(tx, recorded, before, stopped)
  if (hold === undefined) return eraseCopy(tx, needs, stopped)
  const held = await record<CopyHeldEvent>(tx, {
    type: 'hiu.copy-held',
    actor: { kind: 'facility', id: needs.facility.id },
    patient,
    subject: id,
    reason: hold.reason,
    law: HOLDS[hold.reason].law,
    until: hold.until.toISOString(),
    documents: facts.documents,
    ended: reason,
  })
  await moveCopy(tx, held, stopped, { ...stopped, status: 'held', hold })
  await announce(tx, held)
}

/** Ends the requests of a copy: their private keys and sealed pages go, also when a law keeps the documents. Answers how many pages. */
async function stopRequests(
  tx: Tx,
  recorded: Recorded<AuditEvent>,
  { artefact, patient }: Pick<Copy, 'artefact' | 'patient'>,
): Promise<number> {
  const requests = await requestsOf(tx, patient, artefact)
  const ids = requests.map((request) => request.id)
  // A page that is just arriving is in before, or refused after.
  for (const id of ids) await lockRequest(tx, id)
  const { pages } = await copyOf(tx, patient, artefact, ids)
  for (const request of requests) {
    const status = next('request', request.status, 'erase')
    if (status !== undefined) await moveRequest(tx, recorded, request, { status, ended: true })
    await destroySecret(tx, recorded, request)
  }
  await deletePages(tx, recorded, patient, ids)
  return pages
}

/** Erases a copy that was stopped or whose time of keeping is over: its key is destroyed, its rows go, the exchange is told. */
async function eraseCopy(tx: Tx, needs: EraseNeeds, copy: Copy): Promise<void> {
  const { artefact, patient, pages } = copy
  const { sha256 } = await copyOf(tx, patient, artefact, [])
  const erasure: Erasure = {
    artefact,
    patient,
    reason: copy.reason ?? 'EXPIRED',
    documents: sha256.length,
    pages,
    sha256,
    erasedAt: tx.now,
  }
  const recorded = await record<ErasedEvent>(tx, {
    type: 'hiu.copy-erased',
    actor: { kind: 'facility', id: needs.facility.id },
    patient,
    subject: artefact,
    reason: erasure.reason,
    documents: erasure.documents,
    pages,
    sha256,
    erasedAt: tx.now.toISOString(),
  })
  await moveCopy(tx, recorded, copy, { ...copy, status: 'erased' })
  await eraseCopyRows(tx, recorded, erasure)
  await announce(tx, recorded)
}

/** Erases a kept copy when no law demands it any more. */
export async function eraseWhenDue(tx: Tx, needs: EraseNeeds, name: Pick<Copy, 'artefact' | 'patient'>): Promise<void> {
  const copy = await lockCopy(tx, name)
  if (copy?.status === 'held' && copy.hold !== undefined && copy.hold.until <= tx.now) await eraseCopy(tx, needs, copy)
}

/**
 * After a restore of a database from before an erasure: the key of the copy is destroyed already, so its consent had ended whatever the row
 * says; the rows that came back go again, and the exchange is told again. Does nothing for what names no copy.
 */
export async function eraseCopyAgain(
  tx: Tx,
  needs: EraseNeeds,
  input: { readonly artefact: string; readonly patient: AbhaAddress },
): Promise<void> {
  const artefact = parseId<'artefact'>(input.artefact) && (await findKnownArtefact(tx, input.artefact))
  if (artefact === undefined || artefact.patient !== input.patient) return
  const name = { artefact: artefact.id, patient: artefact.patient }
  const before = await lockCopy(tx, name)
  if (before?.status === 'erased') return
  if (before !== undefined && before.status !== 'active') return eraseCopy(tx, needs, before)
  const reason = artefact.eraseAt !== undefined && artefact.eraseAt <= tx.now ? 'EXPIRED' : 'REVOKED'
  const recorded = await record<CopyStoppedAgainEvent>(tx, {
    type: 'hiu.copy-stopped-again',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: artefact.patient,
    subject: artefact.id,
    reason,
  })
  const pages = await stopRequests(tx, recorded, name)
  const stopped: Copy = { ...name, status: 'stopped', reason, pages, stoppedAt: tx.now }
  await moveCopy(tx, recorded, before, stopped)
  await announce(tx, recorded)
  await eraseCopy(tx, needs, stopped)
}

/** Tells the exchange again of an erasure that it had refused to take note of: its own clock was behind ours. */
export async function attestAgain(
  tx: Tx,
  needs: EraseNeeds,
  artefact: Pick<Artefact, 'id' | 'patient'>,
): Promise<void> {
  const erasure = await findErasure(tx, artefact.patient, artefact.id)
  if (erasure?.attestationRefused === undefined) return
  const recorded = await record<ErasedEvent>(tx, {
    type: 'hiu.copy-erased',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: artefact.patient,
    subject: artefact.id,
    reason: erasure.reason,
    documents: erasure.documents,
    pages: erasure.pages,
    sha256: erasure.sha256,
    erasedAt: erasure.erasedAt.toISOString(),
    again: true,
  })
  await setAttestation(tx, recorded, erasure, null)
  await announce(tx, recorded)
}

/** The exchange did not take the attestation: shown to the operator, tried again when the exchange tells of the end itself. */
export async function noteAttestationRefused(
  tx: Tx,
  needs: EraseNeeds,
  artefactId: string,
  error: { readonly code?: string; readonly message: string },
): Promise<void> {
  const artefact = await findKnownArtefact(tx, artefactId)
  if (artefact === undefined) return
  const reason = `${error.code === undefined ? '' : `${error.code}: `}${error.message}`
  const recorded = await record<AttestationRefusedEvent>(tx, {
    type: 'hiu.attestation-refused',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: artefact.patient,
    subject: artefact.id as Id<'artefact'>,
    reason,
  })
  await setAttestation(tx, recorded, { artefact: artefact.id, patient: artefact.patient }, reason)
  await announce(tx, recorded)
}

/**
 * Puts a legal claim on a copy whose consent lasts or that is kept already: it outlives the consent until that day. `hiu/copy-gone` when
 * there is no copy any more.
 */
export async function claimCopy(
  tx: Tx,
  needs: EraseNeeds,
  input: { readonly artefact: string; readonly until: Date; readonly reference: string; readonly by: string },
): Promise<true | Refusal> {
  const artefact = await findKnownArtefact(tx, input.artefact)
  if (artefact === undefined) return refuse('hiu/unknown-artefact', undefined, 'artefact')
  const name = { artefact: artefact.id, patient: artefact.patient }
  const before = await lockCopy(tx, name)
  if (before?.status === 'erased') return refuse('hiu/copy-gone')
  if (before?.hold !== undefined && before.hold.until > input.until) return true
  const recorded = await recordClaim(tx, needs, name, { type: 'hiu.copy-claimed', ...input })
  const hold = { reason: 'legal-claim', until: input.until } as const
  const to: Copy = { ...(before ?? { ...name, status: 'active', pages: 0 }), hold }
  await saveClaim(tx, recorded, before, to)
  await announce(tx, recorded)
  return true
}

/** Lifts a legal claim: a copy whose consent has ended is erased, unless a law of the settings still keeps it. */
export async function liftClaim(
  tx: Tx,
  needs: EraseNeeds,
  input: { readonly artefact: string; readonly by: string },
): Promise<true | Refusal> {
  const artefact = await findKnownArtefact(tx, input.artefact)
  const name = artefact && { artefact: artefact.id, patient: artefact.patient }
  const before = name && (await lockCopy(tx, name))
  if (artefact === undefined || before?.hold?.reason !== 'legal-claim')
    return refuse('hiu/unknown-artefact', undefined, 'artefact')
  const recorded = await recordClaim(tx, needs, before, {
    type: 'hiu.claim-lifted',
    until: before.hold.until,
    by: input.by,
  })
  const { hold: _lifted, ...rest } = before
  const facts = await copyFacts(tx, before, artefact.consent)
  const hold = holdFor(needs.keepsByLaw ?? [], facts, tx.now)
  if (before.status === 'active') await saveClaim(tx, recorded, before, rest)
  else if (hold === undefined) await eraseCopy(tx, needs, before)
  else await moveCopy(tx, recorded, before, { ...rest, hold })
  await announce(tx, recorded)
  return true
}

async function recordClaim(
  tx: Tx,
  needs: EraseNeeds,
  { artefact, patient }: Pick<Copy, 'artefact' | 'patient'>,
  {
    type,
    until,
    by,
    reference,
  }: Pick<CopyHeldEvent, 'reference'> & {
    readonly type: 'hiu.copy-claimed' | 'hiu.claim-lifted'
    readonly until: Date
    readonly by: string
  },
): Promise<Recorded<CopyHeldEvent>> {
  const { documents } = await copyOf(tx, patient, artefact, []).then(({ sha256 }) => ({ documents: sha256.length }))
  return record<CopyHeldEvent>(tx, {
    type,
    actor: { kind: 'facility', id: needs.facility.id },
    patient,
    subject: artefact,
    reason: 'legal-claim',
    law: HOLDS['legal-claim'].law,
    until: until.toISOString(),
    documents,
    by,
    ...(reference === undefined ? {} : { reference }),
  })
}

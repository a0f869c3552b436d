import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { copyOf, type Erasure, eraseCopyRows, findErasure, setAttestation } from './document-store.ts'
import { type AttestationRefusedEvent, type ErasedEvent, type ErasureReason, next } from './hiu.ts'
import { type Artefact, findKnownArtefact } from './store.ts'
import { destroySecret, lockRequest, moveRequest, requestsOf } from './transfer-store.ts'

export type EraseNeeds = { readonly facility: { readonly id: FacilityId } }

/**
 * Erases the copy received under an artefact: destroys its key and the private keys of its requests, deletes documents and pages,
 * records what was erased, and lets the exchange be told. The caller has moved the artefact to a final state.
 */
export async function eraseCopy(
  tx: Tx,
  needs: EraseNeeds,
  artefact: Pick<Artefact, 'id' | 'patient'>,
  reason: ErasureReason,
): Promise<Erasure> {
  const before = await findErasure(tx, artefact.patient, artefact.id)
  if (before !== undefined) return before
  const requests = await requestsOf(tx, artefact.patient, artefact.id)
  const ids = requests.map((request) => request.id)
  // A page that is just arriving is in before, or refused after.
  for (const id of ids) await lockRequest(tx, id)
  const { sha256, pages } = await copyOf(tx, artefact.patient, artefact.id, ids)
  const erasure: Erasure = {
    artefact: artefact.id,
    patient: artefact.patient,
    reason,
    documents: sha256.length,
    pages,
    sha256,
    erasedAt: tx.now,
  }
  const recorded = await record<ErasedEvent>(tx, {
    type: 'hiu.copy-erased',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: artefact.patient,
    subject: artefact.id,
    reason,
    documents: erasure.documents,
    pages,
    sha256,
    erasedAt: tx.now.toISOString(),
  })
  for (const request of requests) {
    const status = next('request', request.status, 'erase')
    if (status !== undefined) await moveRequest(tx, recorded, request, { status, ended: true })
    await destroySecret(tx, recorded, request)
  }
  await eraseCopyRows(tx, recorded, erasure, ids)
  await announce(tx, recorded)
  return erasure
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

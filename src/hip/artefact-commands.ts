import { announce, record } from '../audit/record.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal } from '../kernel/refusal.ts'
import { type ArtefactStatus, receive, type Told } from './artefact.ts'
import * as store from './store-artefacts.ts'
import { stopTransfers } from './transfer-commands.ts'

export type ArtefactNeeds = {
  readonly facility: { readonly id: FacilityId }
  readonly exchange: { readonly id: string }
}

/**
 * Takes what the exchange tells of a consent artefact. A result is to be acknowledged OK (also a repetition, and a grant that comes
 * after the end, which changes nothing); a refusal is recorded, and to be acknowledged with its error.
 */
export async function receiveArtefact(
  tx: Tx,
  needs: ArtefactNeeds,
  told: Told,
): Promise<{ readonly status: ArtefactStatus } | Refusal> {
  const actor: Actor = { kind: 'exchange', id: needs.exchange.id }
  const held = await store.lockArtefact(tx, told.consentId)
  const reception = receive(held, told, needs.facility.id, tx.now)
  const about = { actor, subject: told.consentId }
  if (isRefusal(reception)) {
    // Whom it claims to be about is not proven: the entry names nobody.
    await announce(
      tx,
      await record(tx, { type: 'hip.artefact-refused', ...about, code: reception.code, detail: reception.detail }),
    )
    return reception
  }
  const patient = (held?.detail ?? told.signed?.detail)?.patient.id
  const whose = patient === undefined ? {} : { patient }
  switch (reception.kind) {
    case 'repeat':
      return { status: held?.status ?? told.status }
    case 'late': {
      await announce(tx, await record(tx, { type: 'hip.artefact-late', ...about, ...whose }))
      return { status: held?.status ?? told.status }
    }
    case 'end':
      await endArtefact(tx, needs, actor, told.consentId, reception.status, patient)
      return { status: reception.status }
    case 'keep': {
      const { status } = reception
      const trusted =
        told.signed !== undefined && told.signed.verified === true
          ? told
          : { status: told.status, consentId: told.consentId }
      const recorded = await record(tx, {
        type: status === 'GRANTED' ? 'hip.artefact-received' : 'hip.artefact-ended',
        ...about,
        ...(trusted === told ? whose : {}),
        status,
      })
      await store.insertArtefact(tx, recorded, trusted, status)
      await announce(tx, recorded)
      return { status }
    }
  }
}

async function endArtefact(
  tx: Tx,
  needs: ArtefactNeeds,
  actor: Actor,
  id: Id<'artefact'>,
  status: 'REVOKED' | 'EXPIRED',
  patient: string | undefined,
): Promise<void> {
  const recorded = await record(tx, {
    type: 'hip.artefact-ended',
    actor,
    subject: id,
    status,
    ...(patient === undefined ? {} : { patient }),
  })
  await store.endArtefact(tx, recorded, id, 'GRANTED', status)
  await stopTransfers(tx, needs, id, status === 'REVOKED' ? 'The consent was revoked.' : 'The consent has expired.')
  await announce(tx, recorded)
}

/** Ends consents whose time is over, though nobody said so: a chore. Returns how many. */
export async function expireArtefacts(machine: Machine, needs: ArtefactNeeds): Promise<number> {
  const due = await transact(machine, (tx) => store.dueArtefacts(tx, LIMITS.expiryBatchMax))
  for (const id of due) {
    await transact(machine, async (tx) => {
      const held = await store.lockArtefact(tx, id)
      if (held?.status !== 'GRANTED' || held.detail.permission.dataEraseAt > tx.now) return
      await endArtefact(tx, needs, { kind: 'system', id: 'expiry' }, id, 'EXPIRED', held.detail.patient.id)
    })
  }
  return due.length
}

/** Copies of artefacts, newest first, page by page. */
export async function listArtefacts(
  tx: Tx,
  before: string | undefined,
  limit: number,
  status?: ArtefactStatus,
): Promise<readonly store.ArtefactRow[]> {
  return store.listArtefacts(tx, before, limit, status)
}

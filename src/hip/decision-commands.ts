import type { Tx } from '../db/tx.ts'
import { bucketOfId, type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Decision } from '../policy/gate.ts'
import type { Period } from '../policy/period.ts'
import { loadArtefact } from './store-artefacts.ts'
import { earlierRequests } from './store-transfers.ts'
import { askGate } from './transfer.ts'

/**
 * The gate's answer to a request under this consent as it would be now, without any; of the whole range when none is named. For others
 * than its receivers the consent does not exist.
 */
export async function decideSharing(
  tx: Tx,
  needs: { readonly facility: { readonly id: FacilityId } },
  ask: { readonly consentId: Id<'artefact'>; readonly range?: Period; readonly receivers: readonly FacilityId[] },
): Promise<Decision | Refusal> {
  const held = await loadArtefact(tx, ask.consentId)
  const receiver = held?.detail?.hiu?.id
  if (held?.detail === undefined || receiver === undefined || !ask.receivers.includes(receiver))
    return refuse('hip/unknown-artefact', undefined, 'consentId')
  const asked = makeId<'transaction'>(tx.now, tx.random, bucketOfId(ask.consentId))
  const earlier = await earlierRequests(tx, { consentId: ask.consentId, transactionId: asked })
  const range = ask.range ?? held.detail.permission.dateRange
  return askGate({ range }, held, needs.facility.id, earlier, tx.now)
}

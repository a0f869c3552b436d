import type { Tx } from '../db/tx.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { careContextsOf } from '../linking/link-commands.ts'
import { isHip } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'
import { hasSomebodyWhoDecides } from '../people/commands.ts'
import { applyPolicy } from './approval-policy.ts'
import { type ConsentNeeds, grantConsent } from './commands.ts'
import type { CareContextRef, ConsentAsk } from './consent.ts'
import type { RequestedEvent } from './events.ts'
import { policiesToApply } from './policy-commands.ts'
import { isSame } from './rules.ts'
import { findRequest } from './store.ts'

/**
 * Reaction to `consent.requested`: grants in the patient's name what a standing approval covers. The first policy that covers any
 * provider decides; when none does, the grant is refused, nobody may decide for a child now, or she decides alone by now and has not
 * confirmed what was decided for her, the request waits.
 */
export function autoApprove(needs: ConsentNeeds): (tx: Tx, event: RequestedEvent) => Promise<void> {
  return async (tx, event) => {
    const request = await findRequest(tx, event.subject as Id<'consent-request'>)
    if (request?.status !== 'REQUESTED') return
    const { asked } = request
    const policies = await policiesToApply(tx, asked.patient, asked.hiu)
    if (policies.length === 0 || !(await hasSomebodyWhoDecides(tx, asked.patient))) return
    const linked = await linkedByProvider(tx, asked)
    for (const policy of policies) {
      const items = applyPolicy(policy, asked, linked, tx.now)
      if (items === undefined) continue
      const actor = { kind: 'patient' as const, id: asked.patient }
      const granted = await grantConsent(tx, needs, {
        patient: asked.patient,
        request: request.id,
        items,
        actor,
        policy: policy.id,
      })
      if (!isRefusal(granted)) return
    }
  }
}

/** The patient's linked care contexts that hold something asked for, at every provider that is active now. */
async function linkedByProvider(
  tx: Tx,
  asked: ConsentAsk,
): Promise<ReadonlyMap<FacilityId, readonly CareContextRef[]>> {
  const byProvider = new Map<FacilityId, CareContextRef[]>()
  for (const { hip, hiType, patientReference, careContextReference } of await careContextsOf(tx, asked.patient)) {
    if (!asked.hiTypes.includes(hiType)) continue
    const contexts = byProvider.get(hip) ?? []
    const context = { patientReference, careContextReference }
    if (!contexts.some((own) => isSame(own, context))) contexts.push(context)
    byProvider.set(hip, contexts)
  }
  for (const hip of byProvider.keys()) {
    const facility = await facilityById(tx, hip)
    if (facility === undefined || !isHip(facility)) byProvider.delete(hip)
  }
  return byProvider
}

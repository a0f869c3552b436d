import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { must } from '../kernel/refusal.ts'
import { grantedSubscriptionsOf, switchSubscription } from './subscription-commands.ts'

/** Who is told of the patient's new records now. */
export async function toldOfNews(tx: Tx, patient: AbhaAddress): Promise<ReadonlySet<FacilityId>> {
  const granted = await grantedSubscriptionsOf(tx, patient)
  return new Set(granted.filter(({ isUnconfirmed }) => !isUnconfirmed).map(({ hiu }) => hiu))
}

/** One facility is told nothing more of what is new, by whichever subscription; which ones ended now. */
export async function stopNewsTo(
  tx: Tx,
  input: { readonly patient: AbhaAddress; readonly hiu: FacilityId; readonly actor: Actor },
): Promise<readonly Id<'subscription'>[]> {
  const { patient, hiu, actor } = input
  const ended: Id<'subscription'>[] = []
  for (const { id, hiu: told } of await grantedSubscriptionsOf(tx, patient)) {
    if (told !== hiu) continue
    must(await switchSubscription(tx, { patient, id, to: 'revoked', actor }))
    ended.push(id)
  }
  return ended
}

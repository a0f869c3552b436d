import { revokeConsents } from '../consent/end-commands.ts'
import { switchOffPoliciesFor } from '../consent/policy-commands.ts'
import { endedNamed, liveNamed, receiverOf } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, type Id, parseFacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { stopNewsTo } from '../linking/stop-news-commands.ts'

/** What stopped now, and what had stopped or ended before: of that, the newest. */
export type Stopped = {
  readonly stopped: readonly Id<'artefact'>[]
  readonly already: readonly Id<'artefact'>[]
  /** Standing approvals that were switched off, and subscriptions to what is new. */
  readonly policies: readonly Id<'approval-policy'>[]
  readonly subscriptions: readonly Id<'subscription'>[]
}

type Stop = {
  readonly patient: AbhaAddress
  readonly what: string
  readonly actor: Actor
  /** Also what would let the receiver of one consent or request get records again without asking, or tell it that there are new ones. */
  readonly standing: boolean
}

/**
 * Stops sharing at once (DPDP s.6(4)): one consent, all consents of one request, all to one receiver, or all from one holder to one receiver
 * (`holder>receiver`, as the chain names its edges). A receiver is stopped whole: what it was allowed beforehand is switched off, too, and it
 * is told of nothing new; of a narrower stop only with `standing`. What is over already counts as stopped, so that a second tap, or another
 * device, hears the same; an id of another patient does not exist.
 */
export async function stopSharing(tx: Tx, input: Stop): Promise<Stopped | Refusal> {
  const { patient, what, actor } = input
  const receiver = await receiverOf(tx, patient, what)
  const isWhole = receiver === undefined || receiver === what
  const hiu = receiver ?? parseFacilityId(what)
  // First what would allow more, then what was allowed: what is being granted at this moment is waited for, and stops with the rest.
  const standing = hiu !== undefined && (isWhole || input.standing) ? await stopStanding(tx, patient, hiu, actor) : NONE
  const stopped = await stopLive(tx, input)
  if (isRefusal(stopped)) return stopped
  // Read last: another device may have stopped some meanwhile.
  const ended = await endedNamed(tx, patient, what, LIMITS.sharingConsentsMax + stopped.length)
  const already = ended.filter((id) => !stopped.includes(id))
  const isKnown = receiver !== undefined || standing.policies.length + standing.subscriptions.length > 0
  return isKnown ? { stopped, already, ...standing } : refuse('consent/unknown-artefact')
}

const NONE = { policies: [], subscriptions: [] } as const

async function stopStanding(
  tx: Tx,
  patient: AbhaAddress,
  hiu: FacilityId,
  actor: Actor,
): Promise<Pick<Stopped, 'policies' | 'subscriptions'>> {
  const policies = await switchOffPoliciesFor(tx, { patient, hiu, actor })
  return { policies, subscriptions: await stopNewsTo(tx, { patient, hiu, actor }) }
}

/** Each in force that is named so, however many. In one order, so that two devices wait for one another and never in a circle. */
async function stopLive(tx: Tx, { patient, what, actor }: Stop): Promise<readonly Id<'artefact'>[] | Refusal> {
  const stopped: Id<'artefact'>[] = []
  let after: Id<'artefact'> | undefined
  for (;;) {
    const batch = await liveNamed(tx, patient, what, { after, limit: LIMITS.pageSizeMax })
    for (const id of batch) {
      const revoked = await revokeConsents(tx, { patient, consents: [id], actor })
      if (!isRefusal(revoked)) stopped.push(id)
      else if (revoked.code !== 'consent/not-granted') return revoked
    }
    after = batch.at(-1)
    if (after === undefined) return stopped
  }
}

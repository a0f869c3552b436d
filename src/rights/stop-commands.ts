import type { Artefact } from '../consent/consent.ts'
import { revokeConsents } from '../consent/end-commands.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { allArtefacts } from './facts.ts'

/** What stopped now, and what had stopped or ended before. */
export type Stopped = { readonly stopped: readonly Id<'artefact'>[]; readonly already: readonly Id<'artefact'>[] }

/**
 * Stops sharing at once (DPDP s.6(4)): one consent, all consents of one request, all to one receiver, or all from one holder to one receiver
 * (`holder>receiver`, as the chain names its edges). What is
 * over already counts as stopped, so that a second tap, or another device, hears the same; an id of another patient does not exist.
 */
export async function stopSharing(
  tx: Tx,
  input: { readonly patient: AbhaAddress; readonly what: string; readonly actor: Actor },
): Promise<Stopped | Refusal> {
  const named = (await allArtefacts(tx, input.patient)).filter((artefact) => isNamed(artefact, input.what))
  if (named.length === 0) return refuse('consent/unknown-artefact')
  const stopped: Id<'artefact'>[] = []
  // In one order, so that two devices wait for one another and never in a circle.
  for (const { id } of named.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const revoked = await revokeConsents(tx, { patient: input.patient, consents: [id], actor: input.actor })
    if (!isRefusal(revoked)) stopped.push(id)
    else if (revoked.code !== 'consent/not-granted') return revoked
  }
  return { stopped, already: named.map(({ id }) => id).filter((id) => !stopped.includes(id)) }
}

function isNamed({ id, request, hip, hiu }: Artefact, what: string): boolean {
  return [id, request, hiu, `${hip}>${hiu}` as string].includes(what)
}

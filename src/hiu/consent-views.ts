import type { Tx } from '../db/tx.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import { firstOf, type ListPlace } from '../kernel/list-place.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { type ConsentNeeds, type ConsentView, readConsent } from './commands.ts'
import { type ConsentFilter, listConsents } from './consent-list-store.ts'
import { HOLDS, type HoldReason } from './copy.ts'
import { type Copy, heldCopies } from './copy-store.ts'
import { type Erasure, listErasures } from './document-store.ts'
import type { ErasureReason } from './hiu.ts'
import { requestData } from './requests.ts'
import { lockArtefact } from './store.ts'

/** Consents, latest first, with what came of those that are in force; of others the artefacts are left out. */
export async function listConsentViews(tx: Tx, filter: ConsentFilter): Promise<readonly ConsentView[]> {
  const views: ConsentView[] = []
  for (const consent of await listConsents(tx, filter)) {
    const view = consent.status === 'granted' ? await readConsent(tx, consent.id) : { ...consent, artefacts: [] }
    if (!isRefusal(view)) views.push(view)
  }
  return views
}

/** Asks under each artefact in force, or under the one named; the first refusal counts when nothing could be asked. */
export async function fetchAgain(
  tx: Tx,
  needs: ConsentNeeds,
  id: Id<'hiu-consent'>,
  only?: string,
): Promise<readonly Id<'hiu-request'>[] | Refusal> {
  const consent = await readConsent(tx, id)
  if (isRefusal(consent)) return consent
  const wanted = only === undefined ? consent.artefacts : consent.artefacts.filter((artefact) => artefact.id === only)
  if (only !== undefined && wanted.length === 0) return refuse('hiu/unknown-artefact', undefined, 'artefact')
  const asked: Id<'hiu-request'>[] = []
  let refusal: Refusal = refuse('hiu/not-granted')
  for (const { id: artefactId, status } of wanted) {
    if (status !== 'granted') continue
    const artefact = await lockArtefact(tx, consent.patient, artefactId)
    const result =
      artefact === undefined ? refuse('hiu/not-granted') : await requestData(tx, needs, artefact, 'by hand')
    if (isRefusal(result)) refusal = result
    else asked.push(result)
  }
  return asked.length === 0 ? refusal : asked
}

type Listing = { readonly limit: number }

/** A page of copies of ours that were erased, latest first; `next` is where the following one begins. */
export async function listErasedCopies(
  tx: Tx,
  { before, limit }: Listing & { readonly before?: ListPlace | undefined },
): Promise<{ readonly erasures: readonly Erasure[]; readonly next?: string }> {
  const found = await listErasures(tx, { before, limit: limit + 1 })
  const { items, ...more } = firstOf(found, limit, ({ erasedAt, artefact }) => ({ date: erasedAt, id: artefact }))
  return { erasures: items, ...more }
}

export type KeptCopy = {
  readonly artefact: Id<'artefact'>
  readonly abhaAddress: AbhaAddress
  readonly ended: ErasureReason
  readonly stoppedAt: Date
  readonly until: Date
  readonly for: HoldReason
  readonly law: string
}

/** A page of copies that a law makes us keep, sealed, after their consent has ended: the next to be erased first. */
export async function listKeptCopies(
  tx: Tx,
  { after, limit }: Listing & { readonly after?: ListPlace | undefined },
): Promise<{ readonly kept: readonly KeptCopy[]; readonly next?: string }> {
  const held = (await heldCopies(tx, { after, limit: limit + 1 })).flatMap(keptOf)
  const { items, ...more } = firstOf(held, limit, ({ until, artefact }) => ({ date: until, id: artefact }))
  return { kept: items, ...more }
}

function keptOf({ artefact, patient, reason, stoppedAt, hold }: Copy): readonly KeptCopy[] {
  if (hold === undefined || reason === undefined || stoppedAt === undefined) return []
  const { law } = HOLDS[hold.reason]
  return [{ artefact, abhaAddress: patient, ended: reason, stoppedAt, until: hold.until, for: hold.reason, law }]
}

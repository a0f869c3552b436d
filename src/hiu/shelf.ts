import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { ListPlace } from '../kernel/list-place.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { countDocuments, type DocumentCount, documentsBelow, quarantinedOf } from './document-page-store.ts'
import type { DocumentEntry } from './document-store.ts'
import {
  type ErasedCopy,
  erasedOf,
  type GroundOfCopy,
  groundOf,
  type ReceivedRecord,
  type WithheldDocument,
  whyNotTried,
} from './reading.ts'
import { type Holding, holdingOf, isForAnother, type Viewer, type ViewNeeds, viewEntry } from './view.ts'

/** Documents that we hold and that this reader does not see now, of one consent and for one reason. */
export type WithheldGroup = Pick<WithheldDocument, 'why' | 'says' | 'ground'> & { readonly documents: number }

/** What was received about a patient, as one reader may open it, without any content. */
export type Shelf = {
  readonly patient: AbhaAddress
  readonly holding: Holding
  /** What may be tried at the gate: documents of these consents and types. */
  readonly artefacts: readonly Id<'artefact'>[]
  readonly types: readonly HiType[]
  readonly counts: ReadonlyMap<HiType, number>
  readonly withheld: readonly WithheldGroup[]
}

type Why = WithheldDocument['why']

/** Looks what there is for a reader. What belongs to others is counted with the reason and never tried: the patient is not told of attempts that nobody made. */
export async function shelfOf(tx: Tx, patient: AbhaAddress, viewer: Viewer, types: readonly HiType[]): Promise<Shelf> {
  const holding = await holdingOf(tx, patient)
  const groundFor = (one: Pick<DocumentEntry, 'artefact' | 'hip'>): GroundOfCopy =>
    groundOf(
      holding.artefacts.find(({ id }) => id === one.artefact),
      one,
    )
  const whyNot = (one: Pick<DocumentEntry, 'artefact' | 'hip' | 'hiType' | 'status'>): Why | undefined =>
    isForAnother(holding, one, viewer) ? 'other-person' : whyNotTried(one, groundFor(one), viewer, types)
  const found = await countDocuments(tx, patient)
  const counts = new Map<HiType, number>()
  const artefacts = new Set<Id<'artefact'>>()
  const kept: (DocumentCount & { readonly why: Why })[] = []
  for (const one of found) {
    const why = whyNot(one)
    if (why !== undefined) kept.push({ ...one, why })
    else {
      artefacts.add(one.artefact)
      counts.set(one.hiType, (counts.get(one.hiType) ?? 0) + one.n)
    }
  }
  const named = kept.some(({ why }) => why === 'quarantined')
    ? (await quarantinedOf(tx, patient, LIMITS.quarantinedNamedMax)).filter((one) => whyNot(one) === 'quarantined')
    : []
  return { patient, holding, artefacts: [...artefacts], types, counts, withheld: groupWithheld(kept, named, groundFor) }
}

/** One group for each consent and reason; of what is quarantined, the newest with what was wrong, the rest by number. */
function groupWithheld(
  kept: readonly (DocumentCount & { readonly why: Why })[],
  named: readonly DocumentEntry[],
  groundFor: (one: Pick<DocumentEntry, 'artefact' | 'hip'>) => GroundOfCopy,
): readonly WithheldGroup[] {
  const groups = new Map<string, WithheldGroup>()
  const add = (one: Pick<DocumentEntry, 'artefact' | 'hip'>, why: Why, says: string | undefined, n: number): void => {
    const key = JSON.stringify([one.artefact, why, says])
    const documents = (groups.get(key)?.documents ?? 0) + n
    groups.set(key, { why, ground: groundFor(one), documents, ...(says === undefined ? {} : { says }) })
  }
  for (const one of kept) add(one, one.why, undefined, one.n)
  for (const one of named) {
    add(one, 'quarantined', undefined, -1)
    add(one, 'quarantined', one.reason, 1)
  }
  return [...groups.values()].filter(({ documents }) => documents > 0)
}

/** The newest documents of a shelf from below a place in that list, as yet closed, of some types. */
export async function documentsOnShelf(
  tx: Tx,
  { patient, artefacts, types }: Shelf,
  wanted: { readonly types: readonly HiType[]; readonly below: ListPlace | undefined; readonly limit: number },
): Promise<readonly (DocumentEntry & { readonly bytes: number })[]> {
  const both = types.filter((type) => wanted.types.includes(type))
  return documentsBelow(tx, patient, { ...wanted, artefacts, types: both })
}

/** Opens documents of a shelf, each after the gate and with its own access record; what the gate keeps closed is named with the reason. */
export async function openFromShelf(
  tx: Tx,
  needs: ViewNeeds,
  { holding }: Shelf,
  viewer: Viewer,
  entries: readonly DocumentEntry[],
): Promise<{ readonly shown: readonly ReceivedRecord[]; readonly withheld: readonly WithheldGroup[] }> {
  const shown: ReceivedRecord[] = []
  const withheld: WithheldGroup[] = []
  for (const entry of entries) {
    const ground = groundOf(
      holding.artefacts.find(({ id }) => id === entry.artefact),
      entry,
    )
    const result = await viewEntry(tx, needs, entry, viewer, holding)
    if (isRefusal(result)) withheld.push({ why: 'gate', says: result.detail, ground, documents: 1 })
    else shown.push({ ...result, ground })
  }
  return { shown, withheld }
}

/** How many received documents of each type are held, without content. */
export async function countHeld(tx: Tx, patient: AbhaAddress): Promise<ReadonlyMap<HiType, number>> {
  const counts = new Map<HiType, number>()
  for (const { hiType, status, n } of await countDocuments(tx, patient))
    if (status === 'held') counts.set(hiType, (counts.get(hiType) ?? 0) + n)
  return counts
}

/** What was erased of the consents of a shelf. */
export function erasedFromShelf(tx: Tx, { patient, holding }: Shelf): Promise<readonly ErasedCopy[]> {
  return erasedOf(tx, patient, holding.artefacts)
}

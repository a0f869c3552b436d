import type { Tx } from '../db/tx.ts'
import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { isRefusal } from '../kernel/refusal.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import { erasuresOf } from './document-page-store.ts'
import { type DocumentEntry, documentsOf, type Erasure, sizeOfDocuments } from './document-store.ts'
import type { ArtefactStatus } from './hiu.ts'
import type { Artefact } from './store.ts'
import { holdingOf, isForAnother, type ShownRecord, staysHere, type Viewer, type ViewNeeds, viewEntry } from './view.ts'

/** Under what a document was received, and until when it may be kept. */
export type GroundOfCopy = {
  readonly artefact: Id<'artefact'>
  readonly consent: Id<'hiu-consent'>
  readonly status: ArtefactStatus
  readonly purpose?: PurposeCode
  readonly keepUntil?: Date
  readonly hip: { readonly id: FacilityId; readonly name?: string }
}
export type ReceivedRecord = ShownRecord & { readonly ground: GroundOfCopy }

/** A document that we hold and that this reader does not see now. */
export type WithheldDocument = Pick<DocumentEntry, 'id' | 'hiType' | 'date' | 'receivedAt'> & {
  /**
   * `quarantined`: it did not pass the checks. `other-role`: not the work of this role. `other-purpose`: its consent is for another
   * purpose. `other-person`: somebody else opened it in an emergency, for herself. `kept-by-law`: its consent has ended, and a law keeps
   * it, unread. `only-here`: its consent lets it be read, not taken out. `gate`: the gate said no.
   */
  readonly why: 'quarantined' | 'other-role' | 'other-purpose' | 'other-person' | 'kept-by-law' | 'only-here' | 'gate'
  readonly says?: string
  readonly ground: GroundOfCopy
}

export type ErasedCopy = Pick<Erasure, 'reason' | 'documents' | 'erasedAt'> & { readonly ground: GroundOfCopy }

export type ReceivedReading = {
  readonly shown: readonly ReceivedRecord[]
  readonly withheld: readonly WithheldDocument[]
  readonly erased: readonly ErasedCopy[]
}

/**
 * Shows what was received about a patient to a person, each document after the gate and with its own access record; and names what is
 * held and not shown, and what was erased, with the reason. What belongs to other roles or purposes is not tried at the gate: the
 * patient is not told of attempts that nobody made.
 */
export async function readReceived(
  tx: Tx,
  needs: ViewNeeds,
  input: { readonly patient: AbhaAddress; readonly viewer: Viewer; readonly types: readonly HiType[] },
): Promise<ReceivedReading> {
  const { patient, viewer, types } = input
  const holding = await holdingOf(tx, patient)
  const { artefacts } = holding
  const shown: ReceivedRecord[] = []
  const withheld: WithheldDocument[] = []
  for (const entry of await documentsOf(tx, patient)) {
    const artefact = artefacts.find(({ id }) => id === entry.artefact)
    const ground = groundOf(artefact, entry)
    const why = isForAnother(holding, entry, viewer)
      ? 'other-person'
      : (whyNotTried(entry, ground, viewer, types) ?? (staysHere(viewer, artefact) ? 'only-here' : undefined))
    const result = why === undefined ? await viewEntry(tx, needs, entry, viewer, holding) : undefined
    if (result !== undefined && !isRefusal(result)) shown.push({ ...result, ground })
    else withheld.push(withheldOf(entry, ground, why ?? 'gate', isRefusal(result) ? result.detail : entry.reason))
  }
  return { shown, withheld, erased: await erasedOf(tx, patient, artefacts) }
}

/** How large in bytes is what was received about a patient and may leave in the hands of this person. */
export async function sizeOfReceived(tx: Tx, patient: AbhaAddress, viewer: Pick<Viewer, 'takesOut'>): Promise<number> {
  const { artefacts } = await holdingOf(tx, patient)
  const going = artefacts.filter((artefact) => !staysHere(viewer, artefact))
  return sizeOfDocuments(
    tx,
    patient,
    going.map(({ id }) => id),
  )
}

export function whyNotTried(
  entry: Pick<DocumentEntry, 'hiType' | 'status'>,
  ground: GroundOfCopy,
  viewer: Viewer,
  types: readonly HiType[],
): 'quarantined' | 'other-role' | 'other-purpose' | 'kept-by-law' | undefined {
  if (ground.status === 'revoked' || ground.status === 'expired') return 'kept-by-law'
  if (!types.includes(entry.hiType)) return 'other-role'
  if (ground.purpose !== undefined && ground.purpose !== viewer.purpose) return 'other-purpose'
  return entry.status === 'quarantined' ? 'quarantined' : undefined
}

function withheldOf(
  { id, hiType, date, receivedAt }: DocumentEntry,
  ground: GroundOfCopy,
  why: WithheldDocument['why'],
  says: string | undefined,
): WithheldDocument {
  return { id, hiType, date, receivedAt, why, ground, ...(says === undefined ? {} : { says }) }
}

export function groundOf(artefact: Artefact | undefined, entry: Pick<DocumentEntry, 'artefact' | 'hip'>): GroundOfCopy {
  if (artefact === undefined) throw new Error(`document of an unknown artefact ${entry.artefact}`)
  return { ...copyGround(artefact), hip: artefact.granted?.hip ?? { id: entry.hip } }
}

function copyGround({ id, consent, status, granted, eraseAt }: Artefact): Omit<GroundOfCopy, 'hip'> {
  return {
    artefact: id,
    consent,
    status,
    ...(granted === undefined ? {} : { purpose: granted.terms.purpose }),
    ...(eraseAt === undefined ? {} : { keepUntil: eraseAt }),
  }
}

/** What was erased of a patient's consents that have ended, where there was something. */
export async function erasedOf(
  tx: Tx,
  patient: AbhaAddress,
  artefacts: readonly Artefact[],
): Promise<readonly ErasedCopy[]> {
  const ended = artefacts.filter(({ status }) => status === 'revoked' || status === 'expired')
  const erasures = await erasuresOf(
    tx,
    patient,
    ended.map(({ id }) => id),
  )
  const found = new Map(erasures.map((one) => [one.artefact, one]))
  return ended.flatMap((artefact): readonly ErasedCopy[] => {
    const erasure = found.get(artefact.id)
    const hip = artefact.granted?.hip
    if (erasure === undefined || erasure.documents === 0 || hip === undefined) return []
    const { reason, documents, erasedAt } = erasure
    return [{ reason, documents, erasedAt, ground: { ...copyGround(artefact), hip } }]
  })
}

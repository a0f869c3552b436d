import { isAccess } from '../audit/access.ts'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Finding } from '../fhir/findings.ts'
import { type ShownDocument, showDocument } from '../fhir/show.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { countFitting, firstOf, type ListPlace } from '../kernel/list-place.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { admits, decide } from '../policy/decide.ts'
import type { ConsentFact, Decision, Question } from '../policy/gate.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import type { Standing } from '../records/rules.ts'
import { markRead } from './consent-list-store.ts'
import { newestDocuments } from './document-page-store.ts'
import { type DocumentEntry, findDocument, openDocument } from './document-store.ts'
import type { ViewEvent } from './hiu.ts'
import { type Artefact, artefactsOfPatient, findConsent } from './store.ts'

export type ViewNeeds = { readonly facility: { readonly id: FacilityId } }
export type Viewer = {
  readonly name: string
  readonly role: string
  readonly purpose: PurposeCode
  /** Of a person who signed in at the desk. */
  readonly staff?: Id<'staff'>
  /** She takes the document out as a file. */
  readonly takesOut?: true
  /** What her ground rests on, where she attends the patient by name. */
  readonly standing?: Standing
}

/** A document shown to a person, after the gate and with its access record. */
export type ShownRecord = DocumentEntry & {
  readonly document: unknown
  readonly display?: ShownDocument
  readonly findings: readonly Finding[]
}

/** The consents of a patient that we hold, and who of the staff alone may read what came in an emergency. */
export type Holding = {
  readonly artefacts: readonly Artefact[]
  readonly openers: ReadonlyMap<Id<'artefact'>, Id<'staff'>>
}

/** Reads the consents of a patient that a view is decided by. */
export async function holdingOf(tx: Tx, patient: AbhaAddress): Promise<Holding> {
  const artefacts = await artefactsOfPatient(tx, patient)
  const openers = new Map<Id<'artefact'>, Id<'staff'>>()
  for (const { id, consent, granted } of artefacts) {
    if (granted?.terms.purpose !== 'BTG') continue
    const asked = await findConsent(tx, consent, bucketOf(patient))
    if (asked?.askedBy?.template === 'emergency') openers.set(id, asked.askedBy.staff)
  }
  return { artefacts, openers }
}

/** Records that one person opened in an emergency are open to nobody else of the facility (DPDP s.7(f): no more than the emergency needs). */
export function isForAnother({ openers }: Holding, entry: Pick<DocumentEntry, 'artefact'>, viewer: Viewer): boolean {
  const opener = openers.get(entry.artefact)
  return opener !== undefined && opener !== viewer.staff
}

/** A page of a list by date; `next` is the place to go on below, when there is more. */
export type RecordsPage<Entry> = { readonly records: readonly Entry[]; readonly next?: string }
type PlaceIn = { readonly patient: AbhaAddress; readonly before?: ListPlace | undefined }

/** What is held of a patient, newest first and a page at a time, without any content. Quarantined documents are named with their reason. */
export async function listRecords(
  tx: Tx,
  { patient, before, limit }: PlaceIn & { readonly limit: number },
): Promise<RecordsPage<DocumentEntry>> {
  const found = await newestDocuments(tx, patient, {
    below: before,
    // One more than asked for says whether there is more.
    limit: limit + 1,
    statuses: ['held', 'quarantined'],
  })
  const { items, ...more } = firstOf(found, limit, (one) => one)
  return { records: items.map(({ bytes: _bytes, ...entry }) => entry), ...more }
}

/** Shows one document to a named person: gate, access record, content, in one transaction. What is quarantined is never shown. */
export async function viewRecord(
  tx: Tx,
  needs: ViewNeeds,
  id: Id<'hiu-document'>,
  viewer: Viewer,
): Promise<ShownRecord | Refusal> {
  const entry = await findDocument(tx, id)
  if (entry === undefined) return refuse('hiu/unknown-document')
  return viewEntry(tx, needs, entry, viewer, await holdingOf(tx, entry.patient))
}

/** Shows everything of a patient that the gate lets this person see for this purpose, newest first, as much as one answer takes. */
export async function viewRecords(
  tx: Tx,
  needs: ViewNeeds,
  { patient, before, actor }: PlaceIn & { readonly actor: Viewer },
): Promise<RecordsPage<ShownRecord>> {
  const holding = await holdingOf(tx, patient)
  const limit = LIMITS.readingDocumentsMax + 1
  const found = await newestDocuments(tx, patient, { below: before, limit, statuses: ['held'] })
  const taken = countFitting(found, { documents: LIMITS.readingDocumentsMax, bytes: LIMITS.readingBytesMax })
  const { items, ...more } = firstOf(found, taken, (one) => one)
  const shown: ShownRecord[] = []
  for (const { bytes: _bytes, ...entry } of items) {
    const result = await viewEntry(tx, needs, entry, actor, holding)
    if (!isRefusal(result)) shown.push(result)
  }
  return { records: shown, ...more }
}

/** Shows one document of which the caller has loaded the entry and the patient's consents. */
export async function viewEntry(
  tx: Tx,
  needs: ViewNeeds,
  entry: DocumentEntry,
  viewer: Viewer,
  holding: Holding,
): Promise<ShownRecord | Refusal> {
  const { artefacts } = holding
  const isQuarantined = entry.status === 'quarantined'
  const decision = gate(tx, needs, entry, viewer, artefacts)
  const careContext = { careContextReference: entry.careContextReference }
  const isClosed = isForAnother(holding, entry, viewer)
  const artefact = artefacts.find(({ id }) => id === entry.artefact)
  const mayGo = !staysHere(viewer, artefact)
  const admitted =
    !isQuarantined && !isClosed && mayGo && admits(decision, { type: entry.hiType, date: entry.date, careContext })
  const recorded = await record<ViewEvent>(tx, {
    type: !admitted ? 'hiu.view-denied' : viewer.takesOut === true ? 'hiu.record-exported' : 'hiu.record-viewed',
    actor: actorOf(needs, viewer),
    patient: entry.patient,
    subject: entry.artefact,
    document: entry.id,
    person: { name: viewer.name, role: viewer.role },
    purpose: viewer.purpose,
    hiType: entry.hiType,
    careContextReference: entry.careContextReference,
    ...(viewer.standing === undefined ? {} : { standing: viewer.standing }),
    at: tx.now.toISOString(),
    policyVersion: decision.policyVersion,
    rules: [...new Set(decision.explain.map(({ rule }) => rule))],
  })
  await announce(tx, recorded)
  if (isQuarantined)
    return refuse('hiu/view-denied', `This document is quarantined: ${entry.reason ?? 'it did not pass the checks'}`)
  if (isClosed)
    return refuse('hiu/view-denied', 'Only the person who opened these records in an emergency may read them.')
  if (!mayGo) return refuse('hiu/view-denied', 'The consent lets this document be read here, not taken out as a file.')
  if (!admitted || !isAccess(recorded))
    return refuse('hiu/view-denied', decision.explain.map(({ says }) => says).join(' '))
  const opened = await openDocument(tx, recorded, entry)
  if (opened === undefined) return refuse('hiu/unknown-document')
  if (artefact !== undefined) await markRead(tx, recorded, artefact)
  const document = JSON.parse(new TextDecoder().decode(opened.bytes)) as unknown
  const display = showDocument(document)
  return { ...entry, document, findings: opened.findings, ...(display === undefined ? {} : { display }) }
}

/** Only a consent to store lets a document leave as a file: nobody erases that when the consent ends (ABDM V3 `permission.accessMode`). */
export function staysHere(viewer: Pick<Viewer, 'takesOut'>, artefact: Artefact | undefined): boolean {
  return viewer.takesOut === true && artefact?.granted?.terms.accessMode !== 'STORE'
}

const actorOf = (needs: ViewNeeds, { name, role, staff }: Viewer): Question['actor'] => ({
  kind: 'facility',
  id: needs.facility.id,
  person: { name, role, ...(staff === undefined ? {} : { staff }) },
})

function gate(
  tx: Tx,
  needs: ViewNeeds,
  entry: DocumentEntry,
  viewer: Viewer,
  artefacts: readonly Artefact[],
): Decision {
  const consents = artefacts.flatMap((artefact) => factOf(needs, artefact) ?? [])
  const question: Question = {
    patient: entry.patient,
    recipient: needs.facility.id,
    holder: entry.hip,
    purpose: viewer.purpose,
    types: [entry.hiType],
    period: { from: entry.date, to: entry.date },
    actor: actorOf(needs, viewer),
    channel: 'native',
    mode: 'view',
    now: tx.now,
  }
  // The document lies under one artefact; another consent that would also cover it must not keep it alive.
  return decide(question, {
    recipient: 'active',
    holder: 'active',
    consents: consents.filter(({ id }) => id === entry.artefact),
    refusals: [],
  })
}

function factOf(needs: ViewNeeds, artefact: Artefact): ConsentFact | undefined {
  const { status, granted, eraseAt } = artefact
  if (status !== 'granted' && status !== 'revoked' && status !== 'expired') return undefined
  if (granted === undefined || eraseAt === undefined) return { id: artefact.id, readable: false }
  const { terms, hip } = granted
  return {
    id: artefact.id,
    readable: true,
    status: status === 'granted' ? 'GRANTED' : status === 'revoked' ? 'REVOKED' : 'EXPIRED',
    patient: artefact.patient,
    recipient: needs.facility.id,
    holder: hip.id,
    purpose: terms.purpose,
    types: terms.hiTypes,
    period: terms.range,
    eraseAt,
    frequency: terms.frequency,
    usedAt: [],
    acknowledged: true,
    ...(terms.careContexts.length === 0 ? {} : { careContexts: terms.careContexts }),
  }
}

import type { Artefact, Notice } from '../consent/consent.ts'
import type { CareContext } from '../linking/care-context.ts'
import type { DataRequest } from '../transfer/transfer.ts'
import type {
  ConsentView,
  EdgeState,
  FacilityView,
  NoticeView,
  Proof,
  ReceiverView,
  RequestView,
  SharingStatus,
  TransferView,
} from './views.ts'

/** Everything that the exchange knows of one patient's sharing. */
export type SharingFacts = {
  readonly now: Date
  /** Newest first. */
  readonly artefacts: readonly Artefact[]
  readonly transfers: readonly DataRequest[]
  readonly notices: readonly Notice[]
  readonly contexts: readonly CareContext[]
  readonly facilities: ReadonlyMap<string, FacilityView>
  /** By subject of the event: request, artefact, transaction. Newest first. */
  readonly proofs: ReadonlyMap<string, readonly Proof[]>
}

const RANK: Readonly<Record<SharingStatus, number>> = { live: 0, stopped: 1, ended: 2 }

/** The patient's sharing by receiver, live first, then by what ended last. */
export function sharingOf(facts: SharingFacts): readonly ReceiverView[] {
  const consents = facts.artefacts.map((artefact) => consentOf(facts, artefact))
  return [...grouped(consents, ({ receiver }) => receiver.id).values()]
    .map((own) => receiverOf(facts.now, own))
    .toSorted((a, b) => RANK[a.status] - RANK[b.status] || b.until.localeCompare(a.until))
}

/** One consent with its transfers, notices and proofs. */
export function consentOf(facts: SharingFacts, artefact: Artefact): ConsentView {
  const { detail } = artefact
  const transfers = facts.transfers
    .filter(({ consent }) => consent === artefact.id)
    .map((transfer) => transferOf(facts, transfer))
  const proofs = facts.proofs.get(artefact.id) ?? []
  const status = statusOf(artefact, facts.now)
  const records = Math.max(0, ...transfers.map((transfer) => transfer.records))
  const granted = facts.proofs.get(artefact.request)?.find(({ type }) => type === 'consent.granted')
  const emergency = facts.proofs.get(artefact.request)?.find(({ type }) => type === 'consent.emergency-opened')
  const ended = proofs.find(({ type }) => type === 'consent.revoked' || type === 'consent.expired')
  const erased = proofs.find(({ type }) => type === 'consent.data-erased')
  return {
    artefact: artefact.id,
    request: artefact.request,
    holder: facilityOf(facts, artefact.hip, detail.hip.name),
    receiver: facilityOf(facts, artefact.hiu, detail.hiu.name),
    purpose: detail.purpose.code,
    requester: detail.requester.name,
    hiTypes: detail.hiTypes,
    contexts: detail.careContexts.length,
    from: detail.permission.dateRange.from,
    to: detail.permission.dateRange.to,
    grantedAt: artefact.createdAt.toISOString(),
    until: artefact.dataEraseAt.toISOString(),
    status,
    state: stateOf(status, records, artefact.erasedAt !== undefined),
    ...(status === 'live' ? {} : { endedAt: endOf(artefact).toISOString() }),
    ...(artefact.kept === undefined || artefact.erasedAt !== undefined
      ? {}
      : { keptUntil: artefact.kept.until.toISOString(), keptFor: artefact.kept.reason }),
    ...(artefact.erasedAt === undefined ? {} : { erasedAt: artefact.erasedAt.toISOString() }),
    transfers,
    records,
    notices: facts.notices
      .filter((notice) => notice.artefact === artefact.id)
      .map((notice) => noticeOf(facts, notice, proofs)),
    ...(granted === undefined ? {} : { granted }),
    ...(emergency === undefined ? {} : { emergency }),
    ...(ended === undefined ? {} : { ended }),
    ...(erased === undefined ? {} : { erased }),
  }
}

function stateOf(status: SharingStatus, records: number, isErased: boolean): EdgeState {
  if (status === 'live') return records > 0 ? 'shared' : 'planned'
  if (isErased) return 'erased'
  return records > 0 ? 'stopping' : 'unused'
}

function statusOf({ status, dataEraseAt }: Artefact, now: Date): SharingStatus {
  if (status === 'REVOKED') return 'stopped'
  return status === 'EXPIRED' || dataEraseAt <= now ? 'ended' : 'live'
}

/** The clock ends a consent at its `dataEraseAt`, even if the sweep that writes it down comes later. */
function endOf({ status, dataEraseAt, changedAt }: Artefact): Date {
  return status === 'REVOKED' ? changedAt : dataEraseAt
}

const CAME_THROUGH: readonly string[] = ['OK', 'DELIVERED', 'RECEIVED']
const PROOF_OF_TRANSFER = [
  'transfer.recipient-reported',
  'transfer.provider-reported',
  'transfer.declined',
  'transfer.undelivered',
  'transfer.acknowledged',
  'transfer.requested',
] as const

function transferOf({ proofs }: SharingFacts, transfer: DataRequest): TransferView {
  const { hiuStatus, hipStatus } = transfer
  const outcomes = transfer.hiuOutcomes.length > 0 ? transfer.hiuOutcomes : transfer.hipOutcomes
  const outcome = outcomeOf(hiuStatus, hipStatus)
  const own = proofs.get(transfer.id) ?? []
  const proof = PROOF_OF_TRANSFER.map((type) => own.find((one) => one.type === type)).find((one) => one !== undefined)
  const doneAt = outcome === 'under-way' ? undefined : (transfer.hiuAt ?? transfer.hipAt)
  return {
    id: transfer.id,
    askedAt: transfer.askedAt.toISOString(),
    ...(doneAt === undefined ? {} : { doneAt: doneAt.toISOString() }),
    outcome,
    records: outcomes.filter(({ hiStatus }) => CAME_THROUGH.includes(hiStatus)).length,
    ...(proof === undefined ? {} : { proof }),
  }
}

/** The receiver knows best what it received; where it says nothing, the holder's word counts. */
function outcomeOf(hiu: DataRequest['hiuStatus'], hip: DataRequest['hipStatus']): TransferView['outcome'] {
  if (hiu === 'RECEIVED' || (hiu === undefined && hip === 'TRANSFERRED')) return 'received'
  if (hiu === 'PARTIAL_RECEIVED' || (hiu === undefined && hip === 'PARTIAL_TRANSFERRED')) return 'received-in-part'
  if (hip === 'REFUSED') return 'refused'
  return hiu === 'FAILED' || hip === 'FAILED' ? 'failed' : 'under-way'
}

function noticeOf(facts: SharingFacts, notice: Notice, proofs: readonly Proof[]): NoticeView {
  const proof = proofs.find(
    ({ type, facility, at }) =>
      type === 'consent.artefact-acknowledged' &&
      facility === notice.facility &&
      at === notice.acknowledgedAt?.toISOString(),
  )
  return {
    facility: facilityOf(facts, notice.facility, notice.facility),
    party: notice.party,
    status: notice.status,
    toldAt: notice.createdAt.toISOString(),
    ...(notice.acknowledgedAt === undefined ? {} : { confirmedAt: notice.acknowledgedAt.toISOString() }),
    ...(notice.failure === undefined ? {} : { failure: notice.failure }),
    ...(proof === undefined ? {} : { proof }),
  }
}

/** A facility of the register, or what the artefact called it when it is there no more. */
function facilityOf({ facilities }: SharingFacts, id: string, name: string): FacilityView {
  return facilities.get(id) ?? { id, name, kinds: [] }
}

function receiverOf(now: Date, consents: readonly ConsentView[]): ReceiverView {
  const requests = [...grouped(consents, ({ request }) => request).values()]
    .map((own) => requestOf(now, own))
    .toSorted((a, b) => RANK[a.status] - RANK[b.status] || b.grantedAt.localeCompare(a.grantedAt))
  const [first] = requests
  if (first === undefined) throw new Error('a receiver without consents')
  // The bar shows the consent that lasts longest.
  const longest = requests
    .filter(({ status }) => status === first.status)
    .reduce((best, one) => (one.until > best.until ? one : best))
  return {
    facility: first.receiver,
    status: first.status,
    until: longest.until,
    shareLeft: longest.shareLeft,
    records: sum(requests.map(({ records }) => records)),
    live: consents.filter(({ status }) => status === 'live').map(({ artefact }) => artefact),
    requests,
  }
}

function requestOf(now: Date, consents: readonly ConsentView[]): RequestView {
  const sorted = consents.toSorted((a, b) => RANK[a.status] - RANK[b.status] || b.until.localeCompare(a.until))
  const [first] = sorted
  if (first === undefined) throw new Error('a request without consents')
  const { request: id, receiver, purpose, requester, status, grantedAt, until } = first
  return {
    id,
    receiver,
    purpose,
    requester,
    hiTypes: [...new Set(sorted.flatMap(({ hiTypes }) => hiTypes))],
    status,
    isEmergency: first.emergency !== undefined,
    grantedAt,
    until,
    shareLeft: status === 'live' ? shareLeft(grantedAt, until, now) : 0,
    records: sum(sorted.map(({ records }) => records)),
    consents: sorted,
  }
}

/** How much of the time between grant and end is left, 0 to 1. */
function shareLeft(grantedAt: string, until: string, now: Date): number {
  const [from, to] = [Date.parse(grantedAt), Date.parse(until)]
  return to <= from ? 0 : Math.min(1, Math.max(0, (to - now.getTime()) / (to - from)))
}

function grouped<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

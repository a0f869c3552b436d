import type { HiType } from '../fhir/hi-type.ts'
import type { FacilityId } from '../kernel/id.ts'
import { isNoMoreOften } from '../policy/frequency.ts'
import type { ArtefactStatus, ConsentStatus, Terms } from './hiu.ts'
import type { TransferStatus } from './transfer.ts'

/** One provider of a granted consent, and how far its data has come. */
export type PlaceState =
  /** The signed consent is being fetched and checked. */
  | 'checking'
  /** Asked; nothing has come. */
  | 'waiting'
  | 'coming'
  | 'here'
  /** Some came, and no more will come by itself. */
  | 'part'
  | 'nothing'
  /** The consent ended and the copy was erased. */
  | 'ended'
export type Place = {
  readonly hip?: { readonly id: FacilityId; readonly name?: string }
  readonly state: PlaceState
  readonly documents: number
  readonly reason?: string
  readonly againAt?: Date
}

type ArtefactLike = {
  readonly status: ArtefactStatus
  readonly granted?: { readonly hip: Place['hip']; readonly terms: Terms }
  readonly reason?: string
  readonly transfers: readonly TransferStatus[]
}

/** What became of one artefact's data, by its newest transfer. */
export function placeOf({ status, granted, reason, transfers }: ArtefactLike): Place {
  const documents = Math.max(0, ...transfers.map((transfer) => countDocuments(transfer)))
  const hip = granted?.hip === undefined ? {} : { hip: granted.hip }
  const newest = transfers.at(-1)
  const why = newest?.reason ?? reason
  return {
    ...hip,
    state: stateOf(status, newest, documents),
    documents: status === 'granted' ? documents : 0,
    ...(why === undefined ? {} : { reason: why }),
    ...(newest?.againAt === undefined ? {} : { againAt: newest.againAt }),
  }
}

const countDocuments = (transfer: TransferStatus): number =>
  transfer.careContexts.reduce((sum, context) => sum + context.documents, 0)

function stateOf(status: ArtefactStatus, transfer: TransferStatus | undefined, documents: number): PlaceState {
  if (status === 'revoked' || status === 'expired') return 'ended'
  if (status === 'told' || status === 'checking') return 'checking'
  if (status === 'failed' || status === 'refused') return 'nothing'
  switch (transfer?.status) {
    case undefined:
    case 'asked':
    case 'acknowledged':
    case 'postponed':
    case 'replaced':
      return documents > 0 ? 'here' : 'waiting'
    case 'receiving':
      return 'coming'
    case 'complete':
      return documents > 0 ? 'here' : 'nothing'
    case 'incomplete':
    case 'failed':
      return documents > 0 ? 'part' : 'nothing'
    case 'erased':
      return 'ended'
  }
}

/** How the terms that the patient gave differ from those that were asked for: each a sentence of its own on the screen. */
export type Difference =
  | { readonly kind: 'types'; readonly without: readonly HiType[] }
  | { readonly kind: 'from' | 'to' | 'keep'; readonly asked: Date; readonly given: Date }
  | { readonly kind: 'frequency' }

/** Some exchanges cut off milliseconds, and dates are shown as days. */
const MINUTE_MS = 60_000

/** Differences over all artefacts of one consent together; empty when everything was allowed as asked. */
export function differencesOf(asked: Terms, given: readonly Terms[]): readonly Difference[] {
  if (given.length === 0) return []
  const found: Difference[] = []
  const types = new Set(given.flatMap(({ hiTypes }) => hiTypes))
  const without = asked.hiTypes.filter((type) => !types.has(type))
  if (without.length > 0) found.push({ kind: 'types', without })
  const from = new Date(Math.min(...given.map(({ range }) => range.from.getTime())))
  if (from.getTime() - asked.range.from.getTime() > MINUTE_MS)
    found.push({ kind: 'from', asked: asked.range.from, given: from })
  const to = new Date(Math.max(...given.map(({ range }) => range.to.getTime())))
  if (asked.range.to.getTime() - to.getTime() > MINUTE_MS) found.push({ kind: 'to', asked: asked.range.to, given: to })
  const keep = new Date(Math.max(...given.map(({ dataEraseAt }) => dataEraseAt.getTime())))
  if (asked.dataEraseAt.getTime() - keep.getTime() > MINUTE_MS)
    found.push({ kind: 'keep', asked: asked.dataEraseAt, given: keep })
  if (given.every(({ frequency }) => !isNoMoreOften(asked.frequency, frequency))) found.push({ kind: 'frequency' })
  return found
}

export type StepName = 'asked' | 'decided' | 'data' | 'read'
/** `now`: this is what is waited for. `stopped`: it ended here. */
export type Step = { readonly name: StepName; readonly state: 'done' | 'now' | 'later' | 'stopped'; readonly at?: Date }

/**
 * The progress line: asked · decided · data from some places · read. Whether the patient has opened the request is not on it: no message
 * of ABDM tells a requester so.
 */
export function stepsOf(consent: {
  readonly status: ConsentStatus
  readonly askedAt: Date
  readonly changedAt: Date
  readonly readAt?: Date
  readonly places: readonly Place[]
}): readonly Step[] {
  const { status, places, readAt } = consent
  const asked: Step = { name: 'asked', state: status === 'failed' ? 'stopped' : 'done', at: consent.askedAt }
  if (status === 'failed') return [asked]
  if (status === 'asked' || status === 'requested')
    return [
      asked,
      { name: 'decided', state: 'now' },
      { name: 'data', state: 'later' },
      { name: 'read', state: 'later' },
    ]
  if (status !== 'granted') return [asked, { name: 'decided', state: 'stopped', at: consent.changedAt }]
  const settled = places.length > 0 && places.every(({ state }) => ['here', 'part', 'nothing', 'ended'].includes(state))
  const some = places.some(({ documents }) => documents > 0)
  return [
    asked,
    { name: 'decided', state: 'done', at: consent.changedAt },
    { name: 'data', state: settled ? (some ? 'done' : 'stopped') : 'now' },
    {
      name: 'read',
      state: readAt !== undefined ? 'done' : settled && some ? 'now' : 'later',
      ...(readAt === undefined ? {} : { at: readAt }),
    },
  ]
}

import type { HiType } from '../fhir/hi-type.ts'
import { type ConsentView, consentOf, type FacilityView, type SharingFacts } from './sharing.ts'

/** The patient, or a facility that holds records, received some, or both. */
export type ChainNode = {
  /** `me` or the facility's id. */
  readonly id: string
  readonly name: string
  readonly kinds: readonly string[]
  readonly role: 'me' | 'holder' | 'receiver' | 'both'
  /** Linked visits and reports of its own, by type. */
  readonly holds: readonly { readonly hiType: HiType; readonly count: number }[]
  /** Visits and reports that it received from others and has not attested to be erased. */
  readonly received: number
}

/**
 * How a pair stands. `link`: the holder's records are linked. `planned`: allowed, nothing went yet. `shared`: allowed, and records went.
 * `stopping`: stopped or ended, the receiver has not confirmed that its copy is gone. `erased`: it has. `unused`: over, and nothing ever went.
 */
export type EdgeState = 'link' | 'planned' | 'shared' | 'stopping' | 'erased' | 'unused'

/** From whom to whom, with every consent under which records went or may go. */
export type ChainEdge = {
  readonly id: string
  readonly from: string
  readonly to: string
  readonly state: EdgeState
  /** Live first, newest first; none for a link. */
  readonly consents: readonly ConsentView[]
  /** When the first record of the holder was linked. */
  readonly since?: string
}

export type Chain = { readonly nodes: readonly ChainNode[]; readonly edges: readonly ChainEdge[] }

/** The stronger state decides how an arrow of several consents looks. */
const STRENGTH: readonly EdgeState[] = ['shared', 'planned', 'stopping', 'erased', 'unused', 'link']

/** Who holds what, and who got what from whom: the picture of DPDP s.11(1)(b), "the identities of all with whom it has been shared". */
export function chainOf(facts: SharingFacts): Chain {
  const consents = facts.artefacts.map((artefact) => consentOf(facts, artefact))
  const edges = [...linkEdges(facts), ...disclosureEdges(consents)]
  const ids = new Set(edges.flatMap(({ from, to }) => [from, to]))
  ids.delete('me')
  const me: ChainNode = { id: 'me', name: '', kinds: [], role: 'me', holds: [], received: 0 }
  return { nodes: [me, ...[...ids].map((id) => nodeOf(facts, consents, id))], edges }
}

function nodeOf(facts: SharingFacts, consents: readonly ConsentView[], id: string): ChainNode {
  const inbound = consents.filter(({ receiver }) => receiver.id === id)
  const own = facts.contexts.filter(({ hip }) => hip === id)
  const holds = [...new Set(own.map(({ hiType }) => hiType))].map((hiType) => ({
    hiType,
    count: own.filter((context) => context.hiType === hiType).length,
  }))
  const isHolder = own.length > 0 || consents.some(({ holder }) => holder.id === id)
  const { name, kinds } = facilityOf(facts, consents, id)
  return {
    id,
    name,
    kinds,
    role: inbound.length === 0 ? 'holder' : isHolder ? 'both' : 'receiver',
    holds,
    received: inbound
      .filter(({ erasedAt }) => erasedAt === undefined)
      .reduce((total, { records }) => total + records, 0),
  }
}

function facilityOf(facts: SharingFacts, consents: readonly ConsentView[], id: string): FacilityView {
  const named = consents.flatMap(({ holder, receiver }) => [holder, receiver]).find((facility) => facility.id === id)
  return facts.facilities.get(id) ?? named ?? { id, name: id, kinds: [] }
}

function linkEdges(facts: SharingFacts): readonly ChainEdge[] {
  return [...new Set(facts.contexts.map(({ hip }) => hip))].map((hip): ChainEdge => {
    const linked = facts.contexts.filter((context) => context.hip === hip).map(({ linkedAt }) => linkedAt.getTime())
    const since = new Date(Math.min(...linked)).toISOString()
    return { id: `me>${hip}`, from: 'me', to: hip, state: 'link', consents: [], since }
  })
}

function disclosureEdges(consents: readonly ConsentView[]): readonly ChainEdge[] {
  const pairs = new Map<string, ConsentView[]>()
  for (const consent of consents) {
    const id = `${consent.holder.id}>${consent.receiver.id}`
    pairs.set(id, [...(pairs.get(id) ?? []), consent])
  }
  return [...pairs].flatMap(([id, own]): ChainEdge[] => {
    const sorted = own.toSorted(
      (a, b) =>
        strength(a) - strength(b) || b.grantedAt.localeCompare(a.grantedAt) || (a.artefact < b.artefact ? 1 : -1),
    )
    const [first] = sorted
    if (first === undefined) return []
    return [{ id, from: first.holder.id, to: first.receiver.id, state: stateOf(first), consents: sorted }]
  })
}

function strength(consent: ConsentView): number {
  return STRENGTH.indexOf(stateOf(consent))
}

/** How one consent stands, as an arrow. */
export function stateOf({ status, records, erasedAt }: ConsentView): EdgeState {
  if (status === 'live') return records > 0 ? 'shared' : 'planned'
  if (erasedAt !== undefined) return 'erased'
  return records > 0 ? 'stopping' : 'unused'
}

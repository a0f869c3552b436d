import { consentOf, type SharingFacts } from './sharing.ts'
import {
  type Chain,
  type ChainEdge,
  type ChainNode,
  type ConsentView,
  type EdgeState,
  type FacilityView,
} from './views.ts'

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
    return [{ id, from: first.holder.id, to: first.receiver.id, state: first.state, consents: sorted }]
  })
}

function strength(consent: ConsentView): number {
  return STRENGTH.indexOf(consent.state)
}

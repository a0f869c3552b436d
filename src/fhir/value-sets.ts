/** Value sets and code systems by URL, as read from a package. */
export type Terminology = {
  readonly valueSets: ReadonlyMap<string, ValueSet>
  readonly codeSystems: ReadonlyMap<string, CodeSystem>
}

type Include = {
  readonly system?: string
  readonly concept?: readonly { readonly code: string }[]
  readonly filter?: readonly { readonly property: string; readonly op: string; readonly value: string }[]
  readonly valueSet?: readonly string[]
}

export type ValueSet = {
  readonly resourceType: 'ValueSet'
  readonly url: string
  readonly compose?: { readonly include: readonly Include[]; readonly exclude?: readonly Include[] }
}

type Concept = {
  readonly code: string
  readonly concept?: readonly Concept[]
  readonly property?: readonly { readonly code: string; readonly valueCode?: string }[]
}

export type CodeSystem = {
  readonly resourceType: 'CodeSystem'
  readonly url: string
  readonly content?: string
  readonly concept?: readonly Concept[]
}

/** A longer list than this is a catalogue, not a closed set: the data would grow for a warning. */
const CODES_MAX = 1_500

type Codes = Map<string, Set<string>>

/**
 * Lists the codes of each value set that can be listed in full from what is known here. A set that takes all of
 * SNOMED CT, or filters a code system that is not at hand, is left out: its binding is then not checked.
 */
export function expandValueSets(
  urls: readonly string[],
  terminology: Terminology,
): { [url: string]: { [system: string]: string[] } } {
  const out: { [url: string]: { [system: string]: string[] } } = {}
  for (const url of [...urls].sort()) {
    const codes = expand(url, terminology, [])
    if (codes === undefined) continue
    const total = [...codes.values()].reduce((sum, set) => sum + set.size, 0)
    if (total === 0 || total > CODES_MAX) continue
    out[url] = Object.fromEntries([...codes].map(([system, set]) => [system, [...set].sort()]))
  }
  return out
}

function expand(url: string, terminology: Terminology, above: readonly string[]): Codes | undefined {
  const name = url.split('|', 1)[0] ?? url
  const compose = terminology.valueSets.get(name)?.compose
  if (compose === undefined || above.includes(name)) return undefined
  const codes: Codes = new Map()
  for (const include of compose.include) {
    const part = expandInclude(include, terminology, [...above, name])
    if (part === undefined) return undefined
    for (const [system, set] of part) codes.set(system, new Set([...(codes.get(system) ?? []), ...set]))
  }
  for (const exclude of compose.exclude ?? []) {
    const part = expandInclude(exclude, terminology, [...above, name])
    if (part === undefined) return undefined
    for (const [system, set] of part)
      codes.set(system, new Set([...(codes.get(system) ?? [])].filter((code) => !set.has(code))))
  }
  return codes
}

function expandInclude(include: Include, terminology: Terminology, above: readonly string[]): Codes | undefined {
  let codes: Codes | undefined
  if (include.system !== undefined) {
    const own = systemCodes(include.system, include, terminology)
    if (own === undefined) return undefined
    codes = new Map([[include.system, own]])
  }
  for (const url of include.valueSet ?? []) {
    const part = expand(url, terminology, above)
    if (part === undefined) return undefined
    codes = codes === undefined ? part : intersect(codes, part)
  }
  return codes
}

function intersect(a: Codes, b: Codes): Codes {
  return new Map([...a].map(([system, set]) => [system, new Set([...set].filter((code) => b.get(system)?.has(code)))]))
}

function systemCodes(system: string, include: Include, terminology: Terminology): Set<string> | undefined {
  if (include.concept !== undefined) return new Set(include.concept.map((concept) => concept.code))
  const known = terminology.codeSystems.get(system)
  if (known === undefined || (known.content !== undefined && known.content !== 'complete')) return undefined
  const parents = parentsOf(known.concept ?? [])
  let codes = new Set(parents.keys())
  for (const filter of include.filter ?? []) {
    if (filter.property !== 'concept' || (filter.op !== 'is-a' && filter.op !== 'descendent-of')) return undefined
    codes = new Set([...codes].filter((code) => isBelow(code, filter.value, parents, filter.op === 'is-a')))
  }
  return codes
}

/** Code → its parents, from nesting and from `subsumedBy` properties (HL7 v3 code systems). */
function parentsOf(
  concepts: readonly Concept[],
  parent?: string,
  out = new Map<string, string[]>(),
): Map<string, string[]> {
  for (const concept of concepts) {
    const named = (concept.property ?? []).flatMap((p) =>
      (p.code === 'subsumedBy' || p.code === 'parent') && p.valueCode !== undefined ? [p.valueCode] : [],
    )
    out.set(concept.code, [...(out.get(concept.code) ?? []), ...(parent === undefined ? [] : [parent]), ...named])
    parentsOf(concept.concept ?? [], concept.code, out)
  }
  return out
}

function isBelow(code: string, top: string, parents: ReadonlyMap<string, string[]>, orSame: boolean): boolean {
  const open = orSame ? [code] : [...(parents.get(code) ?? [])]
  const seen = new Set<string>()
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === top) return true
    if (seen.has(next)) continue
    seen.add(next)
    open.push(...(parents.get(next) ?? []))
  }
  return false
}

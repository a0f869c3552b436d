import {
  type ConstraintData,
  type DefinitionData,
  type NodeData,
  type Origin,
  PROFILE_FORMAT,
  type ProfileData,
  type SlicingData,
  type TypeData,
} from './profile-data.ts'
import { expandValueSets, type Terminology } from './value-sets.ts'

/** What is read of an ElementDefinition (R4 §2.25). */
export type ElementDefinition = {
  readonly id?: string
  readonly path: string
  readonly sliceName?: string
  readonly min?: number
  readonly max?: string
  readonly base?: { readonly path?: string; readonly min?: number; readonly max?: string }
  readonly contentReference?: string
  readonly type?: readonly {
    readonly code: string
    readonly profile?: readonly string[]
    readonly targetProfile?: readonly string[]
    readonly extension?: readonly { readonly url: string; readonly valueUrl?: string; readonly valueString?: string }[]
  }[]
  readonly binding?: { readonly strength?: string; readonly valueSet?: string }
  readonly constraint?: readonly {
    readonly key: string
    readonly severity: string
    readonly human?: string
    readonly expression?: string
  }[]
  readonly slicing?: {
    readonly discriminator?: readonly { readonly type: string; readonly path: string }[]
    readonly rules?: string
    readonly ordered?: boolean
  }
}

/** What is read of a StructureDefinition (R4 §5.4). */
export type StructureDefinition = {
  readonly resourceType: 'StructureDefinition'
  readonly url: string
  readonly name: string
  readonly type: string
  readonly kind: string
  readonly abstract?: boolean
  readonly derivation?: string
  readonly baseDefinition?: string
  readonly snapshot?: { readonly element: readonly ElementDefinition[] }
}

/** Checked in code on every element or resource, so not stored with each: see `invariants.ts`. */
const EVERYWHERE: ReadonlySet<string> = new Set(['ele-1', 'ext-1', 'ref-1'])
/** Functions that need a terminology server or the network. */
const NEEDS_OUTSIDE = /\b(resolve|memberOf|conformsTo|subsumes|subsumedBy)\s*\(/
/** `trace()` writes what it sees, ids of patients among it, to the process's output. */
const TRACE = /\.trace\([^()]*\)/g
const FHIR_TYPE = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type'

export type CompileInput = {
  readonly structures: readonly StructureDefinition[]
  readonly terminology: Terminology
  readonly package: Origin
  /** Compiled base definitions to stand on; absent when `structures` contains the base itself. */
  readonly below?: ProfileData
  readonly base: Origin
}

/**
 * Compiles StructureDefinitions with snapshots into the data that the validator walks.
 *
 * Throws a plain sentence naming the definition that cannot be used: no snapshot, or a base type that is unknown.
 */
export function compileProfiles(input: CompileInput): ProfileData {
  const store = new NodeStore(input.below)
  const definitions: Record<string, DefinitionData> = { ...input.below?.definitions }
  for (const structure of input.structures) {
    definitions[structure.url] = compileDefinition(store, structure)
  }
  for (const [url, definition] of Object.entries(definitions)) {
    if (definition.below !== undefined && definitions[definition.below] === undefined) {
      throw new Error(`${url} stands on ${definition.below}, which is neither in the package nor in R4`)
    }
  }
  const bound = new Set(store.nodes.flatMap((node) => (node.b === undefined ? [] : [node.b[1]])))
  const listed = expandValueSets([...bound], input.terminology)
  return {
    format: PROFILE_FORMAT,
    package: input.package,
    base: input.base,
    definitions,
    constraints: store.constraints,
    valueSets: { ...input.below?.valueSets, ...listed },
    nodes: store.nodes,
  }
}

/** Keeps each different node and constraint once. */
class NodeStore {
  readonly nodes: NodeData[] = []
  readonly constraints: ConstraintData[] = []
  readonly #nodeAt = new Map<string, number>()
  readonly #constraintAt = new Map<string, number>()

  constructor(below: ProfileData | undefined) {
    for (const constraint of below?.constraints ?? []) this.constraint(constraint)
    for (const node of below?.nodes ?? []) this.node(node)
  }

  node(node: NodeData): number {
    return keep(node, this.nodes, this.#nodeAt)
  }

  constraint(constraint: ConstraintData): number {
    return keep(constraint, this.constraints, this.#constraintAt)
  }
}

function keep<T>(item: T, items: T[], at: Map<string, number>): number {
  const text = JSON.stringify(item)
  const known = at.get(text)
  if (known !== undefined) return known
  items.push(item)
  at.set(text, items.length - 1)
  return items.length - 1
}

/** The snapshot as a tree: children by name, slices by slice name. */
type Tree = { element: ElementDefinition; children: Map<string, Tree>; slices: Map<string, Tree> }

function compileDefinition(store: NodeStore, structure: StructureDefinition): DefinitionData {
  const elements = structure.snapshot?.element ?? []
  const first = elements[0]
  if (first === undefined) throw new Error(`${structure.url} has no snapshot: take the package with snapshots`)
  const root: Tree = { element: first, children: new Map(), slices: new Map() }
  for (const element of elements.slice(1)) place(root, element, structure.url)
  const kind = structure.kind === 'complex-type' ? 'complex' : structure.kind === 'resource' ? 'resource' : 'primitive'
  return {
    name: structure.name,
    type: structure.type,
    kind,
    ...(structure.derivation === 'constraint' && structure.baseDefinition !== undefined
      ? { below: structure.baseDefinition }
      : {}),
    ...(structure.abstract === true ? { abstract: true as const } : {}),
    root: compileNode(store, root, true),
  }
}

/** Element ids tell the place: `Composition.section:Allergies.code.coding`. */
function place(root: Tree, element: ElementDefinition, url: string): void {
  const steps = (element.id ?? element.path).split('.').slice(1)
  let tree = root
  for (const [index, step] of steps.entries()) {
    const last = index === steps.length - 1
    const [name = '', ...slice] = step.split(':')
    let next = tree.children.get(name)
    if (next === undefined) {
      if (!last || slice.length > 0)
        throw new Error(`${url}: element ${element.id ?? element.path} comes before its parent`)
      next = { element, children: new Map(), slices: new Map() }
      tree.children.set(name, next)
    }
    if (slice.length > 0) {
      const sliceName = slice.join(':')
      let sliced = next.slices.get(sliceName)
      if (sliced === undefined) {
        sliced = { element, children: new Map(), slices: new Map() }
        next.slices.set(sliceName, sliced)
      }
      next = sliced
    }
    tree = next
  }
}

function compileNode(store: NodeStore, tree: Tree, isRoot: boolean, unsliced?: Tree): number {
  const { element } = tree
  // A slice that says nothing about the inside has the inside of the element that it slices.
  const inside = tree.children.size > 0 ? tree.children : (unsliced?.children ?? tree.children)
  const children = [...inside].map(([name, child]) => [name, compileNode(store, child, false)] as const)
  const slices = [...tree.slices].map(([name, slice]) => [name, compileNode(store, slice, false, tree)] as const)
  const node: { -readonly [K in keyof NodeData]: NodeData[K] } = {}
  if (!isRoot) {
    const max = element.max === '*' ? -1 : Number(element.max ?? 1)
    const baseMax = element.base?.max ?? element.max
    if ((element.min ?? 0) !== 0) node.n = element.min ?? 0
    if (max !== 1) node.x = max
    if (baseMax !== '1' && baseMax !== '0' && baseMax !== undefined) node.l = 1
    const types = compileTypes(element)
    if (types.length > 0) node.t = types
  }
  for (const [key, value] of Object.entries(element)) {
    if (key.startsWith('fixed')) node.f = value
    if (key.startsWith('pattern')) node.p = value
  }
  const binding = compileBinding(element)
  if (binding !== undefined) node.b = binding
  if (children.length > 0) node.c = children
  const slicing = compileSlicing(element, slices)
  if (slicing !== undefined) node.s = slicing
  const constraints = compileConstraints(store, element)
  if (constraints.length > 0) node.k = constraints
  if (element.contentReference !== undefined) node.r = element.contentReference.replace(/^.*#/, '')
  return store.node(node)
}

function compileTypes(element: ElementDefinition): TypeData[] {
  return (element.type ?? []).map((type): TypeData => {
    const told = type.extension?.find((extension) => extension.url === FHIR_TYPE)
    const code = type.code.startsWith('http://hl7.org/fhirpath/')
      ? (told?.valueUrl ?? told?.valueString ?? type.code.slice(type.code.lastIndexOf('.') + 1).toLowerCase())
      : type.code
    if (type.targetProfile !== undefined) return [code, type.profile ?? [], type.targetProfile]
    return type.profile !== undefined ? [code, type.profile] : [code]
  })
}

function compileBinding(element: ElementDefinition): readonly ['r' | 'e', string] | undefined {
  const { strength, valueSet } = element.binding ?? {}
  if (valueSet === undefined || (strength !== 'required' && strength !== 'extensible')) return undefined
  return [strength === 'required' ? 'r' : 'e', valueSet.split('|', 1)[0] ?? valueSet]
}

function compileSlicing(
  element: ElementDefinition,
  slices: readonly (readonly [string, number])[],
): SlicingData | undefined {
  const { slicing } = element
  const rules = slicing?.rules === 'closed' || slicing?.rules === 'openAtEnd' ? slicing.rules : 'open'
  if (slices.length === 0 && rules !== 'closed') return undefined
  return {
    d: (slicing?.discriminator ?? []).map((by) => [by.type, by.path] as const),
    r: rules,
    ...(slicing?.ordered === true ? { o: 1 as const } : {}),
    i: slices,
  }
}

function compileConstraints(store: NodeStore, element: ElementDefinition): number[] {
  const kept: number[] = []
  for (const { key, severity, expression, human } of element.constraint ?? []) {
    if (severity !== 'error' || expression === undefined) continue
    if (EVERYWHERE.has(key) || NEEDS_OUTSIDE.test(expression)) continue
    kept.push(store.constraint({ key, expression: expression.replace(TRACE, ''), human: human ?? '' }))
  }
  return kept
}

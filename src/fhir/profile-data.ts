/**
 * The compiled form of FHIR StructureDefinitions: what `scripts/compile-profiles.ts` writes, what
 * `amanat fhir import` writes, and what the validator reads. Keys are short because there are thousands of nodes;
 * equal nodes are stored once and named by their index.
 */
export type ProfileData = {
  readonly format: typeof PROFILE_FORMAT
  /** The profiles' package, and the base definitions below them. */
  readonly package: Origin
  readonly base: Origin
  readonly definitions: { readonly [url: string]: DefinitionData }
  readonly nodes: readonly NodeData[]
  readonly constraints: readonly ConstraintData[]
  /** Codes of each bound value set that can be listed in full: value set URL → code system → codes. */
  readonly valueSets: { readonly [url: string]: { readonly [system: string]: readonly string[] } }
}

export const PROFILE_FORMAT = 'amanat-fhir-profiles/1'

export type Origin = {
  readonly name: string
  readonly version: string
  /** Over the definition files read, in the order of their names. */
  readonly sha256: string
}

export type DefinitionData = {
  readonly name: string
  /** The R4 type that it constrains or is: `Patient`, `HumanName`. */
  readonly type: string
  readonly kind: 'resource' | 'complex' | 'primitive'
  /** URL of the definition below; absent for the base types themselves. */
  readonly below?: string
  readonly abstract?: true
  readonly root: number
}

export type NodeData = {
  /** min, 0 when absent. */
  readonly n?: number
  /** max: 1 when absent, -1 is `*`. */
  readonly x?: number
  /** 1: a JSON array, because the base definition allows more than one. */
  readonly l?: 1
  readonly t?: readonly TypeData[]
  readonly f?: unknown
  readonly p?: unknown
  /** Binding: strength (`r`equired, `e`xtensible) and value set. */
  readonly b?: readonly ['r' | 'e', string]
  readonly c?: readonly (readonly [name: string, node: number])[]
  readonly s?: SlicingData
  readonly k?: readonly number[]
  /** contentReference: path of the element in the base definition whose rules hold here too. */
  readonly r?: string
}

/** Type code, profiles of the type, target profiles of a reference. */
export type TypeData = readonly [code: string, profiles?: readonly string[], targets?: readonly string[]]

export type SlicingData = {
  readonly d: readonly (readonly [type: string, path: string])[]
  readonly r: 'open' | 'openAtEnd' | 'closed'
  readonly o?: 1
  readonly i: readonly (readonly [name: string, node: number])[]
}

export type ConstraintData = {
  readonly key: string
  readonly expression: string
  readonly human: string
}

import type { HiType } from './hi-type.ts'
import { HI_TYPE_OF_PROFILE } from './infer-type.ts'
import {
  type ConstraintData,
  type DefinitionData,
  type NodeData,
  PROFILE_FORMAT,
  type ProfileData,
} from './profile-data.ts'
import builtIn from './profiles.generated.json' with { type: 'json' }

export const R4 = 'http://hl7.org/fhir/StructureDefinition/'

export type Definition = {
  readonly url: string
  readonly name: string
  readonly type: string
  readonly kind: DefinitionData['kind']
  readonly below: string | undefined
  readonly abstract: boolean
  readonly root: Rule
}

export type TypeRef = {
  readonly code: string
  readonly profiles: readonly string[]
  readonly targets: readonly string[]
}

export type Slice = { readonly name: string; readonly rule: Rule }

export type Slicing = {
  readonly by: readonly { readonly type: string; readonly path: string }[]
  readonly rules: 'open' | 'openAtEnd' | 'closed'
  readonly ordered: boolean
  readonly slices: readonly Slice[]
}

/** A possible member of an object: `valueQuantity` stands for the element `value[x]` with one of its types. */
export type Member = { readonly name: string; readonly rule: Rule; readonly type: TypeRef | undefined }

/** The rules of one element of one definition; members are made when first asked for. */
export type Rule = {
  readonly min: number
  /** Infinity for `*`. */
  readonly max: number
  readonly list: boolean
  readonly types: readonly TypeRef[]
  /** `undefined` when nothing is fixed. */
  readonly fixed: unknown
  readonly pattern: unknown
  readonly binding: { readonly required: boolean; readonly valueSet: string } | undefined
  readonly slicing: Slicing | undefined
  readonly constraints: readonly ConstraintData[]
  /** By JSON key; undefined when the members are those of the element's type. */
  readonly members: ReadonlyMap<string, Member> | undefined
  /** Elements that must be there, by name; a subset of the members. */
  readonly wanted: readonly { readonly name: string; readonly rule: Rule }[]
}

/** Compiled definitions, ready to walk. Make one and keep it: it remembers every rule that was asked for. */
export class Profiles {
  readonly data: ProfileData
  readonly #definitions = new Map<string, Definition>()
  readonly #rules: (Rule | undefined)[] = []
  readonly #codes = new Map<string, { readonly bySystem: ReadonlyMap<string, ReadonlySet<string>> }>()
  readonly #defaultOf = new Map<string, string>()
  readonly #compositionOf = new Map<HiType, string>()
  /** The profile of the document bundle itself. */
  readonly documentUrl: string | undefined

  constructor(data: ProfileData) {
    if (data.format !== PROFILE_FORMAT)
      throw new Error(`profile data of format ${String(data.format)}: import the package again`)
    this.data = data
    for (const [url, { name, type, kind, below }] of Object.entries(data.definitions)) {
      if (below === undefined || kind !== 'resource') continue
      const last = url.slice(url.lastIndexOf('/') + 1)
      const hiType = type === 'Composition' ? HI_TYPE_OF_PROFILE.get(last) : undefined
      if (hiType !== undefined) this.#compositionOf.set(hiType, url)
      else if (name === type || last === type) this.#defaultOf.set(type, url)
      if (type === 'Bundle' && last === 'DocumentBundle') this.documentUrl = url
    }
  }

  /** The definition with this URL (a `|version` is passed over), or undefined when it is not among the data. */
  definition(url: string): Definition | undefined {
    const bar = url.indexOf('|')
    const name = bar < 0 ? url : url.slice(0, bar)
    const known = this.#definitions.get(name)
    if (known !== undefined) return known
    if (!Object.hasOwn(this.data.definitions, name)) return undefined
    const data = this.data.definitions[name]
    if (data === undefined) return undefined
    const definition: Definition = {
      url: name,
      name: data.name,
      type: data.type,
      kind: data.kind,
      below: data.below,
      abstract: data.abstract === true,
      root: this.#rule(data.root),
    }
    this.#definitions.set(name, definition)
    return definition
  }

  /** R4's own definition of a type or resource. */
  base(type: string): Definition | undefined {
    return this.definition(R4 + type)
  }

  /** The package's profile of a resource type when it has exactly one of that name (`Patient`, not `DiagnosticReportLab`). */
  defaultOf(type: string): Definition | undefined {
    const url = this.#defaultOf.get(type)
    return url === undefined ? undefined : this.definition(url)
  }

  /** The Composition profile behind a HI type. */
  compositionOf(type: HiType): Definition | undefined {
    const url = this.#compositionOf.get(type)
    return url === undefined ? undefined : this.definition(url)
  }

  /** Whether `url` is `above` or stands on it. */
  standsOn(url: string, above: string): boolean {
    for (let next: string | undefined = url; next !== undefined; next = this.definition(next)?.below) {
      if (next === above) return true
    }
    return false
  }

  /** Members of a value with this rule and type: the rule's own, else those of the type (or of its profile). */
  shape(rule: Rule, type: TypeRef | undefined): Rule | undefined {
    if (rule.members !== undefined) return rule
    return this.typeRule(type)
  }

  typeRule(type: TypeRef | undefined): Rule | undefined {
    if (type === undefined) return undefined
    const profiled = type.profiles[0] === undefined ? undefined : this.definition(type.profiles[0])
    return (profiled ?? this.base(type.code))?.root
  }

  /** Codes of a value set by code system; undefined when it cannot be listed, so that nothing can be said. */
  codes(valueSet: string): ReadonlyMap<string, ReadonlySet<string>> | undefined {
    const known = this.#codes.get(valueSet)
    if (known !== undefined) return known.bySystem
    if (!Object.hasOwn(this.data.valueSets, valueSet)) return undefined
    const listed = Object.entries(this.data.valueSets[valueSet] ?? {})
    const bySystem = new Map(listed.map(([system, codes]) => [system, new Set(codes)]))
    this.#codes.set(valueSet, { bySystem })
    return bySystem
  }

  #rule(index: number): Rule {
    const known = this.#rules[index]
    if (known !== undefined) return known
    const node = this.data.nodes[index]
    if (node === undefined) throw new Error(`profile data names node ${index}, which it does not have`)
    const rule = this.#makeRule(node)
    this.#rules[index] = rule
    return rule
  }

  #makeRule(node: NodeData): Rule {
    const inside = () => (node.r === undefined ? node : this.#referred(node.r)) ?? node
    const make = (index: number) => this.#rule(index)
    let members: ReadonlyMap<string, Member> | undefined
    let wanted: Rule['wanted'] | undefined
    let slicing: Slicing | undefined
    return {
      min: node.n ?? 0,
      max: node.x === -1 ? Number.POSITIVE_INFINITY : (node.x ?? 1),
      list: node.l === 1,
      types: (node.t ?? []).map(([code, profiles, targets]) => ({
        code,
        profiles: profiles ?? [],
        targets: targets ?? [],
      })),
      fixed: node.f,
      pattern: node.p,
      binding: node.b === undefined ? undefined : { required: node.b[0] === 'r', valueSet: node.b[1] },
      constraints: [...(node.k ?? []), ...(node.r === undefined ? [] : (inside().k ?? []))].flatMap(
        (index) => this.data.constraints[index] ?? [],
      ),
      get slicing() {
        if (node.s === undefined) return undefined
        slicing ??= {
          by: node.s.d.map(([type, path]) => ({ type, path })),
          rules: node.s.r,
          ordered: node.s.o === 1,
          slices: node.s.i.map(([name, index]) => ({ name, rule: make(index) })),
        }
        return slicing
      },
      get members() {
        const children = inside().c
        if (children === undefined) return undefined
        members ??= membersOf(children.map(([name, index]) => [name, make(index)] as const))
        return members
      },
      get wanted() {
        wanted ??= (inside().c ?? [])
          .map(([name, index]) => ({ name, rule: make(index) }))
          .filter(({ rule }) => rule.min > 0)
        return wanted
      },
    }
  }

  /** contentReference names an element of the base definition: `Composition.section`. */
  #referred(path: string): NodeData | undefined {
    const [type = '', ...steps] = path.split('.')
    const data = this.data.definitions[R4 + type]
    let node = data === undefined ? undefined : this.data.nodes[data.root]
    for (const step of steps) {
      const child = node?.c?.find(([name]) => name === step)
      node = child === undefined ? undefined : this.data.nodes[child[1]]
    }
    return node
  }
}

function membersOf(children: readonly (readonly [string, Rule])[]): Map<string, Member> {
  const members = new Map<string, Member>()
  for (const [name, rule] of children) {
    if (!name.endsWith('[x]')) {
      members.set(name, { name, rule, type: rule.types[0] })
      continue
    }
    const stem = name.slice(0, -3)
    for (const type of rule.types) {
      members.set(stem + type.code.charAt(0).toUpperCase() + type.code.slice(1), { name: stem, rule, type })
    }
  }
  return members
}

let shipped: Profiles | undefined
let imported: Profiles | undefined

/** The profiles that documents are checked against: the imported ones when the program was given some, else the shipped. */
export function currentProfiles(): Profiles {
  return imported ?? shippedProfiles()
}

/** Takes imported profiles into use for the whole process; `undefined` goes back to the shipped ones. For `app.ts` only. */
export function useProfiles(profiles: Profiles | undefined): void {
  imported = profiles
}

/** The profiles that come with the program (`ndhm.in` 6.0.0 over R4 4.0.1), made at the first call. */
export function shippedProfiles(): Profiles {
  shipped ??= new Profiles(builtIn as unknown as ProfileData)
  return shipped
}

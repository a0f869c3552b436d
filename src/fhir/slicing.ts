import { isEqual, isLike, isObject, type Obj } from './json.ts'
import type { Profiles, Rule, Slice, Slicing, TypeRef } from './profiles.ts'

/** What the matching of slices must know of the document around: which resource a reference means. */
export type Resolve = (reference: Obj) => Obj | undefined

type Criterion = (item: unknown, type: TypeRef | undefined, resolve: Resolve) => boolean

/** Slices whose criteria were worked out, by the slicing they belong to. */
const criteriaOf = new WeakMap<Slicing, readonly (readonly Criterion[])[]>()

/**
 * Finds the slice that an item belongs to by the discriminators (R4 §5.1.0.14), or undefined when none.
 * A slice that a discriminator says nothing about never matches, so that nothing is judged by a guess.
 */
export function sliceOf(
  profiles: Profiles,
  slicing: Slicing,
  item: unknown,
  type: TypeRef | undefined,
  resolve: Resolve,
): Slice | undefined {
  let criteria = criteriaOf.get(slicing)
  if (criteria === undefined) {
    criteria = slicing.slices.map((slice) => slicing.by.map((by) => criterion(profiles, slice.rule, by)))
    criteriaOf.set(slicing, criteria)
  }
  const index = criteria.findIndex((all) => all.length > 0 && all.every((is) => is(item, type, resolve)))
  return slicing.slices[index]
}

function criterion(profiles: Profiles, rule: Rule, by: { readonly type: string; readonly path: string }): Criterion {
  const steps = stepsOf(by.path)
  const never = () => false
  const inside = ruleAt(profiles, rule, steps)
  switch (by.type) {
    case 'value':
    case 'pattern': {
      if (inside === undefined) return never
      const { expected, exact, codes } = inside
      if (expected !== undefined) {
        return (item, _type, resolve) =>
          valuesAt(item, steps, resolve).some((v) => (exact ? isEqual(v, expected) : isLike(v, expected)))
      }
      return codes === undefined
        ? never
        : (item, _type, resolve) => valuesAt(item, steps, resolve).some((v) => isCoded(v, codes))
    }
    case 'exists': {
      const wanted = inside?.rule === undefined || inside.rule.max > 0
      return (item, _type, resolve) => valuesAt(item, steps, resolve).length > 0 === wanted
    }
    case 'type': {
      const types = inside?.rule?.types.map((t) => t.code) ?? []
      const names = steps.at(-1) === 'resolve()' ? targetTypes(profiles, rule, steps) : types
      if (steps.length === 0) return (_item, type) => type !== undefined && names.includes(type.code)
      return (item, _type, resolve) => valuesAt(item, steps, resolve).some((v) => isObject(v) && isNamed(v, names))
    }
    case 'profile': {
      const urls = inside?.rule?.types.flatMap((t) => [...t.profiles, ...t.targets]) ?? []
      const names = urls.flatMap((url) => profiles.definition(url)?.type ?? [])
      return (item, _type, resolve) => valuesAt(item, steps, resolve).some((v) => isObject(v) && isNamed(v, names))
    }
    default:
      return never
  }
}

function isNamed(value: Obj, names: readonly string[]): boolean {
  return (
    typeof value['resourceType'] === 'string' && (names.includes(value['resourceType']) || names.includes('Resource'))
  )
}

function targetTypes(profiles: Profiles, rule: Rule, steps: readonly string[]): string[] {
  const before = ruleAt(profiles, rule, steps.slice(0, -1))?.rule
  return (before?.types ?? []).flatMap((t) => t.targets.flatMap((url) => profiles.definition(url)?.type ?? []))
}

/** `$this` is no step; dots inside of brackets do not part. */
function stepsOf(path: string): string[] {
  return (path.match(/(?:[^.(]|\([^)]*\))+/g) ?? []).filter((step) => step !== '$this')
}

type Inside = {
  readonly rule: Rule | undefined
  readonly expected: unknown
  readonly exact: boolean
  readonly codes: ReadonlyMap<string, ReadonlySet<string>> | undefined
}

/** What the slice demands at the discriminator's path: a fixed value, a pattern, or a listed value set. */
function ruleAt(profiles: Profiles, rule: Rule, steps: readonly string[]): Inside | undefined {
  let at: Rule | undefined = rule
  for (const [index, step] of steps.entries()) {
    const inValue = demanded(at)
    if (inValue !== undefined) {
      const [expected] = valuesAt(inValue.expected, steps.slice(index), () => undefined)
      return { rule: undefined, expected, exact: inValue.exact, codes: undefined }
    }
    if (step === 'resolve()') continue
    const shape: Rule | undefined = profiles.shape(at, at.types[0])
    at = shape?.members?.get(step)?.rule ?? [...(shape?.members?.values() ?? [])].find((m) => m.name === step)?.rule
    if (at === undefined) return undefined
  }
  const own = demanded(at)
  const codes = at.binding?.required === true ? profiles.codes(at.binding.valueSet) : undefined
  return { rule: at, expected: own?.expected, exact: own?.exact ?? true, codes }
}

function demanded(rule: Rule): { readonly expected: unknown; readonly exact: boolean } | undefined {
  if (rule.fixed !== undefined) return { expected: rule.fixed, exact: true }
  if (rule.pattern !== undefined) return { expected: rule.pattern, exact: false }
  return undefined
}

/** The values at a discriminator's path inside of an item, lists flattened. */
function valuesAt(item: unknown, steps: readonly string[], resolve: Resolve): readonly unknown[] {
  let values: readonly unknown[] = [item]
  for (const step of steps) {
    values = values.flatMap((value) => {
      if (!isObject(value)) return []
      if (step === 'resolve()') return resolve(value) ?? []
      const extension = /^extension\('?([^')]*)'?\)$/.exec(step)
      if (extension !== null) return list(value['extension']).filter((e) => isObject(e) && e['url'] === extension[1])
      if (Object.hasOwn(value, step)) return list(value[step])
      const choice = new RegExp(`^${step.replace(/\W/g, '')}[A-Z]`)
      return Object.keys(value).flatMap((key) => (choice.test(key) ? list(value[key]) : []))
    })
  }
  return values
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

function isCoded(value: unknown, codes: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  if (typeof value === 'string') return [...codes.values()].some((set) => set.has(value))
  if (!isObject(value)) return false
  if (Array.isArray(value['coding'])) return value['coding'].some((coding) => isCoded(coding, codes))
  const { system, code } = value
  return typeof system === 'string' && typeof code === 'string' && codes.get(system)?.has(code) === true
}

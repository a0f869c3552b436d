import { holds, isHollow, isWellFormedExtension } from './invariants.ts'
import { isEqual, isLike, isObject, type Obj } from './json.ts'
import type { Definition, Member, Profiles, Rule, TypeRef } from './profiles.ts'
import type { Entries, Entry, FoundReference } from './references.ts'
import type { Report } from './report.ts'
import { sliceOf } from './slicing.ts'
import { checkBinding, jsonKind, malformed } from './value-rules.ts'

/** Everything that a step of the walk over one resource needs. */
export type Walk = {
  readonly profiles: Profiles
  readonly report: Report
  readonly entries: Entries
  readonly references: FoundReference[]
  readonly resource: Obj
  /** The resource that contains it, or itself. */
  readonly root: Obj
  readonly entry: Entry | undefined
  /** Checks a resource met inside (entry.resource, contained). */
  readonly inner: (walk: Walk, resource: Obj, path: string, type: TypeRef) => void
}

/** Walks one resource by one definition and reports every rule it breaks. */
export function walkResource(walk: Walk, path: string, definition: Definition): void {
  const { root, type } = definition
  if (Object.keys(walk.resource).length < 2) {
    walk.report.add(path, 'invariant:ele-1', 'must have more than its resourceType')
  }
  walkMembers(walk, walk.resource, path, root, type, true)
  checkInvariants(walk, walk.resource, path, root.constraints, type)
}

function walkMembers(walk: Walk, value: Obj, path: string, shape: Rule, base: string, isResource: boolean): void {
  const seen = new Map<string, string>()
  for (const key of Object.keys(value)) {
    if (isResource && key === 'resourceType') continue
    const isShadow = key.startsWith('_')
    const name = isShadow ? key.slice(1) : key
    if (isShadow && Object.hasOwn(value, name)) continue
    const member = shape.members?.get(name)
    if (member === undefined || (isShadow && jsonKind(member.type?.code ?? '') === undefined)) {
      reportUnknown(walk.report, { path, key, base, value: value[key] }, shape, seen)
      continue
    }
    const other = seen.get(member.name)
    if (other !== undefined) {
      walk.report.add(
        `${path}.${key}`,
        'choice',
        `only one of ${member.name}[x] may be there, and ${other} is`,
        value[key],
      )
    }
    seen.set(member.name, name)
    walkMember(walk, { value: value[name], shadow: value[`_${name}`], path: `${path}.${name}`, member, base })
  }
  for (const { name, rule } of shape.wanted) {
    const plain = name.endsWith('[x]') ? name.slice(0, -3) : name
    if (!seen.has(plain)) {
      walk.report.add(`${path}.${name}`, 'cardinality', `must be there (at least ${rule.min})`)
    }
  }
}

/** A type that the profile took out of a choice is named as that, with what is left. */
function reportUnknown(
  report: Report,
  at: { readonly path: string; readonly key: string; readonly base: string; readonly value: unknown },
  shape: Rule,
  seen: Map<string, string>,
): void {
  const { path, key, base, value } = at
  const stem = [...(shape.members ?? [])].find(
    ([k, { name }]) => k !== name && /^[A-Z]/.test(key.slice(name.length)) && key.startsWith(name),
  )?.[1].name
  if (stem === undefined) {
    report.add(`${path}.${key}`, 'unknown-element', `is not an element of ${base}`, value)
    return
  }
  const allowed = [...(shape.members ?? [])].flatMap(([k, { name }]) => (name === stem ? [k] : []))
  report.add(`${path}.${key}`, 'choice', `is not allowed here: use ${allowed.join(' or ')}`, value)
  seen.set(stem, key)
}

type Place = {
  readonly value: unknown
  /** The `_name` beside a primitive: its id and extensions. */
  readonly shadow: unknown
  readonly path: string
  readonly member: Member
  readonly base: string
}

function walkMember(walk: Walk, place: Place): void {
  const { value, shadow, path, member } = place
  const { rule } = member
  const { report } = walk
  if (rule.list !== (Array.isArray(value) || (value === undefined && Array.isArray(shadow)))) {
    report.add(path, 'structure', rule.list ? 'must be a JSON array' : 'must not be a JSON array', value ?? shadow)
    return
  }
  const items = rule.list ? listOf(value) : [value]
  const shadows = rule.list ? listOf(shadow) : [shadow]
  const count = Math.max(items.length, shadows.length)
  if (count === 0) report.add(path, 'empty', 'must be left out rather than an empty array', value)
  else checkCount(report, path, rule, count)
  const sorted = rule.slicing === undefined ? undefined : new SliceCounts()
  for (let i = 0; i < count; i++) {
    const at = rule.list ? `${path}[${i}]` : path
    const sliceRule = sorted === undefined ? rule : sortIntoSlice(walk, place, sorted, items[i], at)
    const type = sliceRule.types.find((t) => t.code === member.type?.code) ?? member.type
    walkItem(walk, items[i], shadows[i], at, sliceRule, type, place)
  }
  if (sorted !== undefined) checkSliceCounts(report, path, rule, sorted)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function checkCount(report: Report, path: string, rule: Rule, count: number): void {
  if (count < rule.min) report.add(path, 'cardinality', `must be there at least ${rule.min} times, is ${count} times`)
  if (count > rule.max) {
    const message = rule.max === 0 ? 'must not be there' : `must be there at most ${rule.max} times, is ${count} times`
    report.add(path, 'cardinality', message)
  }
}

class SliceCounts {
  readonly counts = new Map<string, number>()
  lastUnsliced = -1
  lastSlice = -1
}

function sortIntoSlice(walk: Walk, place: Place, sorted: SliceCounts, item: unknown, at: string): Rule {
  const { member } = place
  const { slicing } = member.rule
  if (slicing === undefined) return member.rule
  const slice = sliceOf(walk.profiles, slicing, item, member.type, (reference) => targetOf(walk, reference))
  if (slice === undefined) {
    const names = slicing.slices.map(({ name }) => name).join(', ')
    const by = slicing.by.map((d) => d.path).join(' and ')
    if (slicing.rules === 'closed') {
      walk.report.add(
        at,
        'slice-closed',
        `must be one of ${names} by its ${by}`,
        discriminated(item, slicing.by[0]?.path),
      )
    }
    sorted.lastUnsliced = sorted.counts.size
    return member.rule
  }
  if (slicing.rules === 'openAtEnd' && sorted.lastUnsliced >= 0) {
    // Only a warning: an official NRCES example (OPConsultNote-example-05) does it too.
    walk.report.add(
      at,
      'slice-order',
      `${slice.name} should come before what the profile does not name`,
      undefined,
      true,
    )
  }
  const position = slicing.slices.indexOf(slice)
  if (slicing.ordered && position < sorted.lastSlice) {
    walk.report.add(at, 'slice-order', `${slice.name} must keep the order of the profile`)
  }
  sorted.lastSlice = Math.max(sorted.lastSlice, position)
  sorted.counts.set(slice.name, (sorted.counts.get(slice.name) ?? 0) + 1)
  return slice.rule
}

function discriminated(item: unknown, path: string | undefined): unknown {
  const step = path?.split('.', 1)[0]
  return isObject(item) && step !== undefined && Object.hasOwn(item, step) ? item[step] : item
}

function targetOf(walk: Walk, reference: Obj): Obj | undefined {
  const text = reference['reference']
  return typeof text === 'string'
    ? walk.entries.find(text, walk.entry, walk.report.mode === 'tolerant')?.resource
    : undefined
}

function checkSliceCounts(report: Report, path: string, rule: Rule, sorted: SliceCounts): void {
  for (const slice of rule.slicing?.slices ?? []) {
    const count = sorted.counts.get(slice.name) ?? 0
    const at = `${path}:${slice.name}`
    if (count < slice.rule.min)
      report.add(at, 'slice-cardinality', `must be there at least ${slice.rule.min} times, is ${count} times`)
    if (count > slice.rule.max)
      report.add(at, 'slice-cardinality', `must be there at most ${slice.rule.max} times, is ${count} times`)
  }
}

function walkItem(
  walk: Walk,
  value: unknown,
  shadow: unknown,
  path: string,
  rule: Rule,
  type: TypeRef | undefined,
  place: Place,
): void {
  const { report, profiles } = walk
  const kind = jsonKind(type?.code ?? '')
  if (kind !== undefined && type !== undefined) {
    if (!walkPrimitive(walk, value, shadow, path, type.code, kind, place)) return
    if (value !== undefined) checkInvariants(walk, value, path, rule.constraints, `${place.base}.${place.member.name}`)
  } else if (!isObject(value)) {
    report.add(path, 'structure', `must be a JSON object (${type?.code ?? place.member.name})`, value)
    return
  } else if (type !== undefined && profiles.base(type.code)?.kind === 'resource') {
    walk.inner(walk, value, path, type)
    return
  } else {
    walkComplex(walk, value, path, rule, type, place)
  }
  if (value === undefined) return
  if (rule.fixed !== undefined && !isEqual(value, rule.fixed)) {
    report.add(path, 'fixed', `must be ${JSON.stringify(rule.fixed)}`, value)
  }
  if (rule.pattern !== undefined && !isLike(value, rule.pattern)) {
    report.add(path, 'pattern', `must be like ${JSON.stringify(rule.pattern)}`, value)
  }
  const binding = checkBinding(profiles, rule, value)
  if (binding !== undefined) report.add(path, 'binding', binding.message, binding.found, binding.severity === 'warning')
}

/** False when the value is not of the type's JSON kind, so that no other rule can be looked at. */
function walkPrimitive(
  walk: Walk,
  value: unknown,
  shadow: unknown,
  path: string,
  type: string,
  kind: string,
  place: Place,
): boolean {
  const { report, profiles } = walk
  if (shadow !== undefined && shadow !== null) {
    const element = profiles.base('Element')?.root
    if (!isObject(shadow) || element === undefined)
      report.add(path, 'structure', 'its id and extensions must be a JSON object', shadow)
    else {
      if (isHollow(shadow) && value === undefined)
        report.add(path, 'invariant:ele-1', 'must have a value or extensions', shadow)
      walkMembers(walk, shadow, path, element, type, false)
    }
  }
  if (value === undefined) return true
  if (value === null && place.member.rule.list && isObject(shadow)) return false
  if (typeof value !== kind || value === null) {
    report.add(path, 'structure', `must be a JSON ${kind} (${type})`, value)
    return false
  }
  const should = malformed(type, value as string | number | boolean)
  if (should !== undefined) report.add(path, 'primitive', `must be ${should}`, value)
  return true
}

function walkComplex(walk: Walk, value: Obj, path: string, rule: Rule, type: TypeRef | undefined, place: Place): void {
  const { report, profiles } = walk
  const code = type?.code
  const shape = profiles.shape(rule, type)
  if (shape === undefined) return
  const isBackbone = code === undefined || code === 'BackboneElement' || code === 'Element'
  const base = isBackbone ? `${place.base}.${place.member.name}` : code
  if (isHollow(value)) report.add(path, 'invariant:ele-1', 'must have a value or children', value)
  if (code === 'Extension') {
    if (!isWellFormedExtension(value))
      report.add(path, 'invariant:ext-1', 'must have either extensions or value[x], not both', value)
  } else if (code === 'Reference' && type !== undefined) {
    walk.references.push({ reference: value, path, targets: type.targets, resource: walk.resource, entry: walk.entry })
  }
  const profiled =
    code === 'Extension' && typeof value['url'] === 'string' ? profiles.definition(value['url'])?.root : undefined
  walkMembers(walk, value, path, profiled ?? shape, base, false)
  checkInvariants(walk, value, path, rule.constraints, base)
  const typeRule = isBackbone ? undefined : profiles.typeRule(type)
  if (typeRule !== undefined && typeRule !== rule) {
    checkInvariants(
      walk,
      value,
      path,
      typeRule.constraints.filter((c) => !rule.constraints.includes(c)),
      base,
    )
  }
}

function checkInvariants(
  walk: Walk,
  value: unknown,
  path: string,
  constraints: Rule['constraints'],
  base: string,
): void {
  for (const constraint of constraints) {
    // Contained resources are rare, and the rules about them are the dearest ones.
    if (constraint.key.startsWith('dom-') && isObject(value) && value['contained'] === undefined) continue
    const answer = holds(constraint, value, base, { resource: walk.resource, root: walk.root })
    if (answer === true) continue
    const message = answer === false ? constraint.human : `could not be evaluated: ${constraint.human}`
    walk.report.add(path, `invariant:${constraint.key}`, message, value, answer === undefined)
  }
}

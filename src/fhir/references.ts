import { asText, isObject, type Obj } from './json.ts'
import type { Profiles } from './profiles.ts'
import type { Report } from './report.ts'

/** One entry of the document with the profiles that were applied to its resource. */
export type Entry = {
  readonly index: number
  readonly fullUrl: string | undefined
  readonly resource: Obj
  readonly applied: Set<string>
}

/** A reference met on the walk. */
export type FoundReference = {
  readonly reference: Obj
  readonly path: string
  /** Profiles or types that it may mean; empty means any. */
  readonly targets: readonly string[]
  readonly resource: Obj
  readonly entry: Entry | undefined
}

/** The resources of a document by the ways of naming them. */
export class Entries {
  readonly all: readonly Entry[]
  readonly #byUrl = new Map<string, Entry>()
  readonly #byTypeAndId = new Map<string, Entry>()

  constructor(bundle: Obj) {
    const entries = Array.isArray(bundle['entry']) ? bundle['entry'] : []
    this.all = entries.flatMap((entry: unknown, index): Entry[] => {
      if (!isObject(entry) || !isObject(entry['resource'])) return []
      const fullUrl = typeof entry['fullUrl'] === 'string' ? entry['fullUrl'] : undefined
      return [{ index, fullUrl, resource: entry['resource'], applied: new Set() }]
    })
    for (const entry of this.all) {
      const { resourceType, id } = entry.resource
      if (entry.fullUrl !== undefined && !this.#byUrl.has(entry.fullUrl)) this.#byUrl.set(entry.fullUrl, entry)
      const name = `${asText(resourceType)}/${asText(id)}`
      if (!this.#byTypeAndId.has(name)) this.#byTypeAndId.set(name, entry)
    }
  }

  /**
   * R4 §2.36.4: a reference means the entry with that fullUrl; a relative one is completed by the base of the
   * referring entry's own RESTful fullUrl. `lenient` also takes `Patient/1` for the Patient with id 1, as many senders mean it.
   */
  find(reference: string, from: Entry | undefined, lenient: boolean): Entry | undefined {
    const versionless = reference.split('/_history/', 1)[0] ?? reference
    const direct = this.#byUrl.get(reference) ?? this.#byUrl.get(versionless)
    if (direct !== undefined) return direct
    const base = /^(https?:\/\/.*\/)[A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(from?.fullUrl ?? '')?.[1]
    const completed = base === undefined ? undefined : this.#byUrl.get(base + versionless)
    return completed ?? (lenient ? this.#byTypeAndId.get(versionless) : undefined)
  }
}

/** What first keeps a resource from passing as a given profile; undefined when nothing does. */
export type Misfit = (entry: Entry, profileUrl: string) => string | undefined

/** Checks that references lead somewhere, and to what their element allows. */
export function checkReferences(
  profiles: Profiles,
  report: Report,
  entries: Entries,
  found: readonly FoundReference[],
  misfit: Misfit,
): void {
  for (const one of found) {
    const text = one.reference['reference']
    if (typeof text === 'string') checkTarget(profiles, report, entries, one, text, misfit)
    else if (typeof one.reference['type'] === 'string') checkType(profiles, report, one, one.reference['type'], '.type')
  }
}

function checkTarget(
  profiles: Profiles,
  report: Report,
  entries: Entries,
  one: FoundReference,
  text: string,
  misfit: Misfit,
): void {
  const path = `${one.path}.reference`
  if (text.startsWith('#')) {
    const type = containedType(one.resource, text.slice(1))
    if (type === undefined) report.add(path, 'reference-dangling', 'no contained resource has this id', text)
    else checkType(profiles, report, one, type, '.reference', text)
    return
  }
  const target = entries.find(text, one.entry, report.mode === 'tolerant')
  if (target === undefined) {
    // What a Composition points at is in the document (R4 §3.3.1); elsewhere an absolute http reference may lead out.
    const mayLeadOut = /^https?:\/\//.test(text) && one.resource['resourceType'] !== 'Composition'
    report.add(path, 'reference-dangling', 'no entry of the document has this fullUrl', text, mayLeadOut)
    const named = /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/.*)?$/.exec(text)?.[1]
    if (named !== undefined) checkType(profiles, report, one, named, '.reference', text)
    return
  }
  const type = asText(target.resource['resourceType'])
  if (!checkType(profiles, report, one, type, '.reference', text)) return
  const told = one.reference['type']
  if (typeof told === 'string' && told !== type) {
    report.add(`${one.path}.type`, 'reference-type', `must be ${type}, as the entry referred to`, told)
  }
  checkProfile(profiles, report, one, target, text, misfit)
}

function checkType(
  profiles: Profiles,
  report: Report,
  one: FoundReference,
  type: string,
  at: string,
  value: string = type,
): boolean {
  const types = one.targets.map((url) => profiles.definition(url)?.type ?? url.slice(url.lastIndexOf('/') + 1))
  if (types.length === 0 || types.includes(type) || types.includes('Resource')) return true
  const allowed = [...new Set(types)].join(' or ')
  report.add(one.path + at, 'reference-type', `must refer to ${allowed}, not to ${type}`, value)
  return false
}

function checkProfile(
  profiles: Profiles,
  report: Report,
  one: FoundReference,
  target: Entry,
  text: string,
  misfit: Misfit,
): void {
  const fitting = one.targets.flatMap((url) => profiles.definition(url) ?? [])
  const wanted = fitting.filter((definition) => definition.type === target.resource['resourceType'])
  if (wanted.length === 0 || wanted.some((definition) => definition.below === undefined)) return
  const applied = [...target.applied]
  if (wanted.some(({ url }) => applied.some((own) => profiles.standsOn(own, url)))) return
  const reasons: string[] = []
  for (const { url, name } of wanted) {
    const reason = misfit(target, url)
    if (reason === undefined) return
    reasons.push(`${name} (${reason})`)
  }
  report.add(
    `${one.path}.reference`,
    'reference-profile',
    `must refer to a resource that conforms to ${reasons.join(' or ')}`,
    text,
  )
}

function containedType(resource: Obj, id: string): string | undefined {
  if (id === '') return asText(resource['resourceType'])
  const contained = Array.isArray(resource['contained']) ? resource['contained'] : []
  const found: unknown = contained.find((item) => isObject(item) && item['id'] === id)
  return isObject(found) ? asText(found['resourceType']) : undefined
}

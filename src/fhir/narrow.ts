import type { Bundle } from 'fhir/r4.js'
import type { HiType } from './hi-type.ts'
import { inferHiType } from './infer-type.ts'
import { type Interval, isMomentWithin, isObject, isPeriodWithin, isWithin } from './narrow-dates.ts'
import { type Fields, isHollowReport, keepFields, readFields } from './narrow-fields.ts'
import { dropReferences, type Item, makeResolver, nameOf, reachableFrom, referencesIn } from './narrow-references.ts'
import { validateDocument } from './validate.ts'

/** What a consent or a minimum-necessary rule lets through. */
export type NarrowPermission = {
  readonly hiTypes: readonly HiType[]
  /** Inclusive. */
  readonly from: Date
  /** Inclusive. */
  readonly to: Date
  /** Resource types (`Observation`) or FHIR paths (`MedicationRequest.dosageInstruction`); absent means all. */
  readonly allowedFields?: readonly string[]
}

export type Removed = {
  /** `Observation/<id>` or `DiagnosticReport/<id>.presentedForm`. */
  readonly path: string
  readonly why: 'outside the dates' | 'not an allowed field' | 'belongs to what was cut' | 'may repeat what was cut'
}

export type Narrowed =
  | { readonly outcome: 'whole'; readonly document: Bundle }
  | { readonly outcome: 'narrowed'; readonly document: Bundle; readonly removed: readonly Removed[] }
  | { readonly outcome: 'withheld'; readonly why: string }

type Json = { readonly [key: string]: unknown }
type Work = { items: Item[]; readonly removed: Removed[] }

/** Stands for a conclusion (1..1 in the profile) of a report of which a part was cut. */
export const CONCLUSION_WITHHELD = 'Not shared: the permission covers only a part of this report.'

/**
 * Cuts a document down to a permission: by HI type, by date, by field.
 *
 * The document counts by `Composition.date` (which must lie in the range) and by the period of its encounter (which
 * must touch it); inside, each entry counts by its own date. Nothing is left dangling; printed copies, narratives and
 * conclusions that may repeat what was cut go with it. When nothing is cut the very same object comes back, so that it
 * can travel byte for byte; when the rest would be no valid document, nothing comes back and `why` says so.
 * In doubt (unreadable dates, unknown type) it cuts. Pure; never changes its input.
 */
export function narrow(document: Bundle, permission: NarrowPermission): Narrowed {
  const range = { start: permission.from.getTime(), end: permission.to.getTime() }
  const items = itemsOf(document)
  const composition = items[0]
  const refused = refuseWhole(document, permission, composition, range)
  if (refused !== undefined || !composition) return withhold(refused ?? 'It is not a document.')
  const work: Work = { items, removed: [] }
  cutByDate(work, range)
  const cutDates = work.removed.length > 0
  if (permission.allowedFields) cutByField(work, readFields(permission.allowedFields))
  if (work.removed.length === 0) return { outcome: 'whole', document }
  settle(work, items)
  if (cutDates) cutCopies(work, inferHiType(document))
  settle(work, items)
  cutWords(work)
  return finish(document, work)
}

const withhold = (why: string): Narrowed => ({ outcome: 'withheld', why })

function itemsOf(document: Bundle): Item[] {
  return (document.entry ?? []).flatMap(({ fullUrl, resource }, at) =>
    isObject(resource) ? [{ fullUrl: fullUrl ?? `#entry-${at}`, resource }] : [],
  )
}

/** Why nothing of the document may be shared; undefined when something may. */
function refuseWhole(document: Bundle, permission: NarrowPermission, first: Item | undefined, range: Interval) {
  if (first?.resource['resourceType'] !== 'Composition')
    return 'It is not a document: the first entry is no Composition.'
  const type = inferHiType(document)
  if (type === undefined) return 'Its record type cannot be told.'
  if (!permission.hiTypes.includes(type)) return `${type} is not among the permitted record types.`
  if (!isMomentWithin(first.resource['date'], range)) return 'It is dated outside the permitted range.'
  const encounter = first.resource['encounter']
  const reference = isObject(encounter) ? encounter['reference'] : undefined
  const visit = typeof reference === 'string' ? makeResolver(itemsOf(document))(reference) : undefined
  if (visit?.resource['period'] !== undefined && !isPeriodWithin(visit.resource['period'], range)) {
    return 'Its encounter lies outside the permitted range.'
  }
  return undefined
}

function cutByDate(work: Work, range: Interval): void {
  cutEach(work, (resource) => (isWithin(resource, range) ? resource : undefined), 'outside the dates')
}

function cutByField(work: Work, fields: Fields): void {
  cutEach(work, (resource) => keepFields(resource, fields), 'not an allowed field')
}

/** Applies `keep` to every resource and to those contained in it; notes what goes. */
function cutEach(work: Work, keep: (resource: Json) => Json | undefined, why: Removed['why']): void {
  work.items = work.items.flatMap((item) => {
    const kept = keep(item.resource)
    if (!kept) {
      work.removed.push({ path: nameOf(item), why })
      return []
    }
    // Pruning drops `contained`: take it from the original and judge each one alone.
    const contained = keepContained(item.resource, keep)
    const isSame = contained === item.resource['contained']
    if (kept === item.resource && isSame) return [item]
    const gone = Object.keys(item.resource).filter((name) => name !== 'contained' && name !== 'text' && !(name in kept))
    const members = [...gone, ...(isSame ? [] : ['contained'])]
    const paths = members.length > 0 ? members.map((name) => `${nameOf(item)}.${name}`) : [nameOf(item)]
    work.removed.push(...paths.map((path) => ({ path, why })))
    return [{ ...item, resource: withContained(kept, contained) }]
  })
}

function keepContained(resource: Json, keep: (resource: Json) => Json | undefined): unknown {
  const contained = resource['contained']
  if (!Array.isArray(contained)) return contained
  const kept = contained.flatMap((inner) => (isObject(inner) ? (keep(inner) ?? []) : []))
  return kept.length === contained.length && kept.every((inner, at) => inner === contained[at]) ? contained : kept
}

/** Puts back the contained resources that stay and are pointed at; drops references to the others. */
function withContained(resource: Json, contained: unknown): Json {
  const { contained: _, text: __, ...rest } = resource
  const inner = Array.isArray(contained) ? contained.filter(isObject) : []
  const ids = new Set(inner.map((one) => `#${String(one['id'])}`))
  const bare = dropReferences(
    rest,
    (reference) => reference.startsWith('#') && reference !== '#' && !ids.has(reference),
  )
  const used = new Set(referencesIn([bare, inner]))
  const needed = inner.filter((one) => used.has(`#${String(one['id'])}`))
  return subsetted(needed.length > 0 ? { ...bare, contained: needed } : bare)
}

/** Drops references to what is gone, then what was only reachable through it, until nothing changes. */
function settle(work: Work, originals: readonly Item[]): void {
  const resolveOriginal = makeResolver(originals)
  const [composition] = originals
  const reachable = composition ? reachableFrom(composition, resolveOriginal) : new Set<string>()
  for (let before = -1; before !== work.items.length; ) {
    before = work.items.length
    const present = new Set(work.items.map((item) => item.fullUrl))
    const isGone = (reference: string) => {
      const target = resolveOriginal(reference)
      return target !== undefined && !present.has(target.fullUrl)
    }
    work.items = work.items.flatMap((item) => {
      const resource = dropReferences(item.resource, isGone)
      if (resource === item.resource) return [item]
      const kept = reachable.has(item.fullUrl) ? afterLoss(item.resource, resource) : undefined
      if (!kept) work.removed.push({ path: nameOf(item), why: 'belongs to what was cut' })
      return kept ? [{ ...item, resource: kept }] : []
    })
    const [first] = work.items
    const still = first ? reachableFrom(first, makeResolver(work.items)) : new Set<string>()
    work.items = work.items.filter((item) => {
      const stays = !reachable.has(item.fullUrl) || still.has(item.fullUrl)
      if (!stays) work.removed.push({ path: nameOf(item), why: 'belongs to what was cut' })
      return stays
    })
  }
}

/** What a resource is once it lost a reference; undefined when it means nothing, or something else, without it. */
function afterLoss(before: Json, after: Json): Json | undefined {
  const lost = (name: string) => length(after[name]) < length(before[name])
  if (before['resourceType'] === 'Composition') return after
  if (before['resourceType'] === 'Invoice' && lost('lineItem')) return undefined
  const { text: _, ...rest } = after
  if (before['resourceType'] !== 'DiagnosticReport' || !(lost('result') || lost('media'))) return subsetted(rest)
  if (isHollowReport(before, after)) return undefined
  const { conclusionCode: __, presentedForm: ___, ...report } = rest
  return subsetted({ ...report, conclusion: CONCLUSION_WITHHELD })
}

const length = (value: unknown): number => (Array.isArray(value) ? value.length : 0)

/** Printed copies show the whole: where something was cut for its date, they go too, unless they are the record. */
function cutCopies(work: Work, type: HiType | undefined): void {
  const isCopy = (kind: unknown) =>
    kind === 'Binary' || (kind === 'DocumentReference' && type !== 'HealthDocumentRecord')
  work.items = work.items.flatMap((item) => {
    if (isCopy(item.resource['resourceType'])) {
      work.removed.push({ path: nameOf(item), why: 'may repeat what was cut' })
      return []
    }
    if (item.resource['presentedForm'] === undefined) return [item]
    work.removed.push({ path: `${nameOf(item)}.presentedForm`, why: 'may repeat what was cut' })
    const { presentedForm: _, ...resource } = item.resource
    return [{ ...item, resource: subsetted(resource) }]
  })
}

/** Narratives of the document and its sections may repeat anything; conclusions lost to field rules get their notice. */
function cutWords(work: Work): void {
  work.items = work.items.map((item) => {
    const { resource } = item
    if (resource['resourceType'] === 'DiagnosticReport' && resource['conclusion'] === undefined) {
      return { ...item, resource: { ...resource, conclusion: CONCLUSION_WITHHELD } }
    }
    if (resource['resourceType'] !== 'Composition') return item
    const { text: _, ...rest } = resource
    return { ...item, resource: subsetted({ ...rest, section: keepSections(resource['section']) }) }
  })
}

/** cmp-1: a section has text, entries or sections; one that lost all of them goes. */
function keepSections(sections: unknown): Json[] {
  return (Array.isArray(sections) ? sections : []).filter(isObject).flatMap((section) => {
    const { text: _, section: inner, ...rest } = section
    const below = keepSections(inner)
    if (length(rest['entry']) + below.length === 0) return []
    return [below.length > 0 ? { ...rest, section: below } : rest]
  })
}

/** FHIR's own mark of an incomplete resource (v3-ObservationValue SUBSETTED). */
function subsetted(resource: Json): Json {
  const meta = isObject(resource['meta']) ? resource['meta'] : {}
  const tags: unknown[] = Array.isArray(meta['tag']) ? meta['tag'] : []
  if (tags.some((tag) => isObject(tag) && tag['code'] === 'SUBSETTED')) return resource
  const tag = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }
  return { ...resource, meta: { ...meta, tag: [...tags, tag] } }
}

/** The bundle with what stayed, without a signature that no longer fits; withheld when cutting broke a rule. */
function finish(document: Bundle, work: Work): Narrowed {
  const sections = work.items[0]?.resource['section']
  if (length(sections) === 0) return withhold('Nothing in it lies within the permission.')
  const byUrl = new Map(work.items.map((item) => [item.fullUrl, item.resource]))
  const { signature: _, ...rest } = document
  const entry = (document.entry ?? []).flatMap((one, at) => {
    const resource = byUrl.get(one.fullUrl ?? `#entry-${at}`)
    return resource ? [{ ...one, resource }] : []
  })
  const cut = subsetted({ ...rest, entry }) as unknown as Bundle
  const broken = brokenBy(document, cut)
  if (broken !== undefined) return withhold(`Without the rest it would break the rule ${broken} of its profile.`)
  return { outcome: 'narrowed', document: cut, removed: work.removed }
}

/** The first rule that the cut document breaks and the original did not. */
function brokenBy(original: Bundle, cut: Bundle): string | undefined {
  const errors = (bundle: Bundle) =>
    validateDocument(bundle, 'strict')
      .filter((finding) => finding.severity === 'error')
      .map((finding) => `${finding.rule} at ${finding.path.replace(/\[\d+\]/g, '')}`)
  const before = new Set(errors(original))
  return errors(cut).find((error) => !before.has(error))
}

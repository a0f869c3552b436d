import type { Finding } from './findings.ts'
import { HI_TYPE_OF_PROFILE, inferHiType } from './infer-type.ts'
import { asText, exceeds, isObject, type Obj } from './json.ts'
import { currentProfiles, type Definition, type Profiles, type TypeRef } from './profiles.ts'
import { checkReferences, Entries, type FoundReference, type Misfit } from './references.ts'
import { type Mode, Report } from './report.ts'
import { type Walk, walkResource } from './walk.ts'

/** Values in one document, all objects, arrays and primitives counted. */
export const DOCUMENT_VALUES_MAX = 200_000
/** Nesting of one document. R4's own elements go about fifteen deep; extensions may add some. */
export const DOCUMENT_DEPTH_MAX = 64

/**
 * Checks an ABDM health record (a FHIR R4 document bundle) against its profiles: structure, cardinalities, fixed values
 * and patterns, slices, required and extensible codes, references and what they lead to, and all R4 invariants.
 *
 * `strict` is for what we send: every breach is an error. `tolerant` is for what we receive: the kind of document is
 * told from its Composition, no `meta.profile` is needed, `Patient/1` finds the Patient with id 1, and only what makes
 * it no document at all is an error; everything else is a warning to keep with the record.
 *
 * Takes any value and never throws. The findings stand in the order of their paths; equal input gives equal output.
 */
export function validateDocument(
  bundle: unknown,
  mode: Mode,
  profiles: Profiles = currentProfiles(),
): readonly Finding[] {
  const report = new Report(mode)
  const excess = exceeds(bundle, DOCUMENT_VALUES_MAX, DOCUMENT_DEPTH_MAX)
  if (excess !== undefined) report.add('Bundle', 'limit', excess)
  else if (!isObject(bundle)) report.add('Bundle', 'document', 'must be a JSON object', bundle)
  else if (bundle['resourceType'] !== 'Bundle') {
    report.add('Bundle.resourceType', 'document', 'must be "Bundle"', bundle['resourceType'])
  } else {
    checkDocument(bundle, report, profiles)
  }
  return report.findings()
}

function checkDocument(bundle: Obj, report: Report, profiles: Profiles): void {
  if (bundle['type'] !== 'document') report.add('Bundle.type', 'document', 'must be "document"', bundle['type'])
  const entries = new Entries(bundle)
  const first = entries.all[0]
  if (first?.index !== 0 || first.resource['resourceType'] !== 'Composition') {
    report.add('Bundle.entry[0].resource', 'document', 'must be the Composition', first?.resource['resourceType'])
  }
  checkFullUrls(bundle, report)
  const chosen = new ProfileChoice(bundle, report, profiles)
  const references: FoundReference[] = []
  const definition =
    (profiles.documentUrl === undefined ? undefined : profiles.definition(profiles.documentUrl)) ??
    profiles.base('Bundle')
  if (definition === undefined) throw new Error('the profile data has no Bundle: import a whole package')
  const entryOf = new Map(entries.all.map((entry) => [entry.resource, entry]))
  const inner: Walk['inner'] = (walk, resource, path, type) => {
    const entry = entryOf.get(resource)
    const isEntry = walk.resource === bundle && entry !== undefined
    const next: Walk = {
      ...walk,
      resource,
      root: isEntry || walk.resource === bundle ? resource : walk.root,
      entry: isEntry ? entry : walk.entry,
    }
    for (const profile of chosen.of(resource, path, type, isEntry)) {
      if (isEntry) entry.applied.add(profile.url)
      walkResource(next, path, profile)
    }
  }
  walkResource(
    { profiles, report, entries, references, resource: bundle, root: bundle, entry: undefined, inner },
    'Bundle',
    definition,
  )
  checkReferences(profiles, report, entries, references, misfits(profiles, entries, report.mode))
}

/** R4 §2.36.4: every entry of a document has a fullUrl, and a RESTful one ends in the resource's type and id. */
function checkFullUrls(bundle: Obj, report: Report): void {
  const entries: readonly unknown[] = Array.isArray(bundle['entry']) ? bundle['entry'] : []
  for (const [index, entry] of entries.entries()) {
    if (!isObject(entry)) continue
    const path = `Bundle.entry[${index}].fullUrl`
    const { fullUrl, resource } = entry
    if (fullUrl === undefined) report.add(path, 'full-url', 'must be there, so that the resource can be referred to')
    if (typeof fullUrl !== 'string' || !isObject(resource)) continue
    if (!/^(?:https?|urn):/.test(fullUrl))
      report.add(path, 'full-url', 'must be absolute: http…, urn:uuid: or urn:oid:', fullUrl)
    const named = /^https?:.*\/([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})$/.exec(fullUrl)
    if (named !== null && (named[1] !== resource['resourceType'] || named[2] !== resource['id'])) {
      const own = `${asText(resource['resourceType'])}/${asText(resource['id'])}`
      report.add(path, 'full-url', `must end in ${own.slice(0, 120)}, the resource's type and id`, fullUrl)
    }
  }
}

/** Tells why an entry would not pass as a profile, each question answered once. */
function misfits(profiles: Profiles, entries: Entries, mode: Mode): Misfit {
  const known = new Map<string, string | undefined>()
  return (entry, url) => {
    const question = `${entry.index} ${url}`
    if (known.has(question)) return known.get(question)
    const definition = profiles.definition(url)
    const trial = new Report(mode)
    const { resource } = entry
    const walk: Walk = {
      profiles,
      report: trial,
      entries,
      references: [],
      resource,
      root: resource,
      entry,
      inner: () => undefined,
    }
    if (definition !== undefined) walkResource(walk, definition.type, definition)
    const answer = definition === undefined ? 'not known here' : trial.firstBreach
    known.set(question, answer)
    return answer
  }
}

/** Which definitions a resource is walked by. */
class ProfileChoice {
  readonly #profiles: Profiles
  readonly #report: Report
  readonly #composition: Obj | undefined
  readonly #ofComposition: Definition | undefined

  constructor(bundle: Obj, report: Report, profiles: Profiles) {
    this.#profiles = profiles
    this.#report = report
    const hiType = inferHiType(bundle)
    const first = new Entries(bundle).all.find(({ resource }) => resource['resourceType'] === 'Composition')
    this.#composition = first?.resource
    this.#ofComposition = hiType === undefined ? undefined : profiles.compositionOf(hiType)
    if (hiType === undefined && first !== undefined) {
      const path = `Bundle.entry[${first.index}].resource.type`
      report.add(path, 'document-type', 'tells none of the eight HI types', first.resource['type'])
    }
  }

  /** The declared profiles that are known; else the package's own of that type; else R4's. */
  of(resource: Obj, path: string, type: TypeRef, isEntry: boolean): readonly Definition[] {
    const name = resource['resourceType']
    const base = typeof name === 'string' ? this.#profiles.base(name) : undefined
    if (base === undefined || base.kind !== 'resource' || base.abstract) {
      const isForeign = typeof name === 'string' && /^[A-Z][A-Za-z]{2,63}$/.test(name)
      const message = isForeign ? 'is no R4 resource that belongs in a health record' : 'must name an R4 resource'
      this.#report.add(`${path}.resourceType`, isForeign ? 'resource-unknown' : 'resource-type', message, name)
      return []
    }
    if (type.code !== 'Resource' && type.code !== 'DomainResource' && type.code !== name) {
      this.#report.add(`${path}.resourceType`, 'resource-unknown', `must be ${type.code}`, name)
    }
    // A contained resource has no life of its own; the ABDM profiles speak of entries.
    const declared = this.#declared(resource, path, base.type, isEntry)
    const expected = resource === this.#composition ? this.#ofComposition : undefined
    const wanted = new Set([...declared, ...(expected === undefined ? [] : [expected])])
    if (wanted.size > 0) return [...wanted]
    return [(isEntry ? this.#profiles.defaultOf(base.type) : undefined) ?? base]
  }

  #declared(resource: Obj, path: string, type: string, isEntry: boolean): Definition[] {
    const meta = resource['meta']
    const urls: readonly unknown[] = isObject(meta) && Array.isArray(meta['profile']) ? meta['profile'] : []
    return urls.flatMap((url, index) => {
      if (typeof url !== 'string') return []
      const definition = this.#profiles.definition(url)
      const at = `${path}.meta.profile[${index}]`
      if (definition === undefined) {
        this.#report.add(
          at,
          'profile-unknown',
          'is not among the profiles known here, so it was not checked',
          url,
          true,
        )
        return []
      }
      if (definition.type !== type) {
        this.#report.add(at, 'profile-type', `is a profile of ${definition.type}, and this is a ${type}`, url)
        return []
      }
      return isEntry ? this.#unlessOtherRecord(resource, definition, at) : [definition]
    })
  }

  /** A Composition that declares one record type and is another by its code: said once, checked by its code. */
  #unlessOtherRecord(resource: Obj, definition: Definition, at: string): Definition[] {
    const expected = this.#ofComposition
    const isRecord = HI_TYPE_OF_PROFILE.has(definition.url.slice(definition.url.lastIndexOf('/') + 1))
    if (resource !== this.#composition || expected === undefined || definition === expected || !isRecord)
      return [definition]
    this.#report.add(at, 'profile-type', `must be ${expected.url}, as Composition.type tells`, definition.url)
    return []
  }
}

import { asText, isObject, type Obj } from './json.ts'

/** Where an invariant is looked at: the resource around it, and the one around that when it is contained. */
export type Around = { readonly resource: Obj; readonly root: Obj }

type Holds = (value: Obj, around: Around) => boolean

/**
 * The R4 invariants that nearly every document meets, by the exact text of their expression: fhirpath.js takes 0.15 ms
 * for each, these take none. A package with another text for the same key goes through fhirpath.js.
 */
export const USUAL: ReadonlyMap<string, Holds> = new Map<string, Holds>([
  ['code.empty() or system.exists()', (v) => !has(v, 'code') || has(v, 'system')],
  ['data.empty() or contentType.exists()', (v) => !has(v, 'data') || has(v, 'contentType')],
  ['value.empty() or system.exists()', (v) => !has(v, 'value') || has(v, 'system')],
  ['comparator.empty()', (v) => !has(v, 'comparator')],
  [
    'text.exists() or entry.exists() or section.exists()',
    (v) => has(v, 'text') || has(v, 'entry') || has(v, 'section'),
  ],
  ['emptyReason.empty() or entry.empty()', (v) => !has(v, 'emptyReason') || !has(v, 'entry')],
  ['low.exists() or high.exists() or text.exists()', (v) => has(v, 'low') || has(v, 'high') || has(v, 'text')],
  ['dataAbsentReason.empty() or value.empty()', (v) => !has(v, 'dataAbsentReason') || !hasChoice(v, 'value')],
  ['contained.contained.empty()', (v) => !contained(v).some((c) => has(c, 'contained'))],
  [
    'contained.meta.versionId.empty() and contained.meta.lastUpdated.empty()',
    (v) =>
      !contained(v).some((c) => isObject(c['meta']) && (has(c['meta'], 'versionId') || has(c['meta'], 'lastUpdated'))),
  ],
  [
    'contained.meta.security.empty()',
    (v) => !contained(v).some((c) => isObject(c['meta']) && has(c['meta'], 'security')),
  ],
  [
    "(type = 'history') or entry.where(fullUrl.exists()).select(fullUrl&resource.meta.versionId).isDistinct()",
    (v) => v['type'] === 'history' || areUrlsDistinct(v),
  ],
  [
    "entry.all(request.exists() = (%resource.type = 'batch' or %resource.type = 'transaction' or %resource.type = 'history'))",
    (v, { resource }) => {
      const isWanted = ['batch', 'transaction', 'history'].includes(asText(resource['type']))
      return objectsIn(v['entry']).every((entry) => has(entry, 'request') === isWanted)
    },
  ],
  [
    "entry.all(response.exists() = (%resource.type = 'batch-response' or %resource.type = 'transaction-response' or %resource.type = 'history'))",
    (v, { resource }) => {
      const isWanted = ['batch-response', 'transaction-response', 'history'].includes(asText(resource['type']))
      return objectsIn(v['entry']).every((entry) => has(entry, 'response') === isWanted)
    },
  ],
  ['duration.empty() or durationUnit.exists()', (v) => !has(v, 'duration') || has(v, 'durationUnit')],
  ['period.empty() or periodUnit.exists()', (v) => !has(v, 'period') || has(v, 'periodUnit')],
  ['periodMax.empty() or period.exists()', (v) => !has(v, 'periodMax') || has(v, 'period')],
  ['durationMax.empty() or duration.exists()', (v) => !has(v, 'durationMax') || has(v, 'duration')],
  ['countMax.empty() or count.exists()', (v) => !has(v, 'countMax') || has(v, 'count')],
  ['timeOfDay.empty() or when.empty()', (v) => !has(v, 'timeOfDay') || !has(v, 'when')],
  ['duration.exists() implies duration >= 0', (v) => typeof v['duration'] !== 'number' || v['duration'] >= 0],
  ['period.exists() implies period >= 0', (v) => typeof v['period'] !== 'number' || v['period'] >= 0],
  ['detail.empty() or reference.empty()', (v) => !has(v, 'detail') || !has(v, 'reference')],
  [
    'name.exists() or telecom.exists() or address.exists() or organization.exists()',
    (v) => has(v, 'name') || has(v, 'telecom') || has(v, 'address') || has(v, 'organization'),
  ],
  ['(identifier.count() + name.count()) > 0', (v) => has(v, 'identifier') || has(v, 'name')],
  ['type.exists() or actor.exists()', (v) => has(v, 'type') || has(v, 'actor')],
  ['dose.exists() or rate.exists()', (v) => has(v, 'dose') || hasChoice(v, 'rate')],
  ['orderDetail.empty() or code.exists()', (v) => !has(v, 'orderDetail') || has(v, 'code')],
  [
    'resource.exists() or request.exists() or response.exists()',
    (v) => has(v, 'resource') || has(v, 'request') || has(v, 'response'),
  ],
  ["fullUrl.contains('/_history/').not()", (v) => !asText(v['fullUrl']).includes('/_history/')],
  [
    "fullUrl.exists() implies fullUrl.contains('/_history/').not()",
    (v) => !asText(v['fullUrl']).includes('/_history/'),
  ],
])

/** The same for primitive values. */
export const USUAL_OF_TEXT: ReadonlyMap<string, (text: string) => boolean> = new Map([['htmlChecks()', isSafeXhtml]])

/** FHIRPath's `exists()` of a member: there, as value or as extension of an absent value, and no empty list. */
function has(value: Obj, key: string): boolean {
  return isThere(value[key]) || isThere(value[`_${key}`])
}

function isThere(value: unknown): boolean {
  return Array.isArray(value) ? value.some((item) => item !== null) : value !== undefined && value !== null
}

function hasChoice(value: Obj, stem: string): boolean {
  const pattern = new RegExp(`^_?${stem}[A-Z]`)
  return Object.keys(value).some((key) => pattern.test(key) && isThere(value[key]))
}

function contained(value: Obj): readonly Obj[] {
  return objectsIn(value['contained'])
}

function objectsIn(value: unknown): readonly Obj[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function areUrlsDistinct(bundle: Obj): boolean {
  const seen = new Set<string>()
  for (const { fullUrl, resource } of objectsIn(bundle['entry'])) {
    if (typeof fullUrl !== 'string') continue
    const meta = isObject(resource) ? resource['meta'] : undefined
    const name = `${fullUrl}${isObject(meta) ? asText(meta['versionId']) : ''}`
    if (seen.has(name)) return false
    seen.add(name)
  }
  return true
}

/** dom-3: each contained resource is referred to by the one around it, or refers to that. */
export function isEachContainedUsed(resource: Obj): boolean {
  const inside = contained(resource)
  if (inside.length === 0) return true
  const used = new Set<string>()
  collectLocal(resource, used)
  return inside.every((one) => {
    if (typeof one['id'] === 'string' && used.has(`#${one['id']}`)) return true
    const back = new Set<string>()
    collectLocal(one, back)
    return back.has('#')
  })
}

/** Texts of the form `#…`: references, canonicals and URLs to something in the same resource. */
function collectLocal(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') {
    if (value.startsWith('#')) into.add(value)
  } else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) collectLocal(inner, into)
  }
}

/** R4 §2.4.1.2: formatting elements of XHTML only; no script, style, form, frame, no event attribute, no outside. */
const ALLOWED = new Set(
  `a abbr acronym b big blockquote br caption cite code col colgroup dd del dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins
  kbd li ol p pre q s samp small span strike strong sub sup table tbody td tfoot th thead tr tt u ul var`.split(/\s+/),
)
const TAG = /<[^<>]*>/g
const EVENT_OR_SCRIPT = /\son\w+\s*=|javascript:|vbscript:|data:text\/html/i

/** txt-1 and txt-2: only the allowed tags, and some text or picture in it. Linear in the length of the text. */
export function isSafeXhtml(div: string): boolean {
  const bare = withoutComments(div)
  if (bare === undefined) return false
  let hasPicture = false
  for (const [tag] of bare.matchAll(TAG)) {
    const name = /^<\/?([A-Za-z][A-Za-z0-9]*)(?=[\s/>])/.exec(tag)?.[1]?.toLowerCase()
    if (name === undefined || !ALLOWED.has(name) || EVENT_OR_SCRIPT.test(tag)) return false
    hasPicture ||= name === 'img'
  }
  const text = bare.replace(TAG, '')
  return !text.includes('<') && (hasPicture || /\S/.test(text))
}

function withoutComments(text: string): string | undefined {
  const parts: string[] = []
  let from = 0
  for (let start = text.indexOf('<!--'); start >= 0; start = text.indexOf('<!--', from)) {
    const end = text.indexOf('-->', start + 4)
    if (end < 0) return undefined
    parts.push(text.slice(from, start))
    from = end + 3
  }
  parts.push(text.slice(from))
  return parts.join('')
}

import { compositionOf } from '../fhir/infer-type.ts'
import { isObject, type Obj } from '../fhir/json.ts'
import type { Outbound } from '../http/outbound.ts'
import { showAbhaNumber } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { readDocument } from './document-bytes.ts'
import { isAbout } from './identity.ts'
import type { FacilityPatient } from './patient.ts'
import {
  displayOf,
  type RecordContent,
  type RecordHead,
  type RecordSource,
  SourceUnavailable,
  toCareContextReference,
} from './record.ts'

/** How a server offers its documents: as Bundles, as Compositions with `$document`, or as DocumentReferences that point at Bundles. */
export type DocumentsBy = 'Bundle' | 'Composition' | 'DocumentReference'

type Options = {
  readonly outbound: Outbound
  /** `https://fhir.hospital.example/r4` */
  readonly baseUrl: string
  readonly documentsBy: DocumentsBy
  /** Authorization and the like, made for each call. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>
}

type Read = (url: string) => Promise<Uint8Array | undefined>

/**
 * A FHIR R4 server, read over REST. The patient is found by ABHA number, ABHA address or MRN; documents come as the server holds them,
 * byte for byte. Pages and attachments on other hosts than `baseUrl` are not followed.
 */
export function makeFhirSource(options: Options): RecordSource {
  const base = options.baseUrl.replace(/\/$/, '')
  const read: Read = async (url) => {
    const outcome = await options.outbound.call({
      method: 'GET',
      url,
      headers: { accept: 'application/fhir+json', ...(await options.headers()) },
      timeoutMs: LIMITS.sourceTimeoutMs,
      answerBytesMax: LIMITS.documentBytesMax,
    })
    if (outcome.kind !== 'answered') throw new SourceUnavailable(`the FHIR server did not answer: ${outcome.reason}`)
    if (outcome.status === 404 || outcome.status === 410) return undefined
    if (outcome.status !== 200) throw new SourceUnavailable(`the FHIR server answered ${outcome.status}`)
    return outcome.body
  }
  return {
    name: 'fhir-server',
    list: async (_machine, patient) => {
      const heads = new Map<string, RecordHead>()
      for (const id of await findPatientIds(read, base, patient)) {
        for await (const resource of search(read, base, documentsQuery(options.documentsBy, id))) {
          const head = await headOf(read, base, options.documentsBy, resource, patient)
          if (head !== undefined) heads.set(head.key, head)
          if (heads.size >= LIMITS.serverDocumentsMax) break
        }
      }
      return [...heads.values()]
    },
    read: async (_machine, patient, head) => readContent(await read(`${base}/${head.key}`), patient),
  }
}

function readContent(bytes: Uint8Array | undefined, patient: FacilityPatient): RecordContent | Refusal {
  if (bytes === undefined) return refuse('records/unreadable', 'The document is gone from the FHIR server.')
  const document = readDocument(bytes)
  if (isRefusal(document)) return refuse('records/unreadable', document.detail)
  return isAbout(document.identity, patient) === 'yes' ? { form: 'document', bytes } : refuse('fhir/other-patient')
}

/** Ids of the server's Patients that carry one of our patient's identifiers. */
async function findPatientIds(read: Read, base: string, patient: FacilityPatient): Promise<ReadonlySet<string>> {
  const { abhaNumber, abhaAddress, reference } = patient
  const identifiers = [abhaNumber && showAbhaNumber(abhaNumber), abhaNumber, abhaAddress, reference].filter(
    (value) => value !== undefined,
  )
  const ids = new Set<string>()
  for await (const resource of search(
    read,
    base,
    `Patient?identifier=${identifiers.map(encodeURIComponent).join(',')}&_count=50`,
  )) {
    if (resource['resourceType'] === 'Patient' && typeof resource['id'] === 'string') ids.add(resource['id'])
  }
  return ids
}

function documentsQuery(by: DocumentsBy, id: string): string {
  const patient = encodeURIComponent(`Patient/${id}`)
  switch (by) {
    case 'Bundle':
      return `Bundle?type=document&composition.patient=${patient}&_count=50`
    case 'Composition':
      return `Composition?patient=${patient}&_count=50`
    case 'DocumentReference':
      return `DocumentReference?patient=${patient}&contenttype=${encodeURIComponent('application/fhir+json')}&_count=50`
  }
}

/** All resources of a search, page after page. */
async function* search(read: Read, base: string, query: string): AsyncGenerator<Obj> {
  const seen = new Set<string>()
  for (let url: string | undefined = `${base}/${query}`; url !== undefined && !seen.has(url); ) {
    seen.add(url)
    const bytes = await read(url)
    if (bytes === undefined) return
    const page = parseSearchset(bytes)
    for (const entry of objects(page['entry'])) {
      const mode = isObject(entry['search']) ? entry['search']['mode'] : undefined
      if (isObject(entry['resource']) && mode !== 'outcome' && mode !== 'include') yield entry['resource']
    }
    url = nextPage(page, base)
  }
}

function parseSearchset(bytes: Uint8Array): Obj {
  let page: unknown
  try {
    page = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new SourceUnavailable('the FHIR server answered something that is no JSON')
  }
  if (!isObject(page) || page['resourceType'] !== 'Bundle')
    throw new SourceUnavailable('the FHIR server answered a search with something that is no Bundle')
  return page
}

/** The next page, on the same server only. */
function nextPage(page: Obj, base: string): string | undefined {
  const url = objects(page['link']).find((link) => link['relation'] === 'next')?.['url']
  if (typeof url !== 'string' || !URL.canParse(url, `${base}/`)) return undefined
  const next = new URL(url, `${base}/`)
  return next.origin === new URL(base).origin ? next.href : undefined
}

async function headOf(
  read: Read,
  base: string,
  by: DocumentsBy,
  resource: Obj,
  patient: FacilityPatient,
): Promise<RecordHead | undefined> {
  const { id } = resource
  if (resource['resourceType'] !== by || typeof id !== 'string') return undefined
  const key = keyOf(by, id, resource, base)
  // A Composition alone does not hold its Patient: only the whole document proves whose it is.
  const whole =
    by === 'Bundle' && compositionOf(resource) !== undefined
      ? new TextEncoder().encode(JSON.stringify(resource))
      : key === undefined
        ? undefined
        : await read(`${base}/${key}`)
  const document = whole === undefined ? undefined : readDocument(whole)
  if (
    key === undefined ||
    document === undefined ||
    isRefusal(document) ||
    isAbout(document.identity, patient) !== 'yes'
  )
    return undefined
  const { hiType, date } = document
  return {
    key,
    careContextReference: toCareContextReference(`${by}/${id}`),
    hiType,
    date,
    display: displayOf(hiType, date),
  }
}

/** Path of the document below the base URL. */
function keyOf(by: DocumentsBy, id: string, resource: Obj, base: string): string | undefined {
  if (by === 'Bundle') return `Bundle/${encodeURIComponent(id)}`
  if (by === 'Composition') return `Composition/${encodeURIComponent(id)}/$document`
  const urls = objects(resource['content']).flatMap(({ attachment }) =>
    isObject(attachment) && typeof attachment['url'] === 'string' ? [attachment['url']] : [],
  )
  for (const url of urls) {
    const absolute = URL.canParse(url, `${base}/`) ? new URL(url, `${base}/`).href : ''
    if (absolute.startsWith(`${base}/`)) return absolute.slice(base.length + 1)
  }
  return undefined
}

function objects(value: unknown): readonly Obj[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

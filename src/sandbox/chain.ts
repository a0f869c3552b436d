/** By which messages belong together: the ids that their bodies carry, and the patients whom they are about. */
export type Thread = { readonly ids: readonly string[]; readonly patients: readonly string[] }

/** Members that name a request, a consent, an artefact, a transfer, a subscription. Care contexts are not among them: consents share them. */
const ID_NAMES =
  /^(id|requestId|consentRequestId|consentId|artefactId|transactionId|subscriptionId|subscriptionRequestId|linkRefNumber|eventId|consentArtefacts)$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const ABHA_ADDRESS = /^[a-z0-9._]{2,60}@[a-z0-9]{2,20}$/i
const FOUND_MAX = 40
const DEPTH_MAX = 12

/** What a message's REQUEST-ID, path, body and answer say it belongs to. */
export function threadOf(message: {
  readonly requestId?: string | undefined
  readonly path: string
  readonly body?: unknown
  readonly answer?: string | undefined
}): Thread {
  const found = { ids: new Set<string>(), patients: new Set<string>() }
  if (message.requestId !== undefined) found.ids.add(message.requestId.toLowerCase())
  for (const part of message.path.split('/')) if (UUID.test(part)) found.ids.add(part.toLowerCase())
  collect(message.body, '', 0, found)
  if (message.answer !== undefined) collect(readJson(message.answer), '', 0, found)
  return { ids: [...found.ids].slice(0, FOUND_MAX), patients: [...found.patients].slice(0, FOUND_MAX) }
}

function collect(
  value: unknown,
  name: string,
  depth: number,
  found: { readonly ids: Set<string>; readonly patients: Set<string> },
): void {
  if (typeof value === 'string') {
    if (ABHA_ADDRESS.test(value)) found.patients.add(value.toLowerCase())
    else if (ID_NAMES.test(name) && UUID.test(value)) found.ids.add(value.toLowerCase())
    return
  }
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return
  for (const [inner, member] of Object.entries(value))
    collect(member, Array.isArray(value) ? name : inner, depth + 1, found)
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Cut or not JSON: nothing to read.
    return undefined
  }
}

import type { Tx } from '../db/tx.ts'
import type { Outbound } from '../http/outbound.ts'
import { LIMITS } from '../kernel/limits.ts'
import { openStoredPage, updateStoredPage } from './page-body-store.ts'
import type { OpenPage, PageBody } from './pages.ts'
import { findRequest, lockRequest } from './transfer-store.ts'

/** What came of fetching the `link` of an entry: the sealed content, or why there is none. */
export type Fetched = { readonly content: string } | { readonly fault: string }

/** The links of a page that are still to be fetched, and how much they may bring. */
export type Links = {
  readonly waiting: readonly { readonly entry: number; readonly url: string }[]
  readonly bytesLeft: number
}

/** What one turn of fetching came to. */
export type Turn = {
  /** Fetched, or never to be had. */
  readonly settled: ReadonlyMap<number, Fetched>
  /** Not answered this time, each with the reason. */
  readonly unanswered: ReadonlyMap<number, Fetched & { readonly fault: string }>
  /** The time of a turn was over before all were tried. */
  readonly isCutShort: boolean
}

/** Base64 adds a third to a document. */
const LINK_BYTES_MAX = Math.ceil((LIMITS.documentBytesMax * 4) / 3) + 1_024
const TOO_MUCH = `what the links of one page hold may have ${LIMITS.pushBodyBytesMax} bytes in all`

/** The page's links, to be fetched before it is opened; undefined when the page waits no more. */
export async function readLinks(tx: Tx, { request: id, page }: OpenPage): Promise<Links | undefined> {
  const request = await findRequest(tx, id)
  const body = request && ((await openStoredPage(tx, request, page)) as PageBody | undefined)
  if (body === undefined) return undefined
  const linked = body.entries.flatMap((each, entry) =>
    each.link === undefined ? [] : [{ ...each, entry, url: each.link }],
  )
  const waiting = linked.filter(({ content, fault }) => content === undefined && fault === undefined)
  const bytes = linked.reduce((sum, { content }) => sum + (content?.length ?? 0), 0)
  return { waiting: waiting.map(({ entry, url }) => ({ entry, url })), bytesLeft: LIMITS.pushBodyBytesMax - bytes }
}

/** Keeps what was fetched with the page, sealed like it, so that it is not fetched again. */
export async function keepFetched(
  tx: Tx,
  { request: id, page }: OpenPage,
  settled: ReadonlyMap<number, Fetched>,
): Promise<void> {
  const request = await lockRequest(tx, id)
  const body = request && ((await openStoredPage(tx, request, page)) as PageBody | undefined)
  if (request === undefined || body === undefined) return
  const entries = body.entries.map((entry, index) => ({ ...entry, ...settled.get(index) }))
  await updateStoredPage(tx, request, page, { ...body, entries })
}

/**
 * Fetches links one after the other, from the `first`th on (a slow one does not stand before the others for ever), for
 * `LIMITS.linksTurnMs` at most. Who does not answer is not asked for the others of his in the same turn.
 */
export async function fetchLinks(
  outbound: Pick<Outbound, 'call'>,
  { waiting, bytesLeft }: Links,
  first: number,
): Promise<Turn> {
  const settled = new Map<number, Fetched>()
  const unanswered = new Map<number, { readonly fault: string }>()
  const silent = new Map<string, string>()
  const turned = waiting.map((_, i) => waiting[(i + first) % waiting.length] ?? { entry: 0, url: '' })
  let left = bytesLeft
  let tookMs = 0
  for (const { entry, url } of turned) {
    const origin = originOf(url)
    const wasSilent = silent.get(origin)
    if (left <= 0) settled.set(entry, { fault: TOO_MUCH })
    else if (wasSilent !== undefined) unanswered.set(entry, { fault: wasSilent })
    else if (tookMs >= LIMITS.linksTurnMs) return { settled, unanswered, isCutShort: true }
    else {
      const got = await fetchLink(outbound, url, Math.min(LINK_BYTES_MAX, left))
      tookMs += got.tookMs
      left -= got.bytes
      if (got.mayTryAgain && 'fault' in got.result) {
        unanswered.set(entry, got.result)
        silent.set(origin, got.result.fault)
      } else settled.set(entry, got.result)
    }
  }
  return { settled, unanswered, isCutShort: false }
}

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : '')

type Got = {
  readonly result: Fetched
  readonly mayTryAgain: boolean
  /** Read of it, as far as that is known. */
  readonly bytes: number
  readonly tookMs: number
}

/** The way out refuses private addresses and never follows a redirect (no SSRF by what a sender writes into `link`). */
async function fetchLink(outbound: Pick<Outbound, 'call'>, url: string, bytesMax: number): Promise<Got> {
  const outcome = await outbound.call({
    method: 'GET',
    url,
    headers: { accept: '*/*' },
    timeoutMs: LIMITS.pushTimeoutMs,
    answerBytesMax: bytesMax,
  })
  const { tookMs } = outcome
  if (outcome.kind !== 'answered') {
    const isTooLong = outcome.kind === 'failed' && outcome.isTooLong === true
    const fault = isTooLong && bytesMax < LINK_BYTES_MAX ? TOO_MUCH : outcome.reason
    const mayTryAgain = outcome.kind === 'failed' && !isTooLong
    return { result: { fault }, mayTryAgain, bytes: isTooLong ? bytesMax : 0, tookMs }
  }
  const { status, body } = outcome
  if (status !== 200) {
    const mayTryAgain = status >= 500 || status === 408 || status === 429
    return { result: { fault: `it answered ${status}` }, mayTryAgain, bytes: body.length, tookMs }
  }
  // Some senders serve the base64 text as a JSON string.
  const content = body
    .toString('utf8')
    .trim()
    .replace(/^"(.*)"$/s, '$1')
  return { result: { content }, mayTryAgain: false, bytes: body.length, tookMs }
}

import type { PageState, RequestStatus } from './hiu.ts'
import { type ProviderReport, whyNotSent } from './provider-report.ts'

export type EntryResult = {
  readonly page: number
  readonly entry: number
  readonly careContextReference: string
  readonly status: 'held' | 'quarantined' | 'errored'
  readonly reason?: string
}
/** One care context of a transfer: what came of it. */
export type ContextState = {
  readonly careContextReference: string
  readonly status: 'received' | 'missing' | 'errored'
  readonly documents: number
  readonly reason?: string
}

/** Where one data request stands, and what is missing and why. */
export type TransferStatus = {
  readonly status: RequestStatus
  readonly transaction?: string
  readonly askedAt: Date
  readonly endedAt?: Date
  readonly reason?: string
  /** When it will be asked again: only while `postponed`. */
  readonly againAt?: Date
  /** How often the exchange refused it before, oldest first, each answered by asking again with new keys. */
  readonly refusals: readonly { readonly askedAt: Date; readonly reason: string }[]
  readonly pages: readonly PageState[]
  /** As announced by the sender; absent until a page says so. */
  readonly pageCount?: number
  readonly pagesMissing: number
  readonly careContexts: readonly ContextState[]
}

/** Pages that a push announces: absent numbers mean one page, and 0 is read as 1 (protocol sheet 2.5). */
export function announcedPages(pageCount: number | null | undefined): number {
  return Math.max(1, pageCount ?? 1)
}

/** Whether as many distinct pages came as were announced, whether the sender counts from 0 or from 1. */
export function isComplete(pages: readonly Pick<PageState, 'number' | 'status'>[], pageCount: number | null): boolean {
  return pageCount !== null && settledPages(pages) >= pageCount
}

function settledPages(pages: readonly Pick<PageState, 'number' | 'status'>[]): number {
  return new Set(pages.filter(({ status }) => status !== 'stored').map(({ number }) => number)).size
}

/** A page number that neither way of counting allows. */
export function isOutOfCount(pageNumber: number, pageCount: number): boolean {
  return pageNumber > pageCount
}

/**
 * What came of every care context of the consent, and of those that came without being in it. One that holds a document counts as
 * received even when another of its documents did not open; the reason then says so.
 */
export function contextStates(
  expected: readonly string[],
  entries: readonly EntryResult[],
  request: { readonly status: RequestStatus; readonly reason?: string; readonly report?: ProviderReport },
): readonly ContextState[] {
  const references = [...new Set([...expected, ...entries.map((entry) => entry.careContextReference)])]
  return references.map((careContextReference) => {
    const own = entries.filter((entry) => entry.careContextReference === careContextReference)
    const held = own.filter((entry) => entry.status === 'held').length
    const faults = [...new Set(own.flatMap((entry) => (entry.status === 'held' ? [] : (entry.reason ?? entry.status))))]
    const reason =
      faults.length > 0 ? faults.join('; ') : held > 0 ? undefined : whyNotHere(request, careContextReference)
    return {
      careContextReference,
      status: held > 0 ? 'received' : own.length > 0 ? 'errored' : 'missing',
      documents: held,
      ...(reason === undefined ? {} : { reason }),
    }
  })
}

function whyNotHere(request: Parameters<typeof contextStates>[2], careContextReference: string): string {
  const { status, report } = request
  return report !== undefined && (status === 'incomplete' || status === 'complete')
    ? whyNotSent(report, careContextReference)
    : whyMissing(request)
}

function whyMissing({ status, reason }: { readonly status: RequestStatus; readonly reason?: string }): string {
  switch (status) {
    case 'asked':
      return 'The exchange has not answered the request yet.'
    case 'acknowledged':
      return 'The provider has not sent anything yet.'
    case 'receiving':
      return 'Not all pages have come yet.'
    case 'complete':
      return 'The provider sent nothing for this care context: it has none in the dates and types of the consent, or withheld it.'
    case 'incomplete':
      return 'The time for the transfer ran out before it came.'
    case 'postponed':
      return `The exchange refused the request for now, and it will be asked again${reason === undefined ? '.' : `: ${reason}`}`
    case 'replaced':
      return 'It was asked again by a later request.'
    case 'failed':
      return reason ?? 'The request failed.'
    case 'erased':
      return 'The copy was erased.'
  }
}

/** How the exchange is told that a transfer ended (health-information/notify, protocol sheet 2.5 and 3.4). */
export function outcomeOf(
  contexts: readonly ContextState[],
  ended: 'complete' | 'incomplete',
): {
  readonly sessionStatus: 'RECEIVED' | 'FAILED'
  readonly contexts: readonly {
    readonly careContextReference: string
    readonly hiStatus: 'OK' | 'ERRORED'
    readonly description?: string
  }[]
} {
  // A complete transfer need not hold every care context: the provider may have nothing in the granted dates.
  const told = contexts.filter(({ status }) => ended === 'incomplete' || status !== 'missing')
  const someFine = told.length === 0 || told.some(({ status }) => status === 'received')
  const sessionStatus = ended === 'complete' && someFine ? 'RECEIVED' : 'FAILED'
  return {
    sessionStatus,
    contexts: told.map(({ careContextReference, status, reason }) => ({
      careContextReference,
      hiStatus: status === 'received' ? 'OK' : 'ERRORED',
      ...(reason === undefined ? {} : { description: reason.slice(0, 1_000) }),
    })),
  }
}

/** What the exchange, or whoever stands before it, says about a request that it did not take. */
export type RefusalWords = { readonly code?: string; readonly message: string }

/** Codes that speak of a moment, not of the request (protocol sheet 2.4, 3.5, 3.7). The same number means other things without `ABDM-`. */
const PASSING_CODES = new Set([
  // The HIP has not acknowledged the consent yet.
  'ABDM-1402',
  'ABDM-8877',
  'ABDM-1439',
  '1439',
  // The HIP, or a part of the gateway, is not there now; too many calls; unknown error.
  'ABDM-1401',
  'ABDM-1201',
  'ABDM-2429',
  'ABDM-9999',
  '2429',
  '2500',
  '2503',
  '2504',
])
const HTTP_STATUS = /^(429|5\d\d)$/
/** Words of a proxy or server in trouble; only where no code of ABDM's says something more definite. */
const PASSING_WORDS =
  /^(answered |HTTP )?(429|5\d\d)\b|service (temporarily )?unavailable|bad gateway|gateway time-?out|internal server error|too many requests/i

/** Whether asking again a little later may help. */
export function isPassingRefusal({ code, message }: RefusalWords): boolean {
  if (/acknowledge?ment (is |was )?not received/i.test(message)) return true
  // Codes on the wire may end in ": " (protocol sheet 3.6).
  const clean = (code ?? '').replace(/(?<![:\s])[:\s]+$/, '')
  return clean === '' ? PASSING_WORDS.test(message) : PASSING_CODES.has(clean) || HTTP_STATUS.test(clean)
}

type Link = { readonly id: string; readonly replaces?: string }

/** The requests that `request` asks again, oldest first. */
export function refusedBefore<R extends Link>(all: readonly R[], request: Link): readonly R[] {
  const before = all.find(({ id }) => id === request.replaces)
  return before === undefined ? [] : [...refusedBefore(all, before), before]
}

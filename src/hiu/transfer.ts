import type { PageFinding, RequestStatus } from './hiu.ts'

export type EntryResult = {
  readonly page: number
  readonly entry: number
  readonly careContextReference: string
  readonly status: 'held' | 'quarantined' | 'errored'
  readonly reason?: string
}
export type PageState = {
  readonly number: number
  readonly status: 'stored' | 'opened' | 'failed'
  readonly receivedAt: Date
  readonly findings: readonly PageFinding[]
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
  request: { readonly status: RequestStatus; readonly reason?: string },
): readonly ContextState[] {
  const references = [...new Set([...expected, ...entries.map((entry) => entry.careContextReference)])]
  return references.map((careContextReference) => {
    const own = entries.filter((entry) => entry.careContextReference === careContextReference)
    const held = own.filter((entry) => entry.status === 'held').length
    const faults = [...new Set(own.flatMap((entry) => (entry.status === 'held' ? [] : (entry.reason ?? entry.status))))]
    const reason = faults.length > 0 ? faults.join('; ') : held > 0 ? undefined : whyMissing(request)
    return {
      careContextReference,
      status: held > 0 ? 'received' : own.length > 0 ? 'errored' : 'missing',
      documents: held,
      ...(reason === undefined ? {} : { reason }),
    }
  })
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

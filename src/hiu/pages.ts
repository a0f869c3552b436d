import { createHash } from 'node:crypto'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Id } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { PageEvent, PageFinding } from './hiu.ts'
import { next } from './hiu.ts'
import { savePage } from './page-body-store.ts'
import { bucketOfToken, hashOfToken, type RequestNeeds } from './requests.ts'
import { findArtefact } from './store.ts'
import { announcedPages, isOutOfCount } from './transfer.ts'
import { addPageFinding, type DataRequest, lockRequestByToken, moveRequest, pagesOf } from './transfer-store.ts'

/** One page of a data push, as the dialect read it. Either `content` or `link` of an entry is set; once a link was fetched, also `content` or `fault`. */
export type Page = {
  readonly transaction: Id<'transaction'>
  readonly number?: number
  readonly count?: number
  readonly body: PageBody
}

/** What is kept of a page until it is opened. */
export type PageBody = {
  readonly entries: readonly {
    readonly content?: string
    readonly link?: string
    /** Why its link has no content, and will have none. */
    readonly fault?: string
    readonly media?: string
    readonly checksum?: string
    readonly careContextReference: string
  }[]
  readonly key: {
    readonly keyValue: string
    readonly nonce: string
    readonly curve: string
    readonly algorithm: string
    readonly expiry: string
  }
}

export const OPEN_PAGE_JOB = 'hiu.open-page'
export type OpenPage = { readonly request: Id<'hiu-request'>; readonly page: number }

/** Whether a request has this push address. Asked before a page of many megabytes is read. */
export async function isPushAddress(tx: Tx, token: string): Promise<boolean> {
  const bucket = bucketOfToken(token)
  return bucket !== undefined && (await lockRequestByToken(tx, bucket, hashOfToken(token))) !== undefined
}

/**
 * Takes one page: stores it sealed, to be opened by a job. When this returns `true` the page is ours to keep, whatever happens next.
 * Pages may come in any order, twice, before the exchange has named the transaction, numbered from 0, from 1 or not at all.
 */
export async function receivePage(tx: Tx, needs: RequestNeeds, token: string, page: Page): Promise<true | Refusal> {
  const bucket = bucketOfToken(token)
  const request = bucket === undefined ? undefined : await lockRequestByToken(tx, bucket, hashOfToken(token))
  if (request === undefined) return refuse('hiu/unknown-push')
  const number = page.number ?? 0
  const contentHash = hashOf(page.body)
  const fault = await faultOf(tx, request, page)
  const same = (await pagesOf(tx, request)).find((other) => other.number === number)
  // A repetition was acknowledged before and gets the same answer, unless its consent ended meanwhile.
  if (
    same !== undefined &&
    same.contentHash.equals(contentHash) &&
    (fault === undefined || fault.code === 'hiu/push-late')
  )
    return true
  if (fault !== undefined) return refusePage(tx, needs, request, number, fault)
  if (same !== undefined && (same.status !== 'failed' || request.status === 'complete')) {
    const reason = `A second page ${number} with other content came; the first was kept.`
    const recorded = await record<PageEvent>(tx, {
      ...pageEvent(needs, request, number),
      type: 'hiu.page-conflict',
      contentSha256: contentHash.toString('hex'),
    })
    await addPageFinding(tx, recorded, request, same, { severity: 'warning', says: reason })
    await announce(tx, recorded)
    return true
  }
  await storePage(tx, needs, request, page, number, contentHash)
  return true
}

async function storePage(
  tx: Tx,
  needs: RequestNeeds,
  request: DataRequest,
  page: Page,
  number: number,
  contentHash: Buffer,
): Promise<void> {
  const count = announcedPages(page.count)
  const findings: PageFinding[] = []
  if (isOutOfCount(number, count))
    findings.push({ severity: 'warning', says: `Page ${number} of ${count}: the number is beyond the count.` })
  if (request.pageCount !== null && request.pageCount !== count)
    findings.push({
      severity: 'warning',
      says: `An earlier page announced ${request.pageCount} pages, this one ${count}; the larger counts.`,
    })
  const recorded = await record<PageEvent>(tx, {
    ...pageEvent(needs, request, number),
    type: 'hiu.page-received',
    contentSha256: contentHash.toString('hex'),
  })
  await savePage(tx, recorded, request, number, contentHash, page.body, findings)
  await moveRequest(tx, recorded, request, {
    status: next('request', request.status, 'page') ?? request.status,
    pageCount: Math.max(request.pageCount ?? 1, count),
    ...(request.transaction === undefined ? { transaction: page.transaction } : {}),
  })
  await enqueue(tx, { kind: OPEN_PAGE_JOB, payload: { request: request.id, page: number } satisfies OpenPage })
  await announce(tx, recorded)
}

async function faultOf(tx: Tx, request: DataRequest, page: Page): Promise<Refusal | undefined> {
  const artefact = await findArtefact(tx, request.patient, request.artefact)
  if (
    artefact?.status !== 'granted' ||
    artefact.eraseAt === undefined ||
    artefact.eraseAt <= tx.now ||
    request.status === 'erased'
  )
    return refuse('hiu/push-refused')
  if (request.status === 'failed' || request.status === 'postponed' || request.status === 'replaced')
    return refuse('hiu/push-late', 'The request for this data was refused; it was not stored.')
  if (request.status !== 'complete' && request.keyExpiresAt <= tx.now) return refuse('hiu/push-late')
  // Until the exchange has answered, whoever knows the address is believed: only the HIP was told it.
  if (request.transaction !== undefined && request.transaction !== page.transaction)
    return refuse('hiu/other-transaction')
  if (
    request.status === 'complete' &&
    !(await pagesOf(tx, request)).some((other) => other.number === (page.number ?? 0))
  ) {
    return refuse('hiu/push-late', 'All announced pages had come and the key was destroyed; this one was not stored.')
  }
  return undefined
}

async function refusePage(
  tx: Tx,
  needs: RequestNeeds,
  request: DataRequest,
  number: number,
  why: Refusal,
): Promise<Refusal> {
  await announce(
    tx,
    await record<PageEvent>(tx, { ...pageEvent(needs, request, number), type: 'hiu.page-refused', reason: why.code }),
  )
  return why
}

export function pageEvent(needs: Pick<RequestNeeds, 'facility'>, request: DataRequest, page: number) {
  return {
    actor: { kind: 'facility', id: needs.facility.id },
    patient: request.patient,
    subject: request.artefact,
    request: request.id,
    page,
  } as const
}

/** Two pages are the same when they hold the same ciphertexts, for the same care contexts, by the same key. */
function hashOf({ entries, key }: PageBody): Buffer {
  const parts = [
    key.keyValue,
    key.nonce,
    ...entries.flatMap((entry) => [
      entry.careContextReference,
      entry.content ?? '',
      entry.link ?? '',
      entry.checksum ?? '',
    ]),
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest()
}

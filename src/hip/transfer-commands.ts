import type { Access } from '../audit/access.ts'
import { announce, record } from '../audit/record.ts'
import { disclosureStop } from '../audit/watch/alarm.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { canMove } from '../kernel/moves.ts'
import type { ProblemCode } from '../kernel/problems.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { HeldArtefact } from './artefact.ts'
import { loadArtefact } from './store-artefacts.ts'
import * as store from './store-transfers.ts'
import {
  type ContextStatus,
  type DataRequest,
  deadlineOf,
  isSettled,
  judge,
  mayStillSend,
  type Omissions,
  type Outcome,
  type Page,
  summarise,
  TRANSFER_MOVES,
  type Transfer,
} from './transfer.ts'

export type TransferNeeds = {
  readonly facility: { readonly id: FacilityId }
  readonly exchange: { readonly id: string }
}

export const COLLECT_JOB = 'hip.collect'
export const PUSH_JOB = 'hip.push'
export const DEADLINE_JOB = 'hip.deadline'
export type PushPayload = store.TransferKey & { readonly page: number }

/**
 * Takes a request for health information from the exchange. A result is to be acknowledged, and the pages follow by themselves; after
 * a refusal nothing is ever pushed for this transaction. A repeated transaction gets the first answer again, without effect.
 */
export async function acceptRequest(
  tx: Tx,
  needs: TransferNeeds,
  request: DataRequest,
): Promise<{ readonly transactionId: Id<'transaction'> } | Refusal> {
  const known = await store.loadTransfer(tx, request)
  if (known !== undefined) {
    return known.status === 'refused' ? readRefusal(known.refusal) : { transactionId: request.transactionId }
  }
  const held = await loadArtefact(tx, request.consentId)
  const decision =
    (await disclosureStop(tx)) ??
    judge(request, held, needs.facility.id, await store.earlierRequests(tx, request), tx.now)
  const patient = held?.detail?.patient.id
  const about = {
    actor: { kind: 'exchange', id: needs.exchange.id } as Actor,
    subject: request.transactionId,
    consent: request.consentId,
    ...(patient === undefined ? {} : { patient }),
  }
  const whose = { patient: patient ?? '', hiu: held?.detail?.hiu?.id ?? '' }
  if (isRefusal(decision)) {
    const recorded = await record(tx, {
      type: 'hip.request-refused',
      ...about,
      code: decision.code,
      detail: decision.detail,
    })
    await store.insertTransfer(
      tx,
      recorded,
      request,
      whose,
      JSON.stringify({ code: decision.code, detail: decision.detail }),
    )
    await announce(tx, recorded)
    return decision
  }
  const recorded = await record(tx, {
    type: 'hip.request-accepted',
    ...about,
    recipient: whose.hiu,
    from: request.range.from.toISOString(),
    to: request.range.to.toISOString(),
    outcome: decision.outcome,
    rules: decision.explain.map(({ rule }) => rule),
    policyVersion: decision.policyVersion,
  })
  await store.insertTransfer(tx, recorded, request, whose)
  const key = { consentId: request.consentId, transactionId: request.transactionId }
  await enqueue(tx, { kind: COLLECT_JOB, payload: key })
  await enqueue(tx, { kind: DEADLINE_JOB, payload: key, runAt: deadlineOf(tx.now) })
  await announce(tx, recorded)
  return { transactionId: request.transactionId }
}

function readRefusal(kept: string | null): Refusal {
  const { code, detail } = JSON.parse(kept ?? '{}') as { code?: ProblemCode; detail?: string }
  return refuse(code ?? 'hip/not-permitted', detail)
}

/** What a transfer rests on, if it is still collecting and may go on; it is ended here when it may not. */
export async function beginCollecting(
  tx: Tx,
  needs: TransferNeeds,
  key: store.TransferKey,
): Promise<{ readonly transfer: Transfer; readonly held: HeldArtefact; readonly access: Access } | undefined> {
  const transfer = await store.lockTransfer(tx, key)
  if (transfer?.status !== 'collecting') return undefined
  const held = await loadArtefact(tx, key.consentId)
  const may = mayStillSend(transfer, held, needs.facility.id, tx.now)
  if (may === true && held !== undefined) {
    const access = await record(tx, {
      type: 'hip.records-opened' as const,
      actor: { kind: 'facility', id: needs.facility.id },
      patient: transfer.patient,
      subject: key.transactionId,
      consent: key.consentId,
      recipient: transfer.hiu,
    })
    await announce(tx, access)
    return { transfer, held, access }
  }
  await endTransfer(tx, needs, transfer, isRefusal(may) ? may.detail : undefined)
  return undefined
}

/** Keeps the sealed pages and lets them leave, each as a job of its own; with no page at all the transfer ends. */
export async function savePages(
  tx: Tx,
  needs: TransferNeeds,
  key: store.TransferKey,
  pages: readonly store.SealedPage[],
  omissions: Omissions,
): Promise<void> {
  const transfer = await store.lockTransfer(tx, key)
  if (transfer === undefined || !canMove(TRANSFER_MOVES, transfer.status, 'sending')) return
  const recorded = await record(tx, {
    type: 'hip.pages-sealed',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: transfer.patient,
    subject: key.transactionId,
    consent: key.consentId,
    pages: pages.length,
  })
  await store.moveTransfer(tx, recorded, key, transfer.status, {
    status: 'sending',
    pageCount: pages.length,
    omissions,
  })
  for (const page of pages) {
    await store.insertPage(tx, recorded, key, page)
    const payload: PushPayload = { consentId: key.consentId, transactionId: key.transactionId, page: page.number }
    await enqueue(tx, { kind: PUSH_JOB, payload })
  }
  await announce(tx, recorded)
  if (pages.length === 0) await endTransfer(tx, needs, { ...transfer, status: 'sending', omissions }, undefined)
}

/**
 * Decides, right before a try, whether a page may leave, and records that it is about to: from then on the requester may have it.
 * Undefined when it is settled, or was held back here.
 */
export async function beginPage(
  tx: Tx,
  needs: TransferNeeds,
  payload: PushPayload,
): Promise<{ readonly transfer: Transfer; readonly body: string } | undefined> {
  const transfer = await store.lockTransfer(tx, payload)
  if (transfer?.status !== 'sending') return undefined
  const page = await store.loadPage(tx, payload, payload.page)
  if (page === undefined || isSettled(page.status)) return undefined
  const may = mayStillSend(transfer, await loadArtefact(tx, payload.consentId), needs.facility.id, tx.now)
  if (isRefusal(may)) {
    await settle(tx, needs, transfer, page, { status: 'withheld', error: may.detail })
    await endIfDone(tx, needs, transfer)
    return undefined
  }
  const body = await store.loadPageBody(tx, payload, payload.page)
  if (body === undefined) throw new Error(`page ${payload.page} of ${payload.transactionId} waits without a body`)
  if (page.status === 'waiting') {
    const recorded = await record(tx, { type: 'hip.page-sending', ...aboutPage(needs, transfer, page) })
    await store.movePage(tx, recorded, payload, page.number, page.status, { status: 'sending' })
    await announce(tx, recorded)
  }
  return { transfer, body }
}

/** Settles a page after its last try, in the transaction that settles its job; the last page ends the transfer. */
export async function settlePage(
  tx: Tx,
  needs: TransferNeeds,
  payload: PushPayload,
  end:
    | { readonly status: 'sent' }
    | { readonly status: 'failed'; readonly error: string; readonly nothingSent: boolean },
): Promise<void> {
  const transfer = await store.lockTransfer(tx, payload)
  const page = await store.loadPage(tx, payload, payload.page)
  if (transfer === undefined || page === undefined) return
  if (!isSettled(page.status)) {
    await settle(tx, needs, transfer, page, end)
    await endIfDone(tx, needs, transfer)
  } else if (end.status === 'sent' && page.status !== 'sent') {
    // It was on its way when the consent ended or the time was over: it arrived all the same, and the log says so.
    await announce(
      tx,
      await record(tx, { type: 'hip.page-disclosed', ...aboutPage(needs, transfer, page), late: true }),
    )
  }
}

function aboutPage(needs: TransferNeeds, transfer: Transfer, page: Page) {
  return {
    actor: { kind: 'facility', id: needs.facility.id } as Actor,
    patient: transfer.patient as AbhaAddress,
    subject: transfer.transactionId,
    consent: transfer.consentId,
    recipient: transfer.hiu,
    page: page.number,
    careContextReference: page.careContextReference,
    hiType: page.hiType,
    narrowed: page.narrowed,
    documentHash: Buffer.from(page.documentHash).toString('hex'),
  }
}

type PageEnd =
  | { readonly status: 'sent' }
  | { readonly status: 'failed' | 'withheld'; readonly error: string; readonly nothingSent?: boolean }

const TYPE_OF_END = { sent: 'hip.page-disclosed', failed: 'hip.page-failed', withheld: 'hip.page-withheld' } as const

async function settle(tx: Tx, needs: TransferNeeds, transfer: Transfer, page: Page, end: PageEnd): Promise<void> {
  if (isSettled(page.status)) return
  const doubt =
    end.status === 'sent'
      ? {}
      : { error: end.error, mayHaveArrived: page.status === 'sending' && end.nothingSent !== true }
  const recorded = await record(tx, { type: TYPE_OF_END[end.status], ...aboutPage(needs, transfer, page), ...doubt })
  await store.movePage(tx, recorded, transfer, page.number, page.status, end)
  await announce(tx, recorded)
}

async function endIfDone(tx: Tx, needs: TransferNeeds, transfer: Transfer): Promise<void> {
  if (!(await store.hasOpenPages(tx, transfer))) await endTransfer(tx, needs, transfer, undefined)
}

/** Ends a transfer, with `why` for every page that is still open; the event tells `abdm/` to notify the exchange. */
async function endTransfer(tx: Tx, needs: TransferNeeds, transfer: Transfer, why: string | undefined): Promise<void> {
  if (!canMove(TRANSFER_MOVES, transfer.status, 'ended')) return
  if (why !== undefined) {
    for (const page of await store.listPages(tx, transfer))
      await settle(tx, needs, transfer, page, { status: 'withheld', error: why })
  }
  const held = await loadArtefact(tx, transfer.consentId)
  const pages = await store.listPages(tx, transfer)
  const contexts = (held?.detail?.careContexts ?? []).map(({ careContextReference }) => careContextReference)
  const everything =
    why === undefined || transfer.status === 'sending'
      ? transfer.omissions
      : Object.fromEntries(contexts.map((context) => [context, why]))
  const summary = summarise(contexts, pages, everything)
  const recorded = await record(tx, {
    type: 'hip.transfer-ended',
    actor: { kind: 'facility', id: needs.facility.id },
    patient: transfer.patient,
    subject: transfer.transactionId,
    consent: transfer.consentId,
    recipient: transfer.hiu,
    outcome: summary.outcome,
    contexts: summary.contexts,
  } satisfies TransferEnded)
  await store.moveTransfer(tx, recorded, transfer, transfer.status, { status: 'ended', outcome: summary.outcome })
  await announce(tx, recorded)
}

/** What `abdm/` hears when a transfer has ended. */
export type TransferEnded = {
  readonly type: 'hip.transfer-ended'
  readonly actor: Actor
  readonly patient: string
  readonly subject: Id<'transaction'>
  readonly consent: Id<'artefact'>
  readonly recipient: string
  readonly outcome: Outcome
  readonly contexts: readonly ContextStatus[]
}

/** Stops all transfers under a consent: pages that wait are held back, and those on their way are said to be in doubt. */
export async function stopTransfers(
  tx: Tx,
  needs: TransferNeeds,
  consentId: Id<'artefact'>,
  why: string,
): Promise<void> {
  for (const key of await store.openTransfers(tx, consentId)) {
    const transfer = await store.lockTransfer(tx, key)
    if (transfer !== undefined) await endTransfer(tx, needs, transfer, why)
  }
}

/** When the time is over: what is open is held back, and the exchange is told. */
export async function closeTransfer(tx: Tx, needs: TransferNeeds, key: store.TransferKey): Promise<void> {
  const transfer = await store.lockTransfer(tx, key)
  if (transfer !== undefined) await endTransfer(tx, needs, transfer, 'It could not be delivered within 20 minutes.')
}

/** The facility's accounting of disclosures: settled pages, newest first. */
export async function listDisclosures(
  tx: Tx,
  filter: { readonly patient?: string; readonly before?: string; readonly limit: number },
): Promise<readonly store.Disclosure[]> {
  return store.listDisclosures(tx, filter)
}

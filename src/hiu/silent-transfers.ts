import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { DataEvent } from './hiu.ts'
import { isSilent, type ProviderReport } from './provider-report.ts'
import { asksDue, saveAsk } from './report-store.ts'
import { dataEvent, endTransfer, type RequestNeeds } from './requests.ts'
import { type DataRequest, findRequest, lockRequest, pagesOf } from './transfer-store.ts'

/** Asks the exchange how a transfer stands that has been silent for a while. */
export const ASK_STATUS_JOB = 'hiu.ask-status'
export type AskStatus = { readonly request: Id<'hiu-request'>; readonly transaction: Id<'transaction'> }

/** Lets the exchange be asked for a transfer when no page came for a while, each time after a longer pause, a few times only. */
export async function askIfSilent(tx: Tx, needs: RequestNeeds, id: Id<'hiu-request'>): Promise<void> {
  const request = await lockRequest(tx, id)
  if (request?.transaction === undefined || !isUnderWay(request)) return
  const before = await asksDue(tx, request)
  if (before === undefined || !isSilent(await pagesOf(tx, request), tx.now)) return
  const { transaction } = request
  const recorded = await record<DataEvent>(tx, {
    ...dataEvent(needs, request),
    type: 'hiu.transfer-asked',
    transaction,
  })
  const delayMs = LIMITS.silentTransferAskDelaysMs[before + 1]
  await saveAsk(tx, recorded, request, before + 1, delayMs === undefined ? null : new Date(tx.now.getTime() + delayMs))
  await enqueue(tx, { kind: ASK_STATUS_JOB, payload: { request: request.id, transaction } satisfies AskStatus })
  await announce(tx, recorded)
}

/** Whether the transfer still waits for pages, so that the question is worth asking. */
export async function isAwaited(tx: Tx, { request: id, transaction }: AskStatus): Promise<boolean> {
  const request = await findRequest(tx, id)
  return request !== undefined && isUnderWay(request) && request.transaction === transaction
}

/**
 * The provider sends no more: the transfer ends with its reasons, unless a page came meanwhile. The key is kept as at the deadline, so
 * that a page which comes all the same is still welcome.
 */
export async function takeProviderReport(
  tx: Tx,
  needs: RequestNeeds,
  { request: id, transaction }: AskStatus,
  report: ProviderReport,
): Promise<void> {
  const request = await lockRequest(tx, id)
  if (request === undefined || !isUnderWay(request) || request.transaction !== transaction) return
  if (!isSilent(await pagesOf(tx, request), tx.now)) return
  await endTransfer(tx, needs, request, 'incomplete', report)
}

function isUnderWay({ status }: DataRequest): boolean {
  return status === 'acknowledged' || status === 'receiving'
}

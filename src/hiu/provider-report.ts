import { LIMITS } from '../kernel/limits.ts'
import type { PageState } from './hiu.ts'

/** How a provider told the exchange that it sends no more. */
export type ProviderReport = {
  readonly status: 'FAILED' | 'TRANSFERRED'
  /** Of the request as a whole. */
  readonly reason?: string
  readonly contexts: readonly {
    readonly careContextReference: string
    readonly hiStatus: string
    readonly description?: string
  }[]
}

const CAME = new Set(['DELIVERED', 'OK'])

/** Why a care context did not come, in the provider's words where it has any. */
export function whyNotSent(report: ProviderReport, careContextReference: string): string {
  const told = report.contexts.find((context) => context.careContextReference === careContextReference)
  if (told?.description !== undefined && !CAME.has(told.hiStatus)) return `The provider says: ${told.description}`
  if (told !== undefined && CAME.has(told.hiStatus)) return 'The provider says that it was delivered; it did not come.'
  return whyEnded(report)
}

/** Why the transfer as a whole ended before all pages came. */
export function whyEnded({ status, reason }: ProviderReport): string {
  const words =
    status === 'FAILED'
      ? 'The provider reported that the transfer failed.'
      : 'The provider reported the transfer as done, and not all pages came.'
  return reason === undefined ? words : `${words} ${reason}`
}

/** Whether no page came for a while: the provider tells the exchange after its last page was answered, others may be on their way. */
export function isSilent(pages: readonly Pick<PageState, 'status' | 'receivedAt'>[], now: Date): boolean {
  return pages.every(
    ({ status, receivedAt }) =>
      status !== 'stored' && now.getTime() - receivedAt.getTime() >= LIMITS.silentTransferAskDelaysMs[0],
  )
}

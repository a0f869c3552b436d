import type { Machine } from '../db/tx.ts'
import type { ProviderReport } from '../hiu/provider-report.ts'
import type { Outbound } from '../http/outbound.ts'
import { bucketOfId, type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isGiven } from './consent-messages.ts'
import { dataStatus } from './data-messages.ts'

type Needs = {
  readonly facility: { readonly id: FacilityId }
  readonly outbound: Pick<Outbound, 'call'>
  /** Of the exchange; ends in `/api/hiecm`. */
  readonly baseUrl: string
  /** Our session at the exchange. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>
  readonly tokenRefused: () => void
}

/**
 * Asks the exchange how a transfer stands (protocol sheet 2.5 no. 7). Gives the provider's report when it has said that it sends no
 * more; undefined for everything else: not done, no answer, or one in another shape, which no source describes.
 */
export function makeTransferReports(
  needs: Needs,
): (machine: Pick<Machine, 'now' | 'random'>, transaction: Id<'transaction'>) => Promise<ProviderReport | undefined> {
  return async (machine, transaction) => {
    const now = machine.now()
    const outcome = await needs.outbound.call({
      method: 'GET',
      url: `${needs.baseUrl}/data-flow/v3/health-information/request/status/${transaction}`,
      headers: {
        accept: 'application/json',
        'REQUEST-ID': makeId(now, machine.random, bucketOfId(transaction)),
        TIMESTAMP: now.toISOString(),
        'X-HIU-ID': needs.facility.id,
        ...(await needs.headers()),
      },
    })
    if (outcome.kind !== 'answered') return undefined
    if (outcome.status === 401) needs.tokenRefused()
    return outcome.status === 200 ? reportIn(outcome.body.toString('utf8'), transaction) : undefined
  }
}

function reportIn(text: string, transaction: Id<'transaction'>): ProviderReport | undefined {
  const parsed = dataStatus.safeParse(readJson(text))
  if (!parsed.success || parsed.data.hiRequest.transactionId !== transaction) return undefined
  const { hip } = parsed.data.hiRequest
  const { error } = parsed.data
  const status =
    hip.sessionStatus === 'TRANSFERRED'
      ? 'TRANSFERRED'
      : hip.sessionStatus === 'FAILED' || hip.sessionStatus === 'REFUSED'
        ? 'FAILED'
        : undefined
  if (status === undefined) return undefined
  return {
    status,
    contexts: (hip.statusResponses ?? []).map(({ careContextReference, hiStatus, description }) => ({
      careContextReference,
      hiStatus,
      ...(isGiven(description) && description.trim() !== '' ? { description: description.trim() } : {}),
    })),
    ...(isGiven(error) ? { reason: `${error.code}: ${error.message}`.slice(0, LIMITS.textCharsMax) } : {}),
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

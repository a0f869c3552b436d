import type { AuditEvent } from '../audit/record.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { type ProblemCode } from '../kernel/problems.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Decision, Rule } from '../policy/gate.ts'
import type { Period } from '../policy/period.ts'

/** How far the provider is. `REFUSED`: it answered the request with an error. */
export type HipStatus = 'REQUESTED' | 'ACKNOWLEDGED' | 'REFUSED' | 'FAILED' | 'PARTIAL_TRANSFERRED' | 'TRANSFERRED'
/** What the recipient said; undefined until it says something. */
export type HiuStatus = 'FAILED' | 'PARTIAL_RECEIVED' | 'RECEIVED'

/** How one care context fared, in the words of one side. */
export type ContextOutcome = {
  readonly careContextReference: string
  readonly hiStatus: string
  readonly description?: string
}

/** One request for health information under a consent: ABDM's transaction. */
export type DataRequest = {
  readonly id: Id<'transaction'>
  readonly consent: Id<'artefact'>
  readonly patient: AbhaAddress
  readonly hip: FacilityId
  readonly hiu: FacilityId
  readonly dateRange: Period
  readonly askedAt: Date
  /** REQUEST-ID of the HIU's call: what our answers to it repeat. */
  readonly hiuRequestId: string
  readonly hipStatus: HipStatus
  readonly hipAt: Date
  readonly hipOutcomes: readonly ContextOutcome[]
  readonly hiuStatus?: HiuStatus
  readonly hiuAt?: Date
  readonly hiuOutcomes: readonly ContextOutcome[]
  readonly error?: { readonly code: string; readonly message: string }
}

/**
 * Every legal move of both sides. Moves only go towards more knowledge, so messages that come twice, late or out of order end in the
 * same state: a transfer that took place is noted even if a failure was noted before it.
 */
export const MOVES = {
  provider: {
    REQUESTED: {
      acknowledge: 'ACKNOWLEDGED',
      refuse: 'REFUSED',
      fail: 'FAILED',
      part: 'PARTIAL_TRANSFERRED',
      transfer: 'TRANSFERRED',
    },
    ACKNOWLEDGED: { refuse: 'REFUSED', fail: 'FAILED', part: 'PARTIAL_TRANSFERRED', transfer: 'TRANSFERRED' },
    REFUSED: { part: 'PARTIAL_TRANSFERRED', transfer: 'TRANSFERRED' },
    FAILED: { part: 'PARTIAL_TRANSFERRED', transfer: 'TRANSFERRED' },
    PARTIAL_TRANSFERRED: { transfer: 'TRANSFERRED' },
    TRANSFERRED: {},
  },
  recipient: {
    WAITING: { fail: 'FAILED', part: 'PARTIAL_RECEIVED', receive: 'RECEIVED' },
    FAILED: { part: 'PARTIAL_RECEIVED', receive: 'RECEIVED' },
    PARTIAL_RECEIVED: { receive: 'RECEIVED' },
    RECEIVED: {},
  },
} as const satisfies {
  readonly provider: Record<HipStatus, Readonly<Record<string, HipStatus>>>
  readonly recipient: Record<HiuStatus | 'WAITING', Readonly<Record<string, HiuStatus>>>
}

export type ProviderVerb = 'acknowledge' | 'refuse' | 'fail' | 'part' | 'transfer'
export type RecipientVerb = 'fail' | 'part' | 'receive'

/** The status after `verb`, or undefined when the message brings nothing new. */
export function moveProvider(status: HipStatus, verb: ProviderVerb): HipStatus | undefined {
  const moves: Readonly<Record<string, HipStatus>> = MOVES.provider[status]
  return moves[verb]
}

/** The status after `verb`, or undefined when the message brings nothing new. */
export function moveRecipient(status: HiuStatus | undefined, verb: RecipientVerb): HiuStatus | undefined {
  const moves: Readonly<Record<string, HiuStatus>> = MOVES.recipient[status ?? 'WAITING']
  return moves[verb]
}

/** What this room writes into the log, each in one sentence. */
export const EVENTS = {
  'transfer.requested':
    'A facility asked for health information under a consent, and the request was routed to the provider.',
  'transfer.refused': 'A request for health information was refused by the exchange.',
  'transfer.acknowledged': 'The provider took the request for health information.',
  'transfer.declined': 'The provider answered the request for health information with an error.',
  'transfer.undelivered': 'The request for health information could not be delivered to the provider.',
  'transfer.provider-reported': 'The provider said how the transfer ended.',
  'transfer.recipient-reported': 'The recipient said how the transfer ended.',
} as const

type About = AuditEvent & {
  readonly patient: string
  /** The transaction; for a refusal the consent. */
  readonly subject: string
  readonly hiu: string
  readonly hip: string
  readonly consent: string
}
export type TransferRequestedEvent = About & {
  readonly type: 'transfer.requested'
  readonly dateRange: { readonly from: string; readonly to: string }
  readonly hiTypes: readonly string[]
  readonly purpose: string
  readonly decision: DecisionJson
}
export type TransferRefusedEvent = About & {
  readonly type: 'transfer.refused'
  readonly code: string
  readonly decision: DecisionJson
}
export type ProviderEvent = About & {
  readonly type: 'transfer.acknowledged' | 'transfer.declined' | 'transfer.undelivered' | 'transfer.provider-reported'
  readonly status: HipStatus
  readonly error?: { readonly code: string; readonly message: string }
}
export type RecipientEvent = About & { readonly type: 'transfer.recipient-reported'; readonly status: HiuStatus }

export type DecisionJson = {
  readonly outcome: string
  readonly policyVersion: string
  readonly rules: readonly string[]
}

/** A decision of the gate as the log keeps it. */
export function decisionJson({ outcome, policyVersion, explain }: Decision): DecisionJson {
  return { outcome, policyVersion, rules: explain.map(({ rule }) => rule) }
}

const CODE_OF_RULE: Partial<Record<Rule, ProblemCode>> = {
  'consent-revoked': 'transfer/not-granted',
  'consent-expired': 'transfer/consent-expired',
  'consent-not-acknowledged': 'transfer/not-acknowledged',
  'frequency-used-up': 'transfer/too-often',
  'outside-period': 'transfer/outside-range',
}

/** A data request is granted whole or refused: what the gate would narrow, the exchange refuses (protocol sheet 5). */
export function refusalOf(decision: Decision, consented: Period): Refusal | undefined {
  if (decision.outcome === 'allow') return undefined
  const why = decision.withheld[0]?.why
  const rule = why !== undefined && why !== 'no-consent' ? why : (decision.explain[0]?.rule ?? 'no-consent')
  const code = CODE_OF_RULE[rule] ?? 'transfer/not-permitted'
  if (code === 'transfer/too-often') {
    const at = decision.nextAt?.toISOString() ?? 'a later time'
    return refuse(code, `The consent permits the next data request at ${at}.`, 'hiRequest.consent.id')
  }
  if (code === 'transfer/outside-range') {
    const range = `${consented.from.toISOString()} to ${consented.to.toISOString()}`
    return refuse(code, `The date range must lie inside that of the consent: ${range}.`, 'hiRequest.dateRange')
  }
  return refuse(code, decision.explain.find((told) => told.rule === rule)?.says, 'hiRequest.consent.id')
}

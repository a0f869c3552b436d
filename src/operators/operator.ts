import type { AuditEvent } from '../audit/record.ts'

/** `ended`: its secret is gone; the name stays, since the log knows it. */
export type OperatorStatus = 'active' | 'ended'

export const OPERATOR_MOVES = {
  none: ['active'],
  // To itself: who lost her phone gets another secret.
  active: ['active', 'ended'],
  ended: ['active'],
} as const satisfies Record<OperatorStatus | 'none', readonly OperatorStatus[]>

/** A person who runs this party and proves by codes of an authenticator app that it is she. */
export type Operator = {
  readonly name: string
  readonly status: OperatorStatus
  readonly enrolledAt: Date
  /** Of the newest code that was used; undefined when none was. */
  readonly provedAt?: Date
}

const NAME = /^[a-z0-9][a-z0-9._-]{1,38}[a-z0-9]$/
/** Names of software and of unproved operators in the log. */
const TAKEN: ReadonlySet<string> = new Set(['operator', 'recovery', 'console', 'sandbox', 'system', 'desk'])

/** Reads the name of an operator, any case: 3 to 40 letters, digits, `.`, `_`, `-`; undefined when it is none. */
export function parseOperatorName(text: string): string | undefined {
  const lower = text.trim().toLowerCase()
  return NAME.test(lower) && !TAKEN.has(lower) ? lower : undefined
}

/** Reads what `X-Operator-Code` holds: `name:123456`; undefined when it is not that. */
export function parseOperatorCode(text: string): { readonly name: string; readonly code: string } | undefined {
  const [, given = '', digits = ''] = /^\s*([^:]{1,60}):\s*([0-9]{3} ?[0-9]{3})\s*$/.exec(text) ?? []
  const name = parseOperatorName(given)
  return name === undefined ? undefined : { name, code: digits.replace(' ', '') }
}

/** `act`: the route that was called, as its table names it. */
export type OperatorEvent = AuditEvent & {
  readonly type:
    | 'operator.enrolled'
    | 'operator.renewed'
    | 'operator.ended'
    | 'operator.proved'
    | 'operator.proof-failed'
  readonly subject: string
  readonly act?: string
}

export const EVENTS = {
  'operator.enrolled': 'An operator was enrolled on the machine of this party, with an authenticator app.',
  'operator.renewed': 'An operator got another secret for the authenticator app; codes of the old one prove nothing.',
  'operator.ended': 'An operator was ended: codes of that name prove nothing any more.',
  'operator.proved': 'An operator proved by a one-time code who does a grave act, and did or tried it.',
  'operator.proof-failed': 'A one-time code for a grave act of an operator was wrong.',
} as const

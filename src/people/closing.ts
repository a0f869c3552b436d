import type { AuditEvent } from '../audit/record.ts'
import type { AbhaAddress } from '../kernel/id.ts'

/**
 * What becomes of an account that its patient closes (DPDP s.6(4), s.8(7)). `stopped`: nobody gets in, and all that she had allowed ends.
 * `held`: a law says that it is kept, unused, until a day; until then it can be opened again. `erased`: its key is destroyed, its rows
 * are gone. An account without a row in the table is active.
 */
export type ClosingStatus = 'active' | 'stopped' | 'held' | 'erased'

export const CLOSING_MOVES = {
  active: ['stopped'],
  stopped: ['held'],
  held: ['active', 'erased'],
  erased: [],
} as const satisfies Record<ClosingStatus, readonly ClosingStatus[]>

export type AccountHoldReason = 'processing-records'

const DAY_MS = 86_400_000

/** Why a closed account is kept, and for how long after it was closed: a year, also a leap year. */
export const ACCOUNT_HOLDS = {
  'processing-records': { law: 'Digital Personal Data Protection Rules 2025, r.8(3)', days: 366 },
} as const satisfies Record<AccountHoldReason, { readonly law: string; readonly days: number }>

export type AccountHold = { readonly reason: AccountHoldReason; readonly until: Date }

/**
 * How long an account is kept that was closed at `closedAt`. What had to end after that is told within the day to spare that the year has;
 * when ending it took longer than that, the year begins where all had ended.
 */
export function accountHold(closedAt: Date, endedAt = closedAt): AccountHold {
  const reason = 'processing-records'
  const from = endedAt.getTime() - closedAt.getTime() > DAY_MS ? endedAt : closedAt
  return { reason, until: new Date(from.getTime() + ACCOUNT_HOLDS[reason].days * DAY_MS) }
}

/** Until when a closed account is kept, and by which law; also while things of hers still end. */
export function holdOf(closing: Closing): AccountHold {
  return closing.status === 'held' ? closing.hold : accountHold(closing.closedAt)
}

type InStatus = { readonly status: 'stopped' } | { readonly status: 'held'; readonly hold: AccountHold }

/** An account that was closed. */
export type Closing = { readonly patient: AbhaAddress; readonly closedAt: Date } & InStatus
export type Held = Extract<Closing, { status: 'held' }>

export const EVENTS = {
  'people.account-closed': 'The patient closed her account: nobody signs in to it any more.',
  'people.account-held':
    'All that a closed account had allowed has ended; it is kept, unused, as long as the law demands.',
  'people.account-reopened':
    'A closed account was opened again, at the patient’s wish; nothing that had ended came back.',
  'people.account-erased': 'A closed account was erased: its key is destroyed, its rows are gone. Names nobody.',
} as const

export type ClosingEvent = AuditEvent & { readonly patient: AbhaAddress } & (
    | { readonly type: 'people.account-closed'; readonly wish?: string }
    | { readonly type: 'people.account-held'; readonly reason: string; readonly law: string; readonly until: string }
    | { readonly type: 'people.account-reopened'; readonly wish: string }
  )

/** Says nothing about anybody: its patient is not known here any more. */
export type ErasedAccountEvent = AuditEvent & {
  readonly type: 'people.account-erased'
  /** After a restore of a copy of the database that was older than the erasure. */
  readonly again?: true
}

import type { AuditEvent } from '../audit/record.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import type { ErasureReason } from './hiu.ts'

/**
 * What becomes of a copy received under a consent (DPDP Act s.8(7)). `active`: the consent lasts. `stopped`: it has ended, nobody reads
 * the copy any more. `held`: a law says that it is kept, sealed, until a day. `erased`: its key is destroyed, its rows are gone.
 */
export type CopyStatus = 'active' | 'stopped' | 'held' | 'erased'

export const COPY_MOVES = {
  active: ['stopped'],
  stopped: ['held', 'erased'],
  held: ['erased'],
  erased: [],
} as const satisfies Record<CopyStatus, readonly CopyStatus[]>

export type HoldReason = 'clinical-records' | 'processing-records' | 'legal-claim'

const DAY_MS = 86_400_000

/**
 * Why the law may demand that a copy outlives its consent. A facility names in its settings which of the first two hold for it;
 * `legal-claim` is put on one copy by hand. `days` counts from the moment that the reason names.
 */
export const HOLDS = {
  /** Only what was used in treating: a copy that somebody read. */
  'clinical-records': {
    law: 'Indian Medical Council (Professional Conduct, Etiquette and Ethics) Regulations 2002, reg. 1.3.1',
    from: 'first-read',
    days: 3 * 365 + 1,
  },
  'processing-records': { law: 'Digital Personal Data Protection Rules 2025, r.8(3)', from: 'received', days: 365 },
  'legal-claim': { law: 'Digital Personal Data Protection Act 2023, s.17(1)(a)', from: 'by-hand' },
} as const satisfies Record<
  HoldReason,
  | { readonly law: string; readonly from: 'first-read' | 'received'; readonly days: number }
  | { readonly law: string; readonly from: 'by-hand' }
>

/** Reasons that hold by themselves, for the facilities that name them. */
export const HOLDS_BY_SETTING = ['clinical-records', 'processing-records'] as const satisfies readonly HoldReason[]
export type HoldBySetting = (typeof HOLDS_BY_SETTING)[number]

export type Hold = { readonly reason: HoldReason; readonly until: Date }

/** What a hold is decided by. */
export type CopyFacts = {
  readonly documents: number
  readonly lastReceivedAt?: Date
  readonly firstReadAt?: Date
  /** A legal claim that was put on this copy. */
  readonly claim?: { readonly until: Date }
}

/** The law that keeps a stopped copy longest; undefined when none does. An empty copy is not kept, nor one whose time is over. */
export function holdFor(reasons: readonly HoldBySetting[], facts: CopyFacts, now: Date): Hold | undefined {
  if (facts.documents === 0) return undefined
  const holds: Hold[] = facts.claim === undefined ? [] : [{ reason: 'legal-claim', until: facts.claim.until }]
  for (const reason of reasons) {
    const { from, days } = HOLDS[reason]
    const start = from === 'first-read' ? facts.firstReadAt : facts.lastReceivedAt
    if (start !== undefined) holds.push({ reason, until: new Date(start.getTime() + days * DAY_MS) })
  }
  return holds.filter(({ until }) => until > now).sort((a, b) => b.until.getTime() - a.until.getTime())[0]
}

/** A copy is kept because a law demands it: the exchange is told, and the patient reads until when and why. */
export type CopyHeldEvent = AuditEvent & {
  readonly type: 'hiu.copy-held' | 'hiu.copy-claimed' | 'hiu.claim-lifted'
  readonly patient: AbhaAddress
  readonly subject: Id<'artefact'>
  readonly reason: HoldReason
  readonly law: string
  readonly until: string
  readonly documents: number
  readonly ended?: ErasureReason
  readonly reference?: string
  /** Which operator made or lifted the claim. */
  readonly by?: string
}

/** After a restore: the key of a copy that the database shows as active was destroyed already. */
export type CopyStoppedAgainEvent = AuditEvent & {
  readonly type: 'hiu.copy-stopped-again'
  readonly patient: AbhaAddress
  readonly subject: Id<'artefact'>
  readonly reason: ErasureReason
}

import type { AuditEvent } from '../audit/record.ts'
import type { AbhaAddress, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'

/**
 * A look of which an authority forbids in writing to tell the patient (DPDP Rules 2025, r.23(2); s.11(2)). One person enters the order,
 * another confirms it; it ends by itself. Until then the patient is told that there are such entries, and how many.
 */
export type WithholdingStatus = 'proposed' | 'in-force' | 'lifted'

export const WITHHOLDING_MOVES = {
  proposed: ['in-force', 'lifted'],
  'in-force': ['lifted'],
  lifted: [],
} as const satisfies Record<WithholdingStatus, readonly WithholdingStatus[]>

/** The order, as it lies in the files of the party. */
export type WithholdingOrder = {
  readonly authority: string
  readonly number: string
  /** Its day, as YYYY-MM-DD. */
  readonly dated: string
  /** The law that it rests on. */
  readonly law: string
}

export type Withholding = {
  readonly id: Id<'withholding'>
  readonly patient: AbhaAddress
  readonly event: Id<'event'>
  readonly status: WithholdingStatus
  readonly order: WithholdingOrder
  readonly until: Date
  readonly proposedBy: string
  readonly confirmedBy?: string
}

/** In plain in the log, so it says nothing of whom and of which look: `subject` leads to the sealed row. */
export type WithholdingEvent = AuditEvent & {
  readonly type: 'rights.withholding-proposed' | 'rights.withholding-confirmed' | 'rights.withholding-lifted'
  readonly subject: Id<'withholding'>
  readonly by: string
  readonly until?: string
}

export const EVENTS = {
  'rights.withholding-proposed': 'Somebody entered an order of an authority not to tell a patient of a look for now.',
  'rights.withholding-confirmed': 'A second person confirmed it: the look is withheld from the patient until a day.',
  'rights.withholding-lifted': 'A look is told to the patient before the end of the order.',
} as const

/** Whether an order may be entered with this end. */
export function checkUntil(until: Date, now: Date): Refusal | undefined {
  if (until <= now) return refuse('rights/invalid-until', 'until must lie in the future.', 'until')
  const daysMax = LIMITS.withholdingMsMax / 86_400_000
  return until.getTime() - now.getTime() > LIMITS.withholdingMsMax
    ? refuse(
        'rights/invalid-until',
        `until may lie at most ${daysMax} days ahead; a longer order is entered anew.`,
        'until',
      )
    : undefined
}

/** Whether `by` may confirm: not who entered it, and not after its end. */
export function checkConfirmation({ proposedBy, until }: Withholding, by: string, now: Date): Refusal | undefined {
  if (by.trim().toLowerCase() === proposedBy.trim().toLowerCase()) return refuse('rights/same-person', undefined, 'by')
  return checkUntil(until, now)
}

/** Whether the look is withheld at a moment. */
export function isWithheldAt({ status, until }: Pick<Withholding, 'status' | 'until'>, now: Date): boolean {
  return status === 'in-force' && now < until
}

import type { Actor } from '../kernel/caller.ts'
import type { Id } from '../kernel/id.ts'
import type { StepUpAct } from '../kernel/step-up-act.ts'
import type { KeyOwner } from './passkey.ts'

export type StepUpStatus = 'waiting' | 'proved' | 'spent'

export const STEP_UP_MOVES = {
  waiting: ['waiting', 'proved', 'spent'],
  proved: ['spent'],
  spent: [],
} as const satisfies Record<StepUpStatus, readonly StepUpStatus[]>

/** A proof anew, in one session, for one act on one thing. */
export type StepUp = {
  readonly id: Id<'step-up'>
  readonly session: Id<'web-session'>
  readonly act: StepUpAct
  readonly subject: string
  readonly status: StepUpStatus
  readonly codeHash: Uint8Array | undefined
  /** What a passkey must sign, and on which page. */
  readonly challenge: Uint8Array | undefined
  readonly origin: string | undefined
  readonly wrongTries: number
  readonly askedAt: Date
  readonly expiresAt: Date
}

/** Who proves: the person and session, and how events of theirs begin. */
export type StepUpBy = {
  readonly owner: KeyOwner
  readonly session: Id<'web-session'>
  readonly event: { readonly actor: Actor; readonly patient?: string }
}

import type { Id } from '../kernel/id.ts'

/** `spent`: used up by wrong tries. */
export type SignInStatus = 'waiting' | 'used' | 'spent'

export const SIGN_IN_MOVES = { waiting: ['waiting', 'used', 'spent'], used: [], spent: [] } as const satisfies Record<
  SignInStatus,
  readonly SignInStatus[]
>

/** A code that was asked for. For an address without account it looks the same; its code was never made. */
export type SignInCode = {
  readonly id: Id<'sign-in'>
  readonly abhaAddress: string
  /** Digest of the network from which it was asked for. */
  readonly source: Uint8Array
  readonly codeHash: Uint8Array
  /** The sign-in for which the text message with this code was sent: itself, or one shortly before. Undefined until a job has looked. */
  readonly carriedBy: Id<'sign-in'> | undefined
  readonly status: SignInStatus
  readonly wrongTries: number
  readonly askedAt: Date
  readonly expiresAt: Date
}

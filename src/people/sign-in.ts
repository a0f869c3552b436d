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
  readonly codeHash: Uint8Array
  readonly status: SignInStatus
  readonly wrongTries: number
  readonly expiresAt: Date
}

/** What the phone shows: what the code is for comes first, since that is what the notification shows of it. */
export function signInText(code: string, service: string): string {
  return `${code} is your code to sign in to ${service}. It is good for 5 minutes. Tell it to nobody, also not to somebody who calls you. If you did not ask for it, do nothing.`
}

/** For who typed a child's address: its guardian signs in. */
export function childSignInText(service: string): string {
  return `Somebody asked to sign in to ${service} with the ABHA address of a child. Sign in with the ABHA address of the guardian; the child can be chosen there.`
}

/** What the phone shows when a grave step asks for a proof anew. */
export function stepUpText(code: string, service: string): string {
  return `${code} confirms your decision at ${service}. It is good for 5 minutes. Tell it to nobody, also not to somebody who calls you. If you are not deciding something just now, sign out everywhere.`
}

/** What the phone shows after a passkey was added. */
export function passkeyAddedText(service: string): string {
  return `A passkey was added to your account at ${service}: it signs you in without a code. If that was not you, sign in and remove it under Choices.`
}

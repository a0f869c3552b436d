import type { Id } from '../kernel/id.ts'
import type { SessionKind } from './session.ts'

/** A passkey as its owner sees it: which, since when, last used. */
export type Passkey = {
  /** base64url, as browsers name it. */
  readonly id: string
  readonly name: string
  readonly addedAt: Date
  readonly usedAt: Date | undefined
}

/** A person of a web app, as rows of passkeys name one. */
export type KeyOwner = { readonly kind: SessionKind; readonly person: string }

/** In what a passkey is added: a session, or the invitation of a person who has none yet. */
export type AddingIn = Id<'web-session'> | Id<'staff'>

/** A passkey with what verifies it. */
export type StoredPasskey = Passkey &
  KeyOwner & {
    readonly publicKey: Uint8Array
    readonly counter: number
    readonly transports: readonly string[]
    readonly rpId: string
  }

/** A value that a passkey must sign; good for one use, for one purpose, on the page that asked. */
export type Challenge = {
  readonly id: Id<'passkey-challenge'>
  readonly challenge: Uint8Array
  readonly expiresAt: Date
}

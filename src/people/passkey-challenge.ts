import { createHmac } from 'node:crypto'
import type { Tx } from '../db/tx.ts'
import { type Id, makeId, parseId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { IndexNeeds } from './commands.ts'
import type { AddingIn, Challenge } from './passkey.ts'

/** What a passkey is asked for: to sign in, or to be added in one session or invitation. */
export type AskedFor = { readonly purpose: 'sign-in' } | { readonly purpose: 'add'; readonly session: AddingIn }
type Asking = AskedFor & { readonly origin: string }

/** A value that a passkey must sign. Nothing is kept of it before it is signed, so that nobody uses up what others need (decision 40). */
export function makeChallenge(tx: Tx, needs: IndexNeeds, asking: Asking): Challenge {
  const id = makeId<'passkey-challenge'>(tx.now, tx.random, toBucket(0))
  return { id, ...valueOf(needs, id, asking) }
}

/** The value that was given out under this id for the same thing and page; undefined when its time is over, or was never. */
export function challengeOf(tx: Tx, needs: IndexNeeds, given: string, asking: Asking): Challenge | undefined {
  const id = parseId<'passkey-challenge'>(given)
  if (id === undefined) return undefined
  const challenge = { id, ...valueOf(needs, id, asking) }
  return challenge.expiresAt > tx.now ? challenge : undefined
}

/** HMAC-SHA-256 over all that the answer is bound to; the id begins with the moment at which it was made (RFC 9562 §5.7). */
function valueOf(
  { indexKey }: IndexNeeds,
  id: Id<'passkey-challenge'>,
  asking: Asking,
): Pick<Challenge, 'challenge' | 'expiresAt'> {
  const session = asking.purpose === 'add' ? asking.session : ''
  const bound = `passkey_challenge\n${asking.purpose}\n${session}\n${asking.origin}\n${id}`
  const madeMs = Number.parseInt(id.replace('-', '').slice(0, 12), 16)
  return {
    challenge: new Uint8Array(createHmac('sha256', indexKey).update(bound).digest()),
    expiresAt: new Date(madeMs + LIMITS.passkeyChallengeMs),
  }
}

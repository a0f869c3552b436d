import { createHmac } from 'node:crypto'
import { sql } from 'kysely'
import type { Tx } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuseFor } from '../kernel/refusal.ts'

export type ThrottleNeeds = { readonly indexKey: Uint8Array }
/** What is guessed at: a password of a login (which nobody may have), the codes of one person, or those of an operator's name. */
export type Guessed = { readonly what: 'password' | 'code' | 'operator-code'; readonly of: string }

const WAIT_MS_MAX: Readonly<Record<Guessed['what'], number>> = {
  password: LIMITS.staffPasswordWaitMsMax,
  code: LIMITS.staffCodeWaitMsMax,
  'operator-code': LIMITS.staffCodeWaitMsMax,
}

/** How long is to be waited after so many wrong guesses in a row. Slows a guesser down; nobody is locked out for good. */
function waitMsAfter(failed: number, what: Guessed['what']): number {
  const beyond = failed - LIMITS.staffGuessesFree
  return beyond <= 0 ? 0 : Math.min(WAIT_MS_MAX[what], 1_000 * 2 ** (beyond - 1))
}

function digestOf({ indexKey }: ThrottleNeeds, { what, of }: Guessed): Buffer {
  return createHmac('sha256', indexKey).update(`sign_in_throttle\n${what}\n${of}`).digest()
}

/**
 * Counts a guess before it is looked at, so that many at the same time count too; `request/too-many` while one has to wait. The row stays
 * locked until the transaction ends. {@link forgetGuesses} takes the count back when the guess was right.
 */
export async function countGuess(tx: Tx, needs: ThrottleNeeds, guessed: Guessed): Promise<Refusal | undefined> {
  const digest = digestOf(needs, guessed)
  const anew = new Date(tx.now.getTime() - LIMITS.staffGuessesKeptMs)
  const { rows } = await sql<{ failed: number; wait_until: Date }>`
    insert into sign_in_throttle as t (digest, failed, wait_until, changed_at) values (${digest}, 0, ${tx.now}, ${tx.now})
    on conflict (digest) do update set failed = case when t.changed_at < ${anew} then 0 else t.failed end
    returning failed, wait_until`.execute(tx.db)
  const { failed = 0, wait_until: waitUntil = tx.now } = rows[0] ?? {}
  const waitMs = waitUntil.getTime() - tx.now.getTime()
  if (waitMs > 0) return refuseFor(waitMs, `Too many wrong tries. Wait ${Math.ceil(waitMs / 1000)} seconds.`)
  await tx.db
    .updateTable('sign_in_throttle')
    .set({
      failed: failed + 1,
      wait_until: new Date(tx.now.getTime() + waitMsAfter(failed + 1, guessed.what)),
      changed_at: tx.now,
    })
    .where('digest', '=', digest)
    .execute()
  return undefined
}

/** The guess was right: counting begins anew. */
export async function forgetGuesses(tx: Tx, needs: ThrottleNeeds, guessed: Guessed): Promise<void> {
  await tx.db.deleteFrom('sign_in_throttle').where('digest', '=', digestOf(needs, guessed)).execute()
}

/** Drops counts that nobody has added to for a long time. */
export async function sweepGuesses(tx: Tx): Promise<void> {
  await tx.db
    .deleteFrom('sign_in_throttle')
    .where('changed_at', '<', new Date(tx.now.getTime() - LIMITS.staffGuessesKeptMs))
    .execute()
}

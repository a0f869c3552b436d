import { z } from 'zod'
import type { Machine, Tx } from '../db/tx.ts'
import { sealed } from '../db/veil.ts'
import type { Outbound } from '../http/outbound.ts'
import type { JobHandler } from '../jobs/worker.ts'
import { makeId, toBucket } from '../kernel/id.ts'

/** Jobs of this kind carry one text message (an OTP, a link): `{mobile, text}`, and `about` where somebody must know that it did not go out. */
export const TEXT_MESSAGE_JOB = 'text-message'

const payload = z.object({ mobile: z.string(), text: z.string(), about: z.object().loose().optional() })
const KEPT_MS_MAX = 86_400_000
const SEARCHED_MAX = 2_000

export type TextMessage = { readonly id: string; readonly mobile: string; readonly text: string; readonly sentAt: Date }

/** Writes down that a text message could not be delivered for good; `about` as its sender wrote it. */
export type NoteUndelivered = (tx: Tx, about: object) => Promise<void>

/**
 * Sends through the configured gateway (`POST {mobile, text}`), or keeps the message for the sandbox where no phone is. One that the
 * gateway refuses, or does not take in all tries, is noted in the transaction that gives it up.
 */
export function textMessageHandler(
  way: { readonly kind: 'webhook'; readonly url: string; readonly outbound: Outbound } | { readonly kind: 'sandbox' },
  noteUndelivered: NoteUndelivered,
): JobHandler {
  return async (_machine, job) => {
    const { mobile, text, about } = payload.parse(job.payload)
    if (way.kind === 'sandbox') return { outcome: 'done', commit: (tx) => keepTextMessage(tx, mobile, text) }
    const outcome = await way.outbound.call({
      method: 'POST',
      url: way.url,
      headers: { 'content-type': 'application/json', 'idempotency-key': job.id },
      body: JSON.stringify({ mobile, text }),
    })
    if (outcome.kind === 'answered' && outcome.status < 300) return { outcome: 'done' }
    const error = outcome.kind === 'answered' ? `the text message gateway answered ${outcome.status}` : outcome.reason
    const note = async (tx: Tx): Promise<void> => (about === undefined ? undefined : noteUndelivered(tx, about))
    return outcome.kind === 'answered' && outcome.status < 500 && outcome.status !== 429
      ? { outcome: 'give-up', error, commit: note }
      : { outcome: 'retry', error, whenDead: note }
  }
}

async function keepTextMessage(tx: Tx, mobile: string, text: string): Promise<void> {
  await tx.db
    .insertInto('text_message')
    .values({
      id: makeId<'text-message'>(tx.now, tx.random, toBucket(0)),
      mobile: sealed(mobile),
      words: sealed(text),
      sent_at: tx.now,
    })
    .execute()
}

/** The newest text messages to a mobile (all mobiles when absent), newest first. */
export async function readTextMessages(
  tx: Tx,
  mobile: string | undefined,
  limit: number,
): Promise<readonly TextMessage[]> {
  const rows = await tx.db
    .selectFrom('text_message')
    .selectAll()
    .orderBy('sent_at', 'desc')
    .orderBy('id', 'desc')
    .limit(mobile === undefined ? limit : SEARCHED_MAX)
    .execute()
  // Mobiles are sealed, the database cannot search for one; a sandbox has few.
  const wanted = rows.filter((row) => mobile === undefined || row.mobile === mobile).slice(0, limit)
  return wanted.map((row) => ({ id: row.id, mobile: row.mobile, text: row.words, sentAt: row.sent_at }))
}

/** Drops text messages after a day: they hold one-time passwords. */
export async function sweepTextMessages(machine: Machine): Promise<void> {
  await machine.db
    .deleteFrom('text_message')
    .where('sent_at', '<', new Date(machine.now().getTime() - KEPT_MS_MAX))
    .execute()
}

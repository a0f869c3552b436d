import type { Kysely } from 'kysely'
import type { Tables } from '../db/tables.generated.ts'
import type { Random } from '../db/tx.ts'
import { type Id, makeId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'

/** One HTTP message between parties, as the delivery log keeps it. */
export type Message = {
  readonly at: Date
  readonly direction: 'in' | 'out'
  /** Who is on the other end: a facility or client id, or a host where nothing better is known. */
  readonly peer: string
  readonly method: string
  readonly path: string
  readonly requestId?: string
  readonly body?: unknown
  readonly status?: number
  readonly answer?: string
  readonly error?: string
  readonly tookMs: number
  readonly job?: Id<'job'>
  readonly attempt?: number
}

export type StoredMessage = Message & { readonly id: string }

/** Names whose values never enter the delivery log: secrets, tokens, one-time passwords, sealed content. */
const SECRET =
  /^(clientSecret|accessToken|refreshToken|linkToken|token|otp|password|content|signature|secret|privateKey)$/i
const TEXT_KEPT_CHARS_MAX = 200

/** A copy of a body without secrets and ciphertext, with long texts cut. */
export function redact(value: unknown, depth = 0): unknown {
  if (depth > LIMITS.bodyDepthMax) return '…'
  if (typeof value === 'string')
    return value.length > TEXT_KEPT_CHARS_MAX
      ? `${value.slice(0, TEXT_KEPT_CHARS_MAX)}… (${value.length} characters)`
      : value
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      SECRET.test(name) && typeof inner === 'string'
        ? `(${inner.length} characters, not kept)`
        : redact(inner, depth + 1),
    ]),
  )
}

/** Writes one message into the delivery log. */
export async function logMessage(db: Kysely<Tables>, random: Random, message: Message): Promise<void> {
  await db
    .insertInto('message')
    .values({
      id: makeId<'message'>(message.at, random, toBucket(0)),
      at: message.at,
      direction: message.direction,
      peer: message.peer,
      method: message.method,
      path: message.path,
      request_id: message.requestId ?? null,
      body: message.body === undefined ? null : JSON.stringify(redact(message.body)).replaceAll('\\u0000', ''),
      status: message.status ?? null,
      answer: message.answer === undefined ? null : keepAnswer(message.answer),
      error: message.error ?? null,
      took_ms: message.tookMs,
      job: message.job ?? null,
      attempt: message.attempt ?? null,
    })
    .execute()
}

/** Answers are kept short, redacted when they are JSON, and without NUL, which PostgreSQL text cannot hold. */
function keepAnswer(answer: string): string {
  let kept = answer
  try {
    kept = JSON.stringify(redact(JSON.parse(answer)))
  } catch {
    // Not JSON: kept as it came, cut below.
    kept = answer
  }
  return kept.replaceAll('\u0000', '').slice(0, LIMITS.answerKeptCharsMax)
}

/** Messages after the given one (ids are in order of time), oldest first, for `amanat sandbox messages`. */
export async function readMessages(
  db: Kysely<Tables>,
  after: string | undefined,
  limit: number,
): Promise<readonly StoredMessage[]> {
  let query = db
    .selectFrom('message')
    .selectAll()
    .orderBy('at', after === undefined ? 'desc' : 'asc')
    .orderBy('id', after === undefined ? 'desc' : 'asc')
    .limit(limit)
  if (after !== undefined) query = query.where('id', '>', after)
  const rows = await query.execute()
  const messages = rows.map((row) => ({
    id: row.id,
    at: row.at,
    direction: row.direction as 'in' | 'out',
    peer: row.peer,
    method: row.method,
    path: row.path,
    tookMs: row.took_ms,
    ...(row.request_id === null ? {} : { requestId: row.request_id }),
    ...(row.body === null ? {} : { body: row.body }),
    ...(row.status === null ? {} : { status: row.status }),
    ...(row.answer === null ? {} : { answer: row.answer }),
    ...(row.error === null ? {} : { error: row.error }),
    ...(row.job === null ? {} : { job: row.job as Id<'job'> }),
    ...(row.attempt === null ? {} : { attempt: row.attempt }),
  }))
  return after === undefined ? messages.reverse() : messages
}

/** Drops messages and request ids whose time is over. */
export async function sweepMessages(db: Kysely<Tables>, now: Date): Promise<void> {
  await db
    .deleteFrom('message')
    .where('at', '<', new Date(now.getTime() - LIMITS.messageKeptMs))
    .execute()
  await db
    .deleteFrom('seen_request')
    .where('at', '<', new Date(now.getTime() - LIMITS.requestIdKeptMs))
    .execute()
  await db
    .deleteFrom('job')
    .where('status', '<>', 'waiting')
    .where('ended_at', '<', new Date(now.getTime() - LIMITS.messageKeptMs))
    .execute()
}

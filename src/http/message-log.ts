import type { Kysely } from 'kysely'
import type { Tables } from '../db/tables.generated.ts'
import type { Machine } from '../db/tx.ts'
import { sealed, sealedJson } from '../db/veil.ts'
import { type Id, makeId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { keepContent, sweepContent, type WholeMessage } from './message-content.ts'

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

export type StoredMessage = Message & {
  readonly id: string
  readonly seq: number
  /** In the sandbox: the message that this one repeats by hand. */
  readonly replayOf?: string
  /** In the sandbox: its TIMESTAMP, which is another one for each try. */
  readonly sentAt?: string
}

/** Names whose values never enter the delivery log: secrets, tokens, one-time passwords, sealed content. */
const SECRET =
  /^(clientSecret|accessToken|refreshToken|linkToken|token|otp|password|content|signature|secret|privateKey)$/i
/** What tells who a person is, beyond the ABHA address by which messages are looked for. */
const PERSONAL =
  /^(abhaNumber|patientReference|mobile|phoneNo|phone|email|address|pincode|(year|month|day|date)OfBirth|birthDate)$/i
/** Names whose values are addresses that end in a secret: who knows one may push to it. */
const SECRET_URL = /^dataPushUrl$/i
const TEXT_KEPT_CHARS_MAX = 200

/** A path or URL whose last part is a secret, with that part and all that follows it cut off. */
export function withoutSecret(address: string): string {
  const [path = ''] = address.split(/[?#]/)
  return path.replace(/[^/]+\/*$/, (secret) => `(${secret.length} characters, not kept)`)
}

/** A copy of a body without secrets, ciphertext and what says who a person is, with long texts cut. */
export function redact(value: unknown, depth = 0): unknown {
  if (depth > LIMITS.bodyDepthMax) return '…'
  if (typeof value === 'string') return redactLong(value.replaceAll('\u0000', ''))
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'object' || value === null) return value
  const members = Object.keys(value)
  // With a gender it is a person, not a facility; with type and value an identifier.
  const isPerson = members.includes('gender')
  const isIdentifier = members.includes('type') && members.includes('value')
  // What a hospital calls a patient or a visit: a name, or of what kind the visit was.
  const isPatient = members.includes('careContexts')
  const isContext = members.includes('referenceNumber') || members.includes('careContextReference')
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const isPersonal =
        PERSONAL.test(name) ||
        (isPerson && name === 'name') ||
        (isIdentifier && name === 'value') ||
        (isPatient && name === 'referenceNumber') ||
        ((isPatient || isContext) && name === 'display')
      if (isPersonal && inner !== null && inner !== undefined) return [name, '(not kept)']
      return [name, typeof inner !== 'string' ? redact(inner, depth + 1) : redactText(name, inner)]
    }),
  )
}

function redactLong(value: string): string {
  return value.length > TEXT_KEPT_CHARS_MAX
    ? `${value.slice(0, TEXT_KEPT_CHARS_MAX).toWellFormed()}… (${value.length} characters)`
    : value
}

function redactText(name: string, text: string): unknown {
  if (SECRET.test(name)) return `(${text.length} characters, not kept)`
  return redact(SECRET_URL.test(name) ? withoutSecret(text) : text)
}

/** Writes one message into the delivery log; at a party of the sandbox, with all that crossed the wire. */
export async function logMessage(
  machine: Pick<Machine, 'db' | 'random' | 'sandbox'>,
  message: Message,
  whole: WholeMessage,
): Promise<void> {
  const id = makeId<'message'>(message.at, machine.random, toBucket(0))
  // First, so that who reads the message finds its content.
  if (machine.sandbox) await keepContent(machine.db, id, message.at, whole)
  await machine.db
    .insertInto('message')
    .values({
      id,
      at: message.at,
      direction: message.direction,
      peer: message.peer,
      method: message.method,
      path: sealed(message.path),
      request_id: message.requestId ?? null,
      body: message.body === undefined ? null : sealedJson(redact(message.body)),
      status: message.status ?? null,
      answer: message.answer === undefined ? null : sealed(keepAnswer(message.answer)),
      error: message.error === undefined ? null : sealed(message.error),
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

/** Messages written down after the one with `seq` = `after` (the newest page without it), oldest first, for `amanat sandbox messages`. */
export async function readMessages(
  db: Kysely<Tables>,
  after: number | undefined,
  limit: number,
): Promise<readonly StoredMessage[]> {
  const all = selectMessages(db).limit(limit)
  const rows =
    after === undefined
      ? (await all.orderBy('seq', 'desc').execute()).reverse()
      : await all.where('seq', '>', after).orderBy('seq').execute()
  return rows.map(storedMessage)
}

/** One message of the delivery log. */
export async function readMessage(db: Kysely<Tables>, id: Id<'message'>): Promise<StoredMessage | undefined> {
  const row = await selectMessages(db).where('id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : storedMessage(row)
}

const selectMessages = (db: Kysely<Tables>) =>
  db
    .selectFrom('message')
    .leftJoin('message_content', 'message_content.message', 'message.id')
    .selectAll('message')
    .select(['message_content.replay_of', 'message_content.headers'])

type Row = Awaited<ReturnType<ReturnType<typeof selectMessages>['executeTakeFirstOrThrow']>>

function storedMessage(row: Row): StoredMessage {
  const sentAt = (row.headers as Readonly<Record<string, string>> | null)?.['timestamp']
  return {
    id: row.id,
    seq: row.seq,
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
    ...(row.replay_of === null ? {} : { replayOf: row.replay_of }),
    ...(sentAt === undefined ? {} : { sentAt }),
  }
}

/** Drops messages and request ids whose time is over. */
export async function sweepMessages(db: Kysely<Tables>, now: Date): Promise<void> {
  await sweepContent(db, now)
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
    .where('ended_at', '<', new Date(now.getTime() - LIMITS.endedJobKeptMs))
    .execute()
}

import type { Kysely } from 'kysely'
import type { Tables } from '../db/tables.generated.ts'
import { sealed, sealedJson } from '../db/veil.ts'
import { LIMITS } from '../kernel/limits.ts'

/** A message with all that crossed the wire, as who sent or received it hands it to the delivery log. */
export type WholeMessage = {
  readonly headers: Headers
  readonly body?: string
  readonly answerHeaders: Headers
  readonly answer?: string
  /** At the sender: what it takes to send it again, without a token. */
  readonly resend?: object
  /** The message that this one repeats by hand. */
  readonly replayOf?: string
}
type Headers = Readonly<Record<string, string | undefined>>

/** What the sandbox keeps of it and shows. */
export type MessageContent = {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly answerHeaders: Readonly<Record<string, string>>
  readonly answer?: string
  readonly mayReplay: boolean
}

const TOKEN_HEADER =
  /^(authorization|cookie|set-cookie|x-auth-token|x-link-token|x-csrf|x-operator-code|dpop|client-cert)$/i
const SECRET = /^(clientSecret|accessToken|refreshToken|linkToken|token|password|secret|privateKey)$/i
const SHOWN_SECRET_CHARS = 8
const SHOWN_SEALED_CHARS = 80
const SHOWN_TEXT_CHARS_MAX = 4_000

/** Headers by lower-case name, tokens cut: enough to tell two apart, too little to act by. */
function showHeaders(headers: Headers): Readonly<Record<string, string>> {
  const shown = Object.entries(headers).flatMap(([name, value]): readonly (readonly [string, string])[] => {
    if (value === undefined) return []
    return [[name.toLowerCase(), storable(TOKEN_HEADER.test(name) ? cutToken(value) : value)]]
  })
  return Object.fromEntries(shown)
}

function cutToken(value: string): string {
  const [, scheme = '', token = ''] = /^((?:Bearer|DPoP) )?(.*)$/is.exec(value) ?? []
  return `${scheme}${cut(token, SHOWN_SECRET_CHARS)}`
}

function cut(text: string, chars: number): string {
  return text.length > chars ? `${text.slice(0, chars).toWellFormed()}… (${text.length} characters)` : text
}

/** NUL and half surrogate pairs are what PostgreSQL cannot hold. */
const storable = (text: string): string => text.replaceAll('\u0000', '').toWellFormed()

/** A body as the sandbox shows it: JSON as sent, with secrets cut and sealed content shortened; anything else as text. */
function showBody(text: string): string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Not JSON: shown as it came, cut below.
    return storable(cut(text, LIMITS.bodyShownCharsMax))
  }
  return storable(cut(JSON.stringify(shorten(value, 0)), LIMITS.bodyShownCharsMax))
}

function shorten(value: unknown, depth: number): unknown {
  if (depth > LIMITS.bodyDepthMax) return '…'
  if (typeof value === 'string') return cut(value, SHOWN_TEXT_CHARS_MAX)
  if (Array.isArray(value)) return value.map((item) => shorten(item, depth + 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (typeof inner === 'string' && SECRET.test(name)) return [name, cut(inner, SHOWN_SECRET_CHARS)]
      if (typeof inner === 'string' && name === 'content') return [name, cut(inner, SHOWN_SEALED_CHARS)]
      return [name, shorten(inner, depth + 1)]
    }),
  )
}

/** Keeps what crossed the wire. Only the delivery log of a sandbox party calls this. */
export async function keepContent(db: Kysely<Tables>, message: string, at: Date, whole: WholeMessage): Promise<void> {
  await db
    .insertInto('message_content')
    .values({
      message,
      at,
      headers: sealedJson(showHeaders(whole.headers)),
      body: whole.body === undefined || whole.body === '' ? null : sealed(showBody(whole.body)),
      answer_headers: sealedJson(showHeaders(whole.answerHeaders)),
      answer: whole.answer === undefined || whole.answer === '' ? null : sealed(showBody(whole.answer)),
      resend: JSON.stringify(whole.resend ?? '').length <= LIMITS.resendCharsMax ? resendOf(whole) : null,
      replay_of: whole.replayOf ?? null,
    })
    .execute()
}

function resendOf({ resend }: WholeMessage): string | null {
  return resend === undefined ? null : sealedJson(resend)
}

/** What was kept of a message; undefined outside the sandbox, or when its day is over. */
export async function readContent(db: Kysely<Tables>, message: string): Promise<MessageContent | undefined> {
  const row = await db.selectFrom('message_content').selectAll().where('message', '=', message).executeTakeFirst()
  if (row === undefined) return undefined
  return {
    headers: row.headers as Record<string, string>,
    ...(row.body === null ? {} : { body: row.body }),
    answerHeaders: row.answer_headers as Record<string, string>,
    ...(row.answer === null ? {} : { answer: row.answer }),
    mayReplay: row.resend !== null,
  }
}

/** What it takes to send a message of ours again; undefined when nothing was kept. */
export async function readResend(db: Kysely<Tables>, message: string): Promise<unknown> {
  const row = await db.selectFrom('message_content').select('resend').where('message', '=', message).executeTakeFirst()
  return row?.resend ?? undefined
}

/** Drops content whose day is over. */
export async function sweepContent(db: Kysely<Tables>, now: Date): Promise<void> {
  await db
    .deleteFrom('message_content')
    .where('at', '<', new Date(now.getTime() - LIMITS.contentKeptMs))
    .execute()
}

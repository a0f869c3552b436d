/** A refusal of the server (RFC 9457 problem), or a broken line: what every screen tells in its own words by `code`. */
export class Problem extends Error {
  override readonly name = 'Problem'
  /** Registered code such as `consent/already-decided`; `line/broken` when no answer came. */
  readonly code: string
  readonly status: number
  readonly field: string | undefined
  readonly trace: string | undefined
  readonly retryAfterSeconds: number | undefined
  /** The whole problem document, for members beyond the usual ones. */
  readonly body: Readonly<Record<string, unknown>>
  constructor(status: number, body: Readonly<Record<string, unknown>>, retryAfterSeconds?: number) {
    super(textOf(body['detail']) ?? textOf(body['title']) ?? 'no answer')
    this.code = textOf(body['code']) ?? (textOf(body['type']) ?? '').replace('urn:amanat:problem:', '')
    this.status = status
    this.field = textOf(body['field'])
    this.trace = textOf(body['trace'])
    this.retryAfterSeconds = retryAfterSeconds
    this.body = body
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

export const BROKEN_LINE = 'line/broken'
const NO_SESSION = 'urn:amanat:problem:auth/no-session'
const OVERLOADED = 'machine/overloaded'
/** How often an act is sent again that a busy server turned away before anything was done; who tapped need not tap again. */
const OVERLOADED_TRIES_MAX = 4
const OVERLOADED_WAIT_SECONDS_MAX = 5

/** What the session gives to every call: the token against forged requests, and for whom a guardian acts. */
type CallContext = { csrf: string | undefined; actingFor: string | undefined }
const context: CallContext = { csrf: undefined, actingFor: undefined }

export function setCsrf(csrf: string | undefined): void {
  context.csrf = csrf
}
export function setActingFor(abhaAddress: string | undefined): void {
  context.actingFor = abhaAddress
}
/** For whom calls are made now; part of every query key, so that nobody sees the answers of another person. */
export function actingFor(): string | undefined {
  return context.actingFor
}

let sessionEnded: () => void = () => undefined
/** Hears that a call was refused because nobody is signed in (any more); answers how to stop hearing. */
export function whenSessionEnds(hear: () => void): () => void {
  sessionEnded = hear
  return () => {
    sessionEnded = () => undefined
  }
}

export type CallOptions = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body?: unknown
  /** Names one act of the person: repeated with the same key it has its effect once. Made anew for each call when absent. */
  readonly key?: string
  readonly signal?: AbortSignal
  /** Which operator does a grave act: `name:123456`. */
  readonly operatorCode?: string
}

/** Calls the own server with the session's cookie. Throws {@link Problem}. */
export async function call<T>(path: string, options: CallOptions = {}): Promise<T> {
  const text = await callForText(path, options)
  return (text === '' ? undefined : parse(text)) as T
}

/** {@link call}, for an answer that is a file. What only reads is asked again by who shows it. */
export async function callForText(path: string, options: CallOptions = {}): Promise<string> {
  const method = options.method ?? (options.body === undefined ? 'GET' : 'POST')
  const named = { ...options, method, key: options.key ?? crypto.randomUUID() }
  for (let tries = 1; ; tries++) {
    try {
      return await callOnce(path, named)
    } catch (error) {
      const isTurnedAway = method !== 'GET' && error instanceof Problem && error.code === OVERLOADED
      if (!isTurnedAway || tries === OVERLOADED_TRIES_MAX) throw error
      const seconds = Math.min(error.retryAfterSeconds ?? 1, OVERLOADED_WAIT_SECONDS_MAX)
      await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
    }
  }
}

type NamedCall = CallOptions & Required<Pick<CallOptions, 'method' | 'key'>>

async function callOnce(path: string, options: NamedCall): Promise<string> {
  const { method } = options
  const headers: Record<string, string> = { accept: 'application/json' }
  if (options.body !== undefined) headers['content-type'] = 'application/json'
  // Who is signed in does not depend on whom she acts for, nor does signing out.
  if (context.actingFor !== undefined && path !== '/v1/session') headers['x-acting-for'] = context.actingFor
  if (options.operatorCode !== undefined) headers['x-operator-code'] = options.operatorCode
  if (method !== 'GET') {
    if (context.csrf !== undefined) headers['x-csrf'] = context.csrf
    headers['idempotency-key'] = options.key
  }
  const answer = await send(path, {
    method,
    headers,
    credentials: 'same-origin',
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  const text = await answer.text()
  if (answer.ok) return text
  const body: unknown = text === '' ? undefined : parse(text)
  if (answer.status === 401 && isRecord(body) && body['type'] === NO_SESSION) sessionEnded()
  const wait = Number(answer.headers.get('retry-after'))
  throw new Problem(answer.status, isRecord(body) ? body : { detail: text.slice(0, 200) }, wait > 0 ? wait : undefined)
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Problem(0, { code: BROKEN_LINE, detail: 'The line broke.' })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // A proxy in between answered with a page: the status says enough.
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

import type { Logger } from 'pino'
import type { Machine, Tx } from '../db/tx.ts'
import { logMessage } from '../http/message-log.ts'
import type { CallOutcome, Outbound } from '../http/outbound.ts'
import { enqueue, type Job } from '../jobs/queue.ts'
import type { JobHandler, JobResult } from '../jobs/worker.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type FacilityId, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { PROBLEMS } from '../kernel/problems.ts'
import { isOwnApp } from '../partners/own-app.ts'

/** Told when a message could not be delivered for good. `kind` picks the reaction, `id` says of what. */
export type FailureTag = { readonly kind: string; readonly id: string }
export type FailureReaction = (
  tx: Tx,
  id: string,
  error: { readonly code?: string; readonly message: string },
) => Promise<void>

type Common = {
  readonly path: string
  readonly body: object
  readonly lane?: string
  readonly requestId?: string
  readonly failure?: FailureTag
  /** It must arrive however long the peer is away: the end of a consent, an account of what was done with data. */
  readonly lasting?: true
}

/** One message as it waits in the queue: everything but what is made at the moment of sending (token, timestamp). */
export type Outgoing = {
  readonly to:
    | { readonly kind: 'facility'; readonly facility: FacilityId }
    | { readonly kind: 'exchange' }
    | { readonly kind: 'native' }
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
  readonly requestId: string
  readonly failure?: FailureTag
  readonly lasting?: true
}

export const SEND_JOB = 'abdm.send'

/**
 * Calls a facility back through its bridge (ABDM callbacks). Returns the REQUEST-ID, which its answer will repeat. The exchange's own
 * patient app is no place to call: it reads what happened where it happened.
 */
export async function sendToFacility(
  tx: Tx,
  message: Common & { readonly facility: FacilityId; readonly as: 'hip' | 'hiu' },
): Promise<string> {
  if (isOwnApp(message.facility))
    return message.requestId ?? makeId<'request'>(tx.now, tx.random, bucketOf(message.path))
  const headers = { [message.as === 'hip' ? 'X-HIP-ID' : 'X-HIU-ID']: message.facility }
  return put(tx, message, { kind: 'facility', facility: message.facility }, headers)
}

/** Calls the exchange (path below `/api/hiecm`) as one of our roles. */
export async function sendToExchange(
  tx: Tx,
  message: Common & {
    readonly from: FacilityId
    readonly as?: 'hip' | 'hiu'
    readonly headers?: Readonly<Record<string, string>>
  },
): Promise<string> {
  const role: Record<string, string> =
    message.as === undefined ? {} : { [message.as === 'hip' ? 'X-HIP-ID' : 'X-HIU-ID']: message.from }
  return put(tx, message, { kind: 'exchange' }, { ...role, ...message.headers })
}

/** Calls the native API of our own exchange; a facility behind a national gateway has none (see {@link senderOf}). */
export async function sendNative(tx: Tx, message: Common & { readonly from: FacilityId }): Promise<string> {
  return put(tx, message, { kind: 'native' }, { 'X-HIU-ID': message.from })
}

async function put(
  tx: Tx,
  message: Common,
  to: Outgoing['to'],
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const requestId = message.requestId ?? makeId<'request'>(tx.now, tx.random, bucketOf(message.path))
  const outgoing: Outgoing = {
    to,
    path: message.path,
    headers,
    body: message.body,
    requestId,
    ...(message.failure === undefined ? {} : { failure: message.failure }),
    ...(message.lasting === undefined ? {} : { lasting: message.lasting }),
  }
  await enqueue(tx, {
    kind: SEND_JOB,
    payload: outgoing,
    ...(message.lane === undefined ? {} : { lane: message.lane }),
  })
  return requestId
}

/** Where a message goes and with which authority; made fresh for every try. Undefined = nobody is there to be told. */
export type Address = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly peer: string
}
export type Sender = {
  readonly address: (
    machine: Machine,
    outgoing: Outgoing,
  ) => Promise<Address | { readonly unreachable: string; readonly final: boolean }>
  /** After a 401: forget the cached token. */
  readonly tokenRefused: () => void
}

type SendNeeds = {
  readonly outbound: Outbound
  readonly sender: Sender
  readonly failures: ReadonlyMap<string, FailureReaction>
  readonly log: Logger
}

/** Handler of {@link SEND_JOB}: one try of one message, written into the delivery log whatever comes of it. */
export function sendHandler(needs: SendNeeds): JobHandler {
  return async (machine, job) => {
    const outgoing = job.payload as Outgoing
    try {
      return await tryOnce(needs, machine, job, outgoing)
    } catch (error) {
      // A database that is away for a moment must not be the end of what has long had more tries than others.
      if (outgoing.lasting === undefined) throw error
      needs.log.error({ err: error, job: job.id, kind: job.kind }, 'job broke')
      return failed(needs, outgoing, 'retry', { message: String(error) })
    }
  }
}

async function tryOnce(needs: SendNeeds, machine: Machine, job: Job, outgoing: Outgoing): Promise<JobResult> {
  const address = await needs.sender.address(machine, outgoing)
  const at = machine.now()
  if ('unreachable' in address) {
    return failed(needs, outgoing, address.final ? 'give-up' : 'retry', { message: address.unreachable })
  }
  return judge(needs, outgoing, await sendOnce(needs.outbound, machine, job, { outgoing, address, at }))
}

/** One try of one message, written into the delivery log whatever comes of it. `replayOf`: it repeats that one by hand. */
export async function sendOnce(
  outbound: Outbound,
  machine: Machine,
  job: Job,
  sent: { readonly outgoing: Outgoing; readonly address: Address; readonly at: Date; readonly replayOf?: string },
): Promise<CallOutcome> {
  const { outgoing, address, at, replayOf } = sent
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...outgoing.headers,
    ...address.headers,
    'REQUEST-ID': outgoing.requestId,
    'Idempotency-Key': outgoing.requestId,
    TIMESTAMP: at.toISOString(),
  }
  const body = JSON.stringify(outgoing.body)
  const outcome = await outbound.call({ method: 'POST', url: address.url, headers, body })
  const answer = outcome.kind === 'answered' ? outcome.body.toString('utf8') : undefined
  const { failure: _told, ...resend } = outgoing
  await logMessage(
    machine,
    {
      at,
      direction: 'out',
      peer: address.peer,
      method: 'POST',
      path: outgoing.path,
      requestId: outgoing.requestId,
      body: outgoing.body,
      tookMs: outcome.tookMs,
      job: job.id,
      attempt: job.attempt,
      ...(outcome.kind === 'answered' ? { status: outcome.status, answer: answer ?? '' } : { error: outcome.reason }),
    },
    {
      headers,
      body,
      answerHeaders: outcome.kind === 'answered' ? outcome.headers : {},
      ...(answer === undefined ? {} : { answer }),
      resend,
      ...(replayOf === undefined ? {} : { replayOf }),
    },
  )
  return outcome
}

function judge(needs: SendNeeds, outgoing: Outgoing, outcome: CallOutcome): JobResult {
  if (outcome.kind === 'forbidden') return failed(needs, outgoing, 'give-up', { message: outcome.reason })
  if (outcome.kind === 'failed') return failed(needs, outgoing, 'retry', { message: outcome.reason })
  const { status } = outcome
  if (status >= 200 && status < 300) return { outcome: 'done' }
  const error = readError(status, outcome.body.toString('utf8'))
  if (status === 401) {
    needs.sender.tokenRefused()
    return failed(needs, outgoing, 'retry', error)
  }
  // Who is switched off at the exchange for a while may say later what must be said.
  const isShutOut = status === 403 && outgoing.lasting === true
  const passing =
    status >= 500 || status === 408 || status === 425 || status === 429 || isShutOut || isAboutClocks(status, error)
  // 3xx lands here too: a callback that redirects is misconfigured, and we never follow (no SSRF).
  return failed(needs, outgoing, passing ? 'retry' : 'give-up', error)
}

/** One of the two clocks is wrong for now: the next try has a new TIMESTAMP. Given up, a revocation would never arrive. */
function isAboutClocks(status: number, error: { readonly code?: string; readonly message: string }): boolean {
  if (status !== 400) return false
  return error.code === PROBLEMS['request/invalid-timestamp'].abdm || /\btimestamp\b/i.test(error.message)
}

function failed(
  needs: SendNeeds,
  outgoing: Outgoing,
  outcome: 'retry' | 'give-up',
  error: { readonly code?: string; readonly message: string },
): JobResult {
  const tag = outgoing.failure
  const tell = async (tx: Tx): Promise<void> => {
    if (tag === undefined) return
    const reaction = needs.failures.get(tag.kind)
    if (reaction === undefined) throw new Error(`no failure reaction for ${tag.kind}`)
    await reaction(tx, tag.id, error)
  }
  const text = `${error.code === undefined ? '' : `${error.code}: `}${error.message}`
  if (outcome === 'give-up') return { outcome, error: text, commit: tell }
  const patience = outgoing.lasting === undefined ? {} : { attemptsMax: LIMITS.lastingAttemptsMax }
  return { outcome, error: text, whenDead: tell, ...patience }
}

/** Reads any of ABDM's eight shapes of error body (protocol sheet 3.9). */
function readError(status: number, text: string): { readonly code?: string; readonly message: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // An error page of some proxy: its status says more than its text.
    value = text === '' ? text : `answered ${status}: ${text}`
  }
  const first: unknown = Array.isArray(value) ? value[0] : value
  const record = typeof first === 'object' && first !== null ? (first as Record<string, unknown>) : undefined
  const inner =
    record && typeof record['error'] === 'object' && record['error'] !== null
      ? (record['error'] as Record<string, unknown>)
      : record
  const code = inner?.['code']
  const message = inner?.['message'] ?? inner?.['detail'] ?? (typeof first === 'string' ? first : undefined)
  const words = typeof message === 'string' && message !== '' ? message : `answered ${status}`
  const clean = storable(words, LIMITS.answerKeptCharsMax)
  return typeof code === 'string' || typeof code === 'number'
    ? { code: storable(String(code).replace(/:\s*$/, ''), LIMITS.textCharsMax), message: clean }
    : { message: clean }
}

/** A peer's text without what PostgreSQL cannot hold: NUL, half a surrogate pair. */
function storable(text: string, charsMax: number): string {
  return text.replaceAll('\u0000', '').slice(0, charsMax).toWellFormed()
}

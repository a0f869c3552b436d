import { retryAfterOf } from '../http/problem.ts'
import type { Answer, Call } from '../http/route.ts'
import type { DialectRules, Headers } from '../http/server.ts'
import { type FacilityId, parseFacilityId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { PROBLEMS } from '../kernel/problems.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'

/** `{code, message}` of a refusal, for the `error` of a callback. */
export function errorOf(refusal: Refusal): { readonly code: string; readonly message: string } {
  return { code: PROBLEMS[refusal.code].abdm, message: refusal.detail }
}

/** ABDM's error body, form 1 of protocol sheet 3.9; token errors in the form of its API manager (form 4), which clients test for. */
function refusalAnswer(refusal: Refusal, trace: string): Answer {
  const { status, abdm, title } = PROBLEMS[refusal.code]
  const retryAfterS = retryAfterOf(refusal)
  const headers = { 'x-trace-id': trace, ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }) }
  if (/^9009\d\d$/.test(abdm)) {
    return {
      status,
      body: { code: abdm, message: title, description: refusal.detail, error: { code: abdm, message: refusal.detail } },
      headers,
    }
  }
  return { status, body: { error: errorOf(refusal) }, headers }
}

/** REQUEST-ID and TIMESTAMP are demanded where a message has an effect; X-CM-ID must be ours when it is sent (any case). */
function checkHeaders(headers: Headers, now: Date, cmId: string | undefined): Refusal | undefined {
  const requestId = headers['request-id']
  if (requestId === undefined || parseId(requestId) === undefined) {
    return refuse('request/invalid-request-id', 'REQUEST-ID must be a UUID, new for every call.', 'REQUEST-ID')
  }
  const timestamp = headers['timestamp']
  const at = timestamp === undefined ? Number.NaN : Date.parse(timestamp)
  if (Number.isNaN(at))
    return refuse(
      'request/invalid-timestamp',
      'TIMESTAMP must be UTC with milliseconds: 2026-01-31T10:00:00.000Z.',
      'TIMESTAMP',
    )
  const ageMs = now.getTime() - at
  if (ageMs > LIMITS.timestampPastMsMax || -ageMs > LIMITS.timestampFutureMsMax) {
    return refuse(
      'request/invalid-timestamp',
      `TIMESTAMP is ${Math.round(Math.abs(ageMs) / 1000)} seconds ${ageMs > 0 ? 'behind' : 'ahead of'} our clock (${now.toISOString()}).`,
      'TIMESTAMP',
    )
  }
  const cm = headers['x-cm-id']
  if (cmId !== undefined && cm !== undefined && cm.toLowerCase() !== cmId.toLowerCase()) {
    return refuse('request/invalid-cm-id', `X-CM-ID must be ${cmId}.`, 'X-CM-ID')
  }
  return undefined
}

/** The ABDM dialect of one party. `cmId` at the exchange: what X-CM-ID must name. */
export function abdmRules(options: { readonly cmId?: string }): DialectRules {
  return {
    checkHeaders: (headers, now, route) => (route.once ? checkHeaders(headers, now, options.cmId) : undefined),
    requestId: (headers) => headers['request-id']?.toLowerCase(),
    refusalAnswer: (refusal, trace, route) => {
      const answer = refusalAnswer(refusal, trace)
      // A 400 of `…/on-notify` is a top-level array (protocol sheet 2.4).
      return route?.path.endsWith('on-notify') && answer.status === 400 ? { ...answer, body: [answer.body] } : answer
    },
    logged: true,
  }
}

/** The facility that a bridge acts for: named in the header, and one of the caller's own services. */
export function facilityOf(
  call: Pick<Call<never, never>, 'caller' | 'headers'>,
  header: 'X-HIP-ID' | 'X-HIU-ID',
): FacilityId | Refusal {
  const text = call.headers[header.toLowerCase()]
  if (text === undefined || text === '')
    return refuse('request/invalid-header', `${header} is missing: name the facility you act for.`, header)
  const id = parseFacilityId(text)
  if (id === undefined) return refuse('request/invalid-header', `${header} is not a facility id.`, header)
  const own = ownFacility(call, id)
  return isRefusal(own)
    ? refuse('auth/forbidden', `${header} names a facility that does not belong to this client id.`, header)
    : own
}

/** `id` if it is a facility of the calling bridge, or on our own wire of the calling client. */
export function ownFacility(call: Pick<Call<never, never>, 'caller'>, id: FacilityId): FacilityId | Refusal {
  if (call.caller.kind !== 'bridge' && call.caller.kind !== 'partner') return refuse('auth/forbidden')
  return call.caller.facilities.includes(id)
    ? id
    : refuse('auth/forbidden', 'This facility does not belong to the calling client id.')
}

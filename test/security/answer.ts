import type { Route } from '../../src/http/route.ts'
import { PROBLEMS } from '../../src/kernel/problems.ts'

/** An answer of a party, as a client sees it. */
export type Seen = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** What only our own machinery says: stacks, paths of files, SQL and messages of PostgreSQL. */
const INSIDES =
  /\n\s+at \w|\bat (?:async )?(?:file|node):|node_modules|node:internal|\.ts:\d+|\b(?:select|insert into|update|delete from) "?\w+"?[ .(]|syntax error at or near|violates \w+(?:-\w+)? constraint|duplicate key value|relation "|column "|invalid input syntax|value too long for type|(?:Type|Range|Reference|Syntax)Error\b|ECONNREFUSED|FST_ERR|Cannot read propert/i
const PROBLEM_FIELDS = new Set(['type', 'title', 'status', 'detail', 'field', 'retryAfterS', 'trace'])

/** What is wrong with an answer to anybody's call: undefined when it has one of the documented forms. */
export function faultOfAnswer(seen: Seen, route: Pick<Route, 'auth' | 'dialect' | 'path'>): string | undefined {
  if (seen.status === 500) return 'a fault of ours'
  // Operators read in the queue why a message could not be sent.
  const leak = route.auth === 'operator' && seen.status === 200 ? undefined : INSIDES.exec(seen.text)?.[0]
  if (leak !== undefined) return `says what is inside: ${leak}`
  if (seen.headers['x-content-type-options'] !== 'nosniff') return 'lacks nosniff'
  if (seen.status < 400) return undefined
  if ((seen.status === 429 || seen.status === 503) && seen.headers['retry-after'] === undefined && isOverload(seen))
    return 'does not say when to try again'
  // Logs and witnesses speak plain text (C2SP tlog-tiles, tlog-witness).
  if (isOfTheLog(route.path) && String(seen.headers['content-type']).startsWith('text/plain')) return undefined
  return route.dialect === 'native' ? faultOfProblem(seen) : faultOfAbdm(seen)
}

const isOfTheLog = (path: string): boolean => /^\/(log|witness)\//.test(path)
const isOverload = ({ text }: Seen): boolean => /machine\/overloaded|request\/too-many/.test(text)

function faultOfProblem({ status, headers, text }: Seen): string | undefined {
  if (headers['content-type'] !== 'application/problem+json') return `has type ${String(headers['content-type'])}`
  const body = parsed(text)
  if (body === undefined) return 'is no JSON object'
  const strange = Object.keys(body).filter((name) => !PROBLEM_FIELDS.has(name))
  if (strange.length > 0) return `has members that are not documented: ${strange.join(', ')}`
  const code = String(body['type']).replace('urn:amanat:problem:', '')
  if (!Object.hasOwn(PROBLEMS, code)) return `has the unknown code ${code}`
  if (body['status'] !== status) return `says status ${String(body['status'])}`
  return typeof body['title'] === 'string' && typeof body['detail'] === 'string' && typeof body['trace'] === 'string'
    ? undefined
    : 'lacks title, detail or trace'
}

/** Form 1 or 4 of ABDM's error bodies (protocol sheet 3.9), in an array after `on-notify`. */
function faultOfAbdm({ headers, text }: Seen): string | undefined {
  if (headers['content-type'] !== 'application/json') return `has type ${String(headers['content-type'])}`
  const whole: unknown = text === '' ? undefined : JSON.parse(text)
  const body = Array.isArray(whole) ? (whole[0] as unknown) : whole
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  const hasBoth =
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    'message' in error &&
    typeof error.code === 'string' &&
    typeof error.message === 'string'
  return hasBoth ? undefined : 'has none of ABDM’s error forms'
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

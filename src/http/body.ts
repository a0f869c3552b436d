import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Route } from './route.ts'

/**
 * What the headers of a body say that we do not read: another type than JSON, another charset than UTF-8 (RFC 8259 §8.1), or a
 * compressed one, which could be a thousand times larger than it looks.
 */
export function contentFault(
  { body }: Pick<Route, 'body'>,
  headers: Readonly<Record<string, string | undefined>>,
): Refusal | undefined {
  const { 'content-type': type, 'content-encoding': encoding, 'content-length': length } = headers
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity')
    return refuse('request/wrong-type', 'Send the body as it is, without Content-Encoding.', 'Content-Encoding')
  const isEmpty = headers['transfer-encoding'] === undefined && (length === undefined || length === '0')
  if (body === undefined || isEmpty || type === undefined) return undefined
  const [kind = '', ...parameters] = type.toLowerCase().split(';')
  if (!/^application\/(?:[a-z0-9.+-]{1,60}\+)?json$/.test(kind.trim()))
    return refuse('request/wrong-type', 'Send application/json.', 'Content-Type')
  const charset = parameters.map((each) => each.trim().split('=')).find(([name]) => name === 'charset')?.[1]
  if (charset !== undefined && !/^"?utf-?8"?$/.test(charset))
    return refuse('request/wrong-type', 'Send the body as UTF-8.', 'Content-Type')
  return undefined
}

/** Reads a JSON body: bytes must be valid UTF-8, valid JSON, and not nested deeper than `LIMITS.bodyDepthMax`. */
export function parseJsonBody(bytes: Uint8Array): { readonly value: unknown } | Refusal {
  if (bytes.length === 0) return { value: undefined }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return refuse('request/invalid-utf8')
  }
  if (nestingOf(text) > LIMITS.bodyDepthMax) {
    return refuse('request/too-deep', `The body is nested deeper than ${LIMITS.bodyDepthMax} levels.`)
  }
  try {
    const value: unknown = JSON.parse(text)
    const place = UNSTORABLE_ESCAPE.test(text) ? placeOfUnstorable(value, '') : undefined
    if (place === undefined) return { value }
    const field = place.slice(1) || 'body'
    return refuse('request/invalid-field', `${field}: must not hold NUL or half a surrogate pair`, field)
  } catch (error) {
    return refuse(
      'request/invalid-json',
      `The body is not valid JSON: ${error instanceof Error ? withoutValues(error.message) : 'unreadable'}.`,
    )
  }
}

/** Only as JSON escapes do NUL and half surrogate pairs come through valid UTF-8. */
const UNSTORABLE_ESCAPE = /\\u(?:0000|d[89a-f])/i

/** Whether PostgreSQL can hold a text: its `text` and `jsonb` know neither NUL nor half a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed()
}

/** Where a value holds text, or a member name, that cannot be stored: `.patient.name`. Depth was limited before. */
function placeOfUnstorable(value: unknown, at: string): string | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : at
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, inner] of Object.entries(value)) {
    const step = Array.isArray(value) ? `${at}[${name}]` : `${at}.${name}`
    const place = isStorable(name) ? placeOfUnstorable(inner, step) : `${at}.(a name)`
    if (place !== undefined) return place
  }
  return undefined
}

/** Deepest nesting of brackets outside strings; counted before parsing, so that a bomb never reaches the parser. */
function nestingOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (inString) {
      if (c === 0x5c) i++
      else if (c === 0x22) inString = false
    } else if (c === 0x22) inString = true
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (c === 0x7d || c === 0x5d) depth--
  }
  return deepest
}

/** V8 quotes the text near the fault; a body may hold health data, so only the position stays. */
function withoutValues(message: string): string {
  const position = /position \d+( \(line \d+ column \d+\))?/.exec(message)
  return position ? `fault at ${position[0]}` : 'it ends too early'
}

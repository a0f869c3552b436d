import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { isStorable } from './body.ts'

/**
 * Reads a form (application/x-www-form-urlencoded) strictly: valid UTF-8, each name once (RFC 6749 §3.2). A name without a value counts
 * as not sent.
 */
export function parseForm(raw: Uint8Array, contentType: string | undefined): ReadonlyMap<string, string> | Refusal {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(contentType ?? ''))
    return refuse('request/wrong-type', 'Send application/x-www-form-urlencoded.', 'Content-Type')
  if (raw.length > LIMITS.formBytesMax) return refuse('request/too-large')
  const fields = new Map<string, string>()
  for (const pair of Buffer.from(raw).toString('latin1').split('&')) {
    if (pair === '') continue
    const [name = '', ...rest] = pair.split('=')
    const field = decode(name)
    const value = decode(rest.join('='))
    if (field === undefined || value === undefined)
      return refuse('request/malformed', 'The form is not encoded properly.')
    if (fields.has(field)) return refuse('request/invalid-field', 'A name stands in the form twice.', shown(field))
    fields.set(field, value)
  }
  return new Map([...fields].filter(([, value]) => value !== ''))
}

function decode(text: string): string | undefined {
  if (!/^[\x21-\x7e]*$/.test(text)) return undefined
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '))
    return isStorable(decoded) ? decoded : undefined
  } catch {
    // A broken percent escape.
    return undefined
  }
}

/** A name as an answer may repeat it. */
const shown = (name: string): string => name.replace(/[^\w.-]/g, '?').slice(0, 60)

import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'

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
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return refuse(
      'request/invalid-json',
      `The body is not valid JSON: ${error instanceof Error ? withoutValues(error.message) : 'unreadable'}.`,
    )
  }
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

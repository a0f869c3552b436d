import type { ZodError } from 'zod'
import { LIMITS } from '../kernel/limits.ts'
import { PROBLEMS } from '../kernel/problems.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Answer } from './route.ts'

/** RFC 9110 §10.2.3: after how many seconds a refusal may be gone; every 503 says it. */
export function retryAfterOf({ code, retryAfterS }: Refusal): number | undefined {
  return retryAfterS ?? (PROBLEMS[code].status === 503 ? LIMITS.retryAfterUnavailableMs / 1_000 : undefined)
}

/** RFC 9457 problem details for a refusal. `trace` finds the request in our logs. */
export function problemAnswer(refusal: Refusal, trace: string): Answer {
  const { status, title } = PROBLEMS[refusal.code]
  const retryAfterS = retryAfterOf(refusal)
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
    },
    body: {
      type: `urn:amanat:problem:${refusal.code}`,
      title,
      status,
      detail: refusal.detail,
      ...(refusal.field === undefined ? {} : { field: refusal.field }),
      ...(retryAfterS === undefined ? {} : { retryAfterS }),
      trace,
    },
  }
}

/** The first fault of a schema check, as a refusal that names the field and the rule; values are not repeated. */
export function refuseInvalid(error: ZodError, where: 'body' | 'query'): Refusal {
  const issue = error.issues[0]
  if (!issue) return refuse('request/invalid-field')
  const field = issue.path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '')
  const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : ''
  return refuse('request/invalid-field', `${field || `the ${where}`} ${wordsOf(issue)}${more}`, field || where)
}

/** What is wrong, in plain words; rules of our own come with theirs. */
function wordsOf(issue: ZodError['issues'][number]): string {
  if (!/^(Invalid|Too|Unrecognized)/.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined') ? 'is missing' : `must be ${article(issue.expected)}`
    case 'too_small':
      if (issue.origin === 'string' && Number(issue.minimum) === 1) return 'must not be empty'
      return `must ${issue.origin === 'string' ? `have at least ${issue.minimum} characters` : issue.origin === 'array' ? `hold at least ${issue.minimum}` : `be at least ${issue.minimum}`}`
    case 'too_big':
      return `must ${issue.origin === 'string' ? `have at most ${issue.maximum} characters` : issue.origin === 'array' ? `hold at most ${issue.maximum}` : `be at most ${issue.maximum}`}`
    case 'invalid_value':
      return `must be ${issue.values
        .map(String)
        .join(', ')
        .replace(/, ([^,]*)$/, ' or $1')}`
    case 'invalid_format':
      return `must be a proper ${issue.format}`
    case 'unrecognized_keys':
      return `has a field that is not known here: ${issue.keys.join(', ')}`
    case 'invalid_union':
      return 'has none of the forms that are read here'
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return issue.message
  }
}

function article(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    object: 'an object',
    array: 'a list',
    string: 'text',
    int: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
  }
  return words[expected] ?? expected
}

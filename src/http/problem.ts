import type { ZodError } from 'zod'
import { PROBLEMS } from '../kernel/problems.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { Answer } from './route.ts'

/** RFC 9457 problem details for a refusal. `trace` finds the request in our logs. */
export function problemAnswer(refusal: Refusal, trace: string): Answer {
  const { status, title } = PROBLEMS[refusal.code]
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: {
      type: `urn:amanat:problem:${refusal.code}`,
      title,
      status,
      detail: refusal.detail,
      ...(refusal.field === undefined ? {} : { field: refusal.field }),
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
  return refuse('request/invalid-field', `${field || `the ${where}`}: ${issue.message}${more}`, field || where)
}

import { PROBLEMS, type ProblemCode } from './problems.ts'

declare const refusal: unique symbol

/**
 * A "no" that the caller can act on: a registered code, and where it applies.
 *
 * Domain code returns refusals; exceptions are for bugs and broken machines. `http/` turns a refusal into
 * RFC 9457 problem details, `abdm/` into ABDM's own error shapes.
 */
export type Refusal = {
  readonly [refusal]: true
  readonly code: ProblemCode
  /** What exactly was wrong with this input, for a tired person: names the value's rule, never health data. */
  readonly detail: string
  /** Path of the offending field, as the sender spelled it: `consent.permission.dateRange.to`. */
  readonly field?: string
  /** In how many seconds the same may be tried again. */
  readonly retryAfterS?: number
}

/** Makes a {@link Refusal}. `detail` says what is wrong and what to do; it never repeats secrets or health data. */
export function refuse(code: ProblemCode, detail?: string, field?: string): Refusal {
  const base = { code, detail: detail ?? PROBLEMS[code].title }
  return (field === undefined ? base : { ...base, field }) as Refusal
}

/** `request/too-many`, with the time after which the same may be tried again. */
export function refuseFor(waitMs: number, detail: string): Refusal {
  return { ...refuse('request/too-many', detail), retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)) }
}

/** `machine/overloaded`: turned away before anything was done. */
export function refuseOverloaded(waitMs: number): Refusal {
  return { ...refuse('machine/overloaded'), retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)) }
}

/** Whether `value` is a {@link Refusal} rather than a result. */
export function isRefusal(value: unknown): value is Refusal {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    'detail' in value &&
    typeof value.code === 'string' &&
    // Own codes only: `constructor` is in every object, and a peer's message may say it.
    Object.hasOwn(PROBLEMS, value.code)
  )
}

/** For places where a refusal would be a bug of ours: returns the result or throws with the refusal's words. */
export function must<T>(value: T | Refusal): T {
  if (isRefusal(value)) throw new Error(`refused where that cannot be: ${value.code}: ${value.detail}`)
  return value
}

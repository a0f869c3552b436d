import type { Answer } from '../../http/route.ts'
import { say } from '../witness.ts'

const MINUTE_MS = 60_000
const NAMES_MAX = 10_000

/** So much a minute for each name; `take` answers 0, or how many seconds to wait. */
export type Budget = { readonly take: (name: string) => number }

/** Counts in windows of a minute. */
export function makeBudget(perMinute: number, now: () => Date): Budget {
  let begun = Number.NEGATIVE_INFINITY
  let taken = new Map<string, number>()
  return {
    take: (name) => {
      const at = now().getTime()
      // Anew each minute, and when names crowd: forgetting lets in, and bounds what is kept.
      if (at - begun >= MINUTE_MS || at < begun || taken.size > NAMES_MAX) {
        begun = at
        taken = new Map()
      }
      const count = (taken.get(name) ?? 0) + 1
      taken.set(name, count)
      return count <= perMinute ? 0 : Math.max(1, Math.ceil((begun + MINUTE_MS - at) / 1000))
    },
  }
}

/** 429, and when to come back. */
export function tooMany(waitSeconds: number): Answer {
  const answer = say(429, 'Too many calls.')
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(waitSeconds) } }
}

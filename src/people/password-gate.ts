import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuseFor } from '../kernel/refusal.ts'
import { makeSourceThrottle, type SourceThrottle } from './source-throttle.ts'

/** Bounds the work that passwords cost us: each takes memory, a thread and a database connection. Counts in this process. */
export type PasswordGate = {
  /** Runs `check`, which says whether the password was right; `request/too-many` when too many are being checked, or failed lately. */
  readonly pass: (now: Date, check: () => Promise<boolean>) => Promise<boolean | Refusal>
  /** Wrong guesses by where they came from. */
  readonly sources: SourceThrottle
}

const MINUTE_MS = 60_000

export function makePasswordGate(): PasswordGate {
  let minute = 0
  let failed = 0
  let inside = 0
  return {
    sources: makeSourceThrottle({ free: LIMITS.sourceGuessesFree, waitMsMax: LIMITS.sourceWaitMsMax }),
    pass: async (now, check) => {
      const current = Math.floor(now.getTime() / MINUTE_MS)
      if (current !== minute) failed = 0
      minute = current
      if (failed >= LIMITS.staffPasswordsFailedPerMinuteMax)
        return refuseFor((minute + 1) * MINUTE_MS - now.getTime(), 'Too many failed sign-ins; try again in a minute.')
      if (inside >= LIMITS.passwordsAtOnceMax)
        return refuseFor(1_000, 'Many people are signing in at this moment; try again at once.')
      inside += 1
      try {
        const isRight = await check()
        if (!isRight) failed += 1
        return isRight
      } finally {
        inside -= 1
      }
    },
  }
}

import { createHash, timingSafeEqual } from 'node:crypto'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'

export type Login = { readonly clientId: string; readonly secret: string }

/** Slows the guessing of secrets, and the work that each guess costs us. Counts in this process, by the minute. */
export type LoginLimit = {
  /** Counts a try; `request/too-many` when the client, or all clients together, failed too often within this minute. */
  readonly begin: (login: Login, now: Date) => Refusal | undefined
  /** The try was a right one: it does not count. */
  readonly succeed: (login: Login) => void
}

const EVERYBODY = '*'
const MINUTE_MS = 60_000

/**
 * A client whose secret was right before is let in while others guess at its client id: nobody can lock it out. Whether the secret
 * is still right is decided by whoever asks, as always.
 */
export function makeLoginLimit(): LoginLimit {
  const failed = new Map<string, number>()
  const lastRight = new Map<string, Buffer>()
  let minute = 0

  const count = (name: string, step: 1 | -1): number => {
    const now = (failed.get(name) ?? 0) + step
    failed.set(name, now)
    return now
  }
  return {
    begin: (login, now) => {
      const current = Math.floor(now.getTime() / MINUTE_MS)
      if (current !== minute) failed.clear()
      minute = current
      const known = lastRight.get(login.clientId)
      if (known !== undefined && timingSafeEqual(known, digestOf(login.secret))) return undefined
      const isTooMany =
        (failed.get(EVERYBODY) ?? 0) >= LIMITS.loginsFailedPerMinuteMax ||
        (failed.get(login.clientId) ?? 0) >= LIMITS.loginsFailedPerClientMinuteMax
      if (isTooMany) return refuse('request/too-many', 'Too many failed logins; try again in a minute.')
      count(EVERYBODY, 1)
      count(login.clientId, 1)
      return undefined
    },
    succeed: (login) => {
      const digest = digestOf(login.secret)
      const wasKnown = lastRight.get(login.clientId)?.equals(digest) ?? false
      lastRight.set(login.clientId, digest)
      if (wasKnown) return
      for (const name of [EVERYBODY, login.clientId]) if ((failed.get(name) ?? 0) > 0) count(name, -1)
    },
  }
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

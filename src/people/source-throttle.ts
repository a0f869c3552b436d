import { isIPv6 } from 'node:net'
import { isLoopback } from '../http/web-origin.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuseFor } from '../kernel/refusal.ts'

/** Slows down an address that guesses, whoever it guesses at. Counts in this process; {@link countGuess} counts per account, for all. */
export type SourceThrottle = {
  /** `request/too-many` while this address has to wait. */
  readonly mayTry: (now: Date, source: string) => Refusal | undefined
  /** A wrong guess, or something asked for that costs. */
  readonly count: (now: Date, source: string) => void
}

type Row = { readonly counted: number; readonly waitUntilMs: number; readonly atMs: number }

/** After `free` things each further one doubles the wait, from one second up to `waitMsMax`; an hour without any, and counting begins anew. */
export function makeSourceThrottle(options: { readonly free: number; readonly waitMsMax: number }): SourceThrottle {
  const rows = new Map<string, Row>()
  const rowOf = (now: Date, key: string): Row | undefined => {
    const row = rows.get(key)
    return row !== undefined && now.getTime() - row.atMs < LIMITS.sourceKeptMs ? row : undefined
  }
  return {
    mayTry: (now, source) => {
      const key = networkOf(source)
      const row = key === undefined ? undefined : rowOf(now, key)
      const waitMs = row === undefined ? 0 : row.waitUntilMs - now.getTime()
      if (waitMs <= 0) return undefined
      return refuseFor(waitMs, `Too many tries from this address. Wait ${Math.ceil(waitMs / 1000)} seconds.`)
    },
    count: (now, source) => {
      const key = networkOf(source)
      if (key === undefined) return
      const counted = (rowOf(now, key)?.counted ?? 0) + 1
      const beyond = counted - options.free
      const waitMs = beyond <= 0 ? 0 : Math.min(options.waitMsMax, 1_000 * 2 ** (beyond - 1))
      // Put last anew: what was not touched longest goes first when there is no room.
      rows.delete(key)
      rows.set(key, { counted, waitUntilMs: now.getTime() + waitMs, atMs: now.getTime() })
      if (rows.size > LIMITS.sourcesKeptMax) for (const oldest of [rows.keys().next().value ?? '']) rows.delete(oldest)
    },
  }
}

/**
 * What counts as one source: an IPv4 address, or the /64 network of an IPv6 one, of which a guesser has as many as he likes. Undefined for
 * this machine itself: that is a proxy that the settings do not name, and everybody comes from there.
 */
export function networkOf(source: string): string | undefined {
  const address = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(source)?.[1] ?? source
  if (address === '' || isLoopback(address)) return undefined
  if (!isIPv6(address)) return address
  const [head = '', tail = ''] = address.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
  const groups = address.includes('::') ? [...before, ...zeros, ...after] : before
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}

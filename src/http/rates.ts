/** How often each of many keys may do something: so many a second for long, so many at once after a rest. */
export type Rate = {
  /** Counts one use of `key`. 0, or in how many milliseconds the next one is free; then nothing was counted. */
  readonly take: (key: string) => number
  /** Counts a use that has happened already, also beyond the rate, up to twice the burst: who comes fifty at a time pays for fifty. */
  readonly charge: (key: string) => void
  /** What `take` would answer, without counting. */
  readonly waitMs: (key: string) => number
}

/**
 * The generic cell rate algorithm (ITU-T I.371, a token bucket kept as one number): each key has the time at which its bucket is full
 * again. The keys that rested longest are forgotten first, which is the same as a full bucket for them.
 */
export function makeRate(
  { perSecond, burst, keysMax }: { readonly perSecond: number; readonly burst: number; readonly keysMax: number },
  nowMs: () => number,
): Rate {
  const stepMs = 1_000 / perSecond
  const fullAtMs = new Map<string, number>()
  const waitMs = (key: string): number => {
    const now = nowMs()
    const over = Math.max(fullAtMs.get(key) ?? 0, now) - now - (burst - 1) * stepMs
    return over <= 0 ? 0 : Math.ceil(over)
  }
  const charge = (key: string): void => {
    const now = nowMs()
    const full = Math.min(Math.max(fullAtMs.get(key) ?? 0, now) + stepMs, now + 2 * burst * stepMs)
    fullAtMs.delete(key)
    if (fullAtMs.size >= keysMax) forgetOldest(fullAtMs)
    fullAtMs.set(key, full)
  }
  return {
    waitMs,
    charge,
    take: (key) => {
      const wait = waitMs(key)
      if (wait === 0) charge(key)
      return wait
    },
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

/** The names behind proofs of identity that were good a moment ago; a hint for counting, never for letting in. */
export type KnownCallers = {
  readonly nameOf: (proof: string) => string | undefined
  readonly remember: (proof: string, name: string) => void
}

export function makeKnownCallers(
  { keptMs, namesMax }: { readonly keptMs: number; readonly namesMax: number },
  nowMs: () => number,
): KnownCallers {
  const known = new Map<string, { readonly name: string; readonly untilMs: number }>()
  return {
    nameOf: (proof) => {
      const found = known.get(proof)
      return found !== undefined && nowMs() < found.untilMs ? found.name : undefined
    },
    remember: (proof, name) => {
      known.delete(proof)
      if (known.size >= namesMax) forgetOldest(known)
      known.set(proof, { name, untilMs: nowMs() + keptMs })
    },
  }
}

/** The address a call came from, as counted: an IPv6 network of 64 bits is one, since whoever has one address there has them all. */
export function countedAddress(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1]
  if (mapped !== undefined) return mapped
  if (!ip.includes(':')) return ip
  const [head = '', tail] = ip.toLowerCase().split('%')[0]?.split('::') ?? []
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - front.length - back.length }, () => '0')
  return [...front, ...zeros, ...back]
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':')
}

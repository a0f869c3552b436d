/** Numbers of a seed: the same run again for the same seed (mulberry32). */
export type Seeded = {
  /** From 0 up to, not including, 1. */
  readonly next: () => number
  readonly pick: <T>(from: readonly T[]) => T
  /** At least one of them. */
  readonly some: <T>(from: readonly T[]) => readonly T[]
}

export function seeded(seed: number): Seeded {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const pick = <T>(from: readonly T[]): T => {
    const chosen = from[Math.floor(next() * from.length)]
    if (chosen === undefined) throw new Error('nothing to pick from')
    return chosen
  }
  const some = <T>(from: readonly T[]): readonly T[] => {
    const chosen = from.filter(() => next() < 0.6)
    return chosen.length > 0 ? chosen : [pick(from)]
  }
  return { next, pick, some }
}

/** Recognising one thing in many sayings of it. */

/** Lists by key, in the order of their first members. (Phones of 2022 have no `Map.groupBy`.) */
export function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const key = keyOf(one)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return groups
}

/** Keys that mean the same, joined one pair at a time. The order of the pairs makes no difference to what belongs together. */
export function makeJoiner(): {
  readonly join: (a: string, b: string) => void
  readonly root: (key: string) => string
} {
  const parent = new Map<string, string>()
  const root = (key: string): string => {
    let at = key
    for (let above = parent.get(at); above !== undefined; above = parent.get(at)) at = above
    if (at !== key) parent.set(key, at)
    return at
  }
  return {
    root,
    join: (a, b) => {
      const [low, high] = [root(a), root(b)].sort()
      if (low !== undefined && high !== undefined && low !== high) parent.set(high, low)
    },
  }
}

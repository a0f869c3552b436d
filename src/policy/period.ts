/** A stretch of time; both ends belong to it. */
export type Period = { readonly from: Date; readonly to: Date }

/** The part that both have; undefined when there is none. */
export function overlap(a: Period, b: Period): Period | undefined {
  const from = a.from > b.from ? a.from : b.from
  const to = a.to < b.to ? a.to : b.to
  return from <= to ? { from, to } : undefined
}

/** Whether `inner` lies in `outer` with both ends. */
export function isInside(inner: Period, outer: Period): boolean {
  return outer.from <= inner.from && inner.to <= outer.to && inner.from <= inner.to
}

export function isAt(moment: Date, period: Period): boolean {
  return period.from <= moment && moment <= period.to
}

/** What of `whole` none of `parts` covers, in order of time. Moments have milliseconds, so a gap is at least one wide. */
export function gaps(whole: Period, parts: readonly Period[]): readonly Period[] {
  const sorted = parts.flatMap((part) => overlap(whole, part) ?? []).sort((a, b) => a.from.getTime() - b.from.getTime())
  const found: Period[] = []
  let nextMs = whole.from.getTime()
  for (const part of sorted) {
    if (part.from.getTime() > nextMs) found.push({ from: new Date(nextMs), to: new Date(part.from.getTime() - 1) })
    nextMs = Math.max(nextMs, part.to.getTime() + 1)
  }
  if (nextMs <= whole.to.getTime()) found.push({ from: new Date(nextMs), to: whole.to })
  return found
}

/** Round steps for an axis: pure arithmetic. */

/** At most about `count` round numbers that cover `from` to `to`: 6, 7, 8, 9. */
export function roundSteps(from: number, to: number, count: number): readonly number[] {
  const span = to - from
  if (!(span > 0) || !Number.isFinite(span)) return [from]
  const rough = span / Math.max(1, count - 1)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power
  const first = Math.floor(from / step)
  const last = Math.ceil(to / step)
  // Multiplied out, not added up: 0.1 + 0.2 is no 0.3.
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)))
}

export type TimeStep = { readonly time: number; readonly isYear: boolean }

const MONTH_MS = 30.44 * 86_400_000
const STEPS_MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240] as const

/** First days of months between two times, at most about `count` of them. */
export function timeSteps(from: number, to: number, count: number): readonly TimeStep[] {
  const months = Math.max(1, (to - from) / MONTH_MS)
  const step = STEPS_MONTHS.find((one) => months / one <= count) ?? 240
  const start = new Date(from)
  const firstMonth = start.getUTCFullYear() * 12 + start.getUTCMonth()
  const first =
    Math.ceil(
      (firstMonth + (start.getTime() > Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), 1) ? 1 : 0)) / step,
    ) * step
  const found: TimeStep[] = []
  for (let month = first; found.length <= count * 2; month += step) {
    const time = Date.UTC(Math.floor(month / 12), month % 12, 1)
    if (time > to) break
    found.push({ time, isYear: step >= 12 })
  }
  return found
}

/** How often data may be asked for under one consent: `{unit, value, repeats}` of ABDM's `permission.frequency`. */
export type Frequency = {
  readonly unit: 'HOUR' | 'DAY' | 'WEEK' | 'MONTH' | 'YEAR'
  readonly value: number
  readonly repeats: number
}

const HOUR_MS = 3_600_000
/** Months and years have one length here, so that the answer never depends on where in the calendar one asks. */
const UNIT_MS = {
  HOUR: HOUR_MS,
  DAY: 24 * HOUR_MS,
  WEEK: 7 * 24 * HOUR_MS,
  MONTH: 30 * 24 * HOUR_MS,
  YEAR: 365 * 24 * HOUR_MS,
} as const

/** Length of the rolling window: value × unit. */
export function windowMs({ unit, value }: Frequency): number {
  return UNIT_MS[unit] * value
}

/** Requests permitted in any window: `repeats`, and at least one, since 0 and 1 are both met for "once". */
export function requestsPerWindow({ repeats }: Frequency): number {
  return Math.max(1, repeats)
}

/**
 * When the next request is permitted, given the moments of earlier ones: `now` or earlier means at once
 * (docs/decisions/0011-frequency.md). A window is half open: a request exactly one window after another is permitted.
 */
export function nextRequestAt(frequency: Frequency, earlier: readonly Date[]): Date | undefined {
  const latest = earlier.map((at) => at.getTime()).sort((a, b) => b - a)
  const oldestThatCounts = latest[requestsPerWindow(frequency) - 1]
  return oldestThatCounts === undefined ? undefined : new Date(oldestThatCounts + windowMs(frequency))
}

/** Whether whoever keeps to `granted` also keeps to `asked`: the most that `granted` lets fit into one window of `asked`. */
export function isNoMoreOften(granted: Frequency, asked: Frequency): boolean {
  return requestsPerWindow(granted) * Math.ceil(windowMs(asked) / windowMs(granted)) <= requestsPerWindow(asked)
}

/** Dates of the sample network, all counted back from `now`, in Indian time, so that the network is always fresh. */

const DAY_MS = 86_400_000
const IST_MS = 5.5 * 3_600_000

/** `2026-01-12` in India, `ago` days before `now` (negative: after). */
export function dayBefore(now: Date, ago: number): string {
  return new Date(now.getTime() + IST_MS - ago * DAY_MS).toISOString().slice(0, 10)
}

/** `2026-01-12T10:30:00+05:30`, `ago` days before `now`, at that minute of the day. */
export function momentBefore(now: Date, ago: number, minuteOfDay: number): string {
  const hours = String(Math.floor(minuteOfDay / 60)).padStart(2, '0')
  const minutes = String(minuteOfDay % 60).padStart(2, '0')
  return `${dayBefore(now, ago)}T${hours}:${minutes}:00+05:30`
}

/** The birthday `MM-DD` of someone who is `age` years old at `now`. */
export function bornYearsAgo(now: Date, age: number, monthDay: string): string {
  const today = dayBefore(now, 0)
  const year = Number(today.slice(0, 4)) - age - (monthDay > today.slice(5) ? 1 : 0)
  return `${year}-${monthDay}`
}

/** Whole days from the date `from` to `now`, in India. */
export function daysSince(now: Date, from: string): number {
  return Math.round((Date.parse(dayBefore(now, 0)) - Date.parse(from)) / DAY_MS)
}

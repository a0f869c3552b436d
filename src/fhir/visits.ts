/** Documents by visit: what belongs to one stay or one day at one place. Pure. */

import { readMoment } from './narrow-dates.ts'
import { groupBy, makeJoiner } from './same-thing.ts'
import { nameKey, type Source } from './trends.ts'

export type Visit<Origin> = {
  readonly key: string
  readonly place?: string
  /** v3-ActCode of the first document that names one. */
  readonly kind?: string
  /** FHIR dates, as written; absent when no document has one. */
  readonly start?: string
  readonly end?: string
  /** Newest first. */
  readonly documents: readonly Source<Origin>[]
}

/** A lab brings its report after the visit: that is a day of its own. A stay of a year is a slip of the pen. */
const STAY_MS_MAX = 366 * 86_400_000
const INDIA_OFFSET_MS = 330 * 60_000
const DAY_MS = 86_400_000

type Placed<Origin> = {
  readonly source: Source<Origin>
  readonly place: string
  readonly time: number | undefined
  readonly from: number | undefined
  readonly to: number | undefined
}

/** Groups documents by place and day (in India), and all of a stay together; newest first, those without a date last. */
export function visitsOf<Origin>(sources: readonly Source<Origin>[]): readonly Visit<Origin>[] {
  const placed = sources.map(placeOf)
  const { join, root } = makeJoiner()
  const keyOf = (one: Placed<Origin>) => `${one.place}|${one.from === undefined ? 'undated' : dayOf(one.from)}`
  for (const stay of placed) {
    const { from, to } = stay
    if (from === undefined || to === undefined || to - from > STAY_MS_MAX || dayOf(to) === dayOf(from)) continue
    for (const other of placed) {
      const at = other.from
      if (other.place === stay.place && at !== undefined && at >= from && at <= to) join(keyOf(stay), keyOf(other))
    }
  }
  const visits = [...groupBy(placed, (one) => root(keyOf(one)))].map(([key, group]) => visitOf(key, group))
  return visits.sort((a, b) => newest(b.start) - newest(a.start) || (a.key < b.key ? -1 : 1))
}

const dayOf = (time: number): number => Math.floor((time + INDIA_OFFSET_MS) / DAY_MS)
const newest = (at: string | undefined): number => readMoment(at)?.start ?? Number.MIN_SAFE_INTEGER

function placeOf<Origin>(source: Source<Origin>): Placed<Origin> {
  const { document } = source
  const time = readMoment(document.date)?.start
  const from = readMoment(document.encounter?.start)?.start ?? time
  const to = readMoment(document.encounter?.end)?.end
  return {
    source,
    place: nameKey(document.place ?? ''),
    time,
    from,
    to: to !== undefined && from !== undefined && to >= from ? to : undefined,
  }
}

function visitOf<Origin>(key: string, group: readonly Placed<Origin>[]): Visit<Origin> {
  const sorted = [...group].sort((a, b) => (b.time ?? 0) - (a.time ?? 0))
  const first = [...group].sort((a, b) => (a.from ?? Number.MAX_SAFE_INTEGER) - (b.from ?? Number.MAX_SAFE_INTEGER))[0]
  const last = [...group].sort((a, b) => (b.to ?? 0) - (a.to ?? 0))[0]
  const { encounter, date } = first?.source.document ?? {}
  const start = readMoment(encounter?.start) === undefined ? date : encounter?.start
  const end = last?.to === undefined ? undefined : last.source.document.encounter?.end
  const place = group.map(({ source }) => source.document.place).find((one) => one !== undefined)
  const kind = group.map(({ source }) => source.document.encounter?.kind).find((one) => one !== undefined)
  return {
    key,
    ...(place === undefined ? {} : { place }),
    ...(kind === undefined ? {} : { kind }),
    ...(first?.from === undefined || start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    documents: sorted.map(({ source }) => source),
  }
}

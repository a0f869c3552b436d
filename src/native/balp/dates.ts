/** A half-open stretch of time: from (included) to (excluded). */
export type DateRange = { readonly from: Date; readonly to: Date }

const FIRST = new Date(-8_640_000_000_000_000)
const LAST = new Date(8_640_000_000_000_000)
const DATE =
  /^(eq|ge|gt|le|lt)?(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(Z|[+-]\d{2}:\d{2}))?)?)?$/

/** Search parameters of the FHIR type date: each is a stretch as wide as it is exact; all must hold. Undefined for what is none. */
export function parseDateParams(params: readonly string[]): DateRange | undefined {
  let range: DateRange = { from: FIRST, to: LAST }
  for (const param of params) {
    const one = parseOne(param)
    if (one === undefined) return undefined
    range = {
      from: one.from > range.from ? one.from : range.from,
      to: one.to < range.to ? one.to : range.to,
    }
  }
  return range
}

export function isWithin(at: Date, { from, to }: DateRange): boolean {
  return at >= from && at < to
}

function parseOne(param: string): DateRange | undefined {
  const match = DATE.exec(param)
  if (match === null) return undefined
  const [, prefix = 'eq', year = '', month, day, hour, minute, second, ms, zone] = match
  const start = new Date(
    `${year}-${month ?? '01'}-${day ?? '01'}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}.${(ms ?? '').padEnd(3, '0')}${zone ?? 'Z'}`,
  )
  // A day that no month has would roll over into the next.
  if (Number.isNaN(start.getTime()) || (hour === undefined && day !== undefined && start.getUTCDate() !== Number(day)))
    return undefined
  const end = new Date(start)
  if (ms !== undefined) end.setTime(end.getTime() + 1)
  else if (second !== undefined) end.setTime(end.getTime() + 1_000)
  else if (minute !== undefined) end.setTime(end.getTime() + 60_000)
  else if (day !== undefined) end.setUTCDate(end.getUTCDate() + 1)
  else if (month !== undefined) end.setUTCMonth(end.getUTCMonth() + 1)
  else end.setUTCFullYear(end.getUTCFullYear() + 1)
  switch (prefix) {
    case 'ge':
      return { from: start, to: LAST }
    case 'gt':
      return { from: end, to: LAST }
    case 'le':
      return { from: FIRST, to: end }
    case 'lt':
      return { from: FIRST, to: start }
    default:
      return { from: start, to: end }
  }
}

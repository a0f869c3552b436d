import type { ReactNode } from 'react'
import type { ResultFacts } from '../../../src/fhir/show-result.ts'
import style from './chart.module.css'

const WIDTH = 96
/** The range takes the middle half of the bar. */
const SIDE = WIDTH / 4

/** Where a value lies in its range. The words beside it say the same, so it is hidden from screen readers. */
export function RangeBar({ facts }: { readonly facts: ResultFacts }): ReactNode {
  const place = placeOf(facts)
  if (place === undefined) return null
  const { low, high, flag = 'normal' } = facts
  const from = low === undefined ? 0 : SIDE
  const to = high === undefined ? WIDTH : WIDTH - SIDE
  return (
    <svg className={style.bar} viewBox={`0 0 ${WIDTH} 12`} width={WIDTH} height={12} aria-hidden="true" direction="ltr">
      <rect className={style.rail} y={4} width={WIDTH} height={4} rx={2} />
      <rect className={style.band} x={from} y={4} width={to - from} height={4} />
      <circle className={style.mark} data-flag={flag} cx={place} cy={6} r={4} />
    </svg>
  )
}

/** Across the bar, kept inside it; undefined when value or range does not say. */
function placeOf({ number, comparator, low, high }: ResultFacts): number | undefined {
  if (number === undefined || comparator !== undefined) return undefined
  const within = (at: number) => Math.min(WIDTH - 5, Math.max(5, at))
  if (low !== undefined && high !== undefined)
    return high > low ? within(SIDE + ((number - low) / (high - low)) * (WIDTH - 2 * SIDE)) : undefined
  if (high !== undefined && high > 0) return within((number / high) * (WIDTH - SIDE))
  if (low !== undefined && low > 0) return within(SIDE * (number / low))
  return undefined
}

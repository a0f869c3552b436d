import type { ReactNode } from 'react'
import type { Series } from '../../../src/fhir/trends.ts'
import style from './chart.module.css'
import { useRecordDates, useRecordWords } from './record-words.ts'

const WIDTH = 80
const HEIGHT = 24
const EDGE = 4

/** The course of one result in a line of text; opens the chart. */
export function Sparkline<Origin>(props: { readonly series: Series<Origin>; readonly onOpen?: () => void }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const { points, name } = props.series
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return null
  const says = t('record.spark', {
    n: points.length,
    day: dates.day(first.at),
    first: dates.number(first.value),
    last: dates.number(last.value),
  })
  const [lowest, highest] = [
    Math.min(...points.map(({ value }) => value)),
    Math.max(...points.map(({ value }) => value)),
  ]
  const x = (time: number) => EDGE + ((time - first.time) / Math.max(1, last.time - first.time)) * (WIDTH - 2 * EDGE)
  const y = (value: number) => HEIGHT - EDGE - ((value - lowest) / (highest - lowest || 1)) * (HEIGHT - 2 * EDGE)
  const picture = (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true" direction="ltr">
      <polyline className={style.line} points={points.map(({ time, value }) => `${x(time)},${y(value)}`).join(' ')} />
      <circle className={style.mark} data-flag={last.flag ?? 'normal'} cx={x(last.time)} cy={y(last.value)} r={4} />
    </svg>
  )
  if (props.onOpen === undefined)
    return (
      <span className={style.spark}>
        {picture}
        <span className="visually-hidden">{says}</span>
      </span>
    )
  return (
    <button type="button" className={style.spark} onClick={props.onOpen}>
      {picture}
      <span>
        {t('record.show-course')}
        <span className="visually-hidden">
          {' '}
          <bdi>{name.words}</bdi>. {says}
        </span>
      </span>
    </button>
  )
}

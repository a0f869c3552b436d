import { type ReactNode, type RefObject, useEffect, useRef, useState } from 'react'
import type { Series, SeriesPoint } from '../../../src/fhir/trends.ts'
import style from './chart.module.css'
import { roundSteps, timeSteps } from './chart-scale.ts'
import { FlagState } from './record-results.tsx'
import { RecordTable } from './record-table.tsx'
import { unitWords, useRecordDates, useRecordWords } from './record-words.ts'

const HEIGHT = 260
const EDGE = { top: 24, end: 24, bottom: 32, start: 48 } as const

/**
 * One result over the years: points, a line, the usual range as each result gave it. The same numbers stand in a table below, for the
 * keyboard, screen readers and print.
 */
export function TrendChart<Origin>(props: {
  readonly series: Series<Origin>
  /** Where a value came from, in words; leaves the column out when absent. */
  readonly sourceOf?: (origin: Origin) => string
}): ReactNode {
  const { t } = useRecordWords()
  const { series } = props
  const frame = useRef<HTMLDivElement>(null)
  const width = useWidth(frame)
  const says = useSummary(series)
  return (
    <figure className={style.figure}>
      <div className={style.plot} ref={frame}>
        <Plot series={series} width={width} label={says} />
      </div>
      <figcaption>
        {says}
        {series.otherUnits === undefined ? null : (
          <> {t('record.chart-other-units', { units: series.otherUnits.map(unitWords).join(', ') })}</>
        )}
      </figcaption>
      <Numbers {...props} />
    </figure>
  )
}

function useSummary<Origin>({ points, name, unit: written = '' }: Series<Origin>): string {
  const unit = unitWords(written)
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return ''
  const value = `${last.comparator ?? ''}${dates.number(last.value)} ${unit}`.trim()
  if (points.length === 1) return t('record.chart-one', { name: name.words, last: value, day: dates.day(last.at) })
  return t('record.chart-summary', {
    name: name.words,
    n: points.length,
    from: dates.day(first.at),
    to: dates.day(last.at),
    last: value,
  })
}

/** The width in pixels that the page gives: so the letters of a chart keep their size on a phone. */
function useWidth(frame: RefObject<HTMLDivElement | null>): number {
  const [width, setWidth] = useState(600)
  useEffect(() => {
    const element = frame.current
    if (element === null) return undefined
    const watcher = new ResizeObserver(([entry]) => {
      const found = Math.round(entry?.contentRect.width ?? 0)
      if (found > 0) setWidth(found)
    })
    watcher.observe(element)
    return () => watcher.disconnect()
  }, [frame])
  return width
}

type Point = Omit<SeriesPoint<unknown>, 'from'>
type Scale = { readonly x: (time: number) => number; readonly y: (value: number) => number }

function Plot(props: { readonly series: Series<unknown>; readonly width: number; readonly label: string }): ReactNode {
  const { width } = props
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const { points, unit } = props.series
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return null
  const bounds = points.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value])
  const [lowest, highest] = [Math.min(...bounds), Math.max(...bounds)]
  const margin = (highest - lowest || Math.abs(highest) || 1) * 0.08
  const steps = roundSteps(lowest - margin, highest + margin, 5)
  const [bottom, top] = [steps[0] ?? lowest, steps.at(-1) ?? highest]
  const span = Math.max(1, last.time - first.time)
  const scale: Scale = {
    x: (time) =>
      points.length === 1
        ? width / 2
        : EDGE.start + 12 + ((time - first.time) / span) * (width - EDGE.start - EDGE.end - 24),
    y: (value) => HEIGHT - EDGE.bottom - ((value - bottom) / (top - bottom || 1)) * (HEIGHT - EDGE.top - EDGE.bottom),
  }
  const ticks = timeSteps(first.time, last.time, Math.max(2, Math.floor(width / 110)))
  return (
    <svg viewBox={`0 0 ${width} ${HEIGHT}`} height={HEIGHT} role="img" aria-label={props.label} direction="ltr">
      {unit === undefined ? null : (
        <text x={0} y={12}>
          {unitWords(unit)}
        </text>
      )}
      <UsualRange points={points} scale={scale} width={width} label={t('record.chart-range')} />
      {steps.map((step) => (
        <g key={step}>
          <line className={style.grid} x1={EDGE.start} x2={width - EDGE.end} y1={scale.y(step)} y2={scale.y(step)} />
          <text x={EDGE.start - 8} y={scale.y(step) + 4} textAnchor="end">
            {dates.number(step)}
          </text>
        </g>
      ))}
      {ticks.map(({ time, isYear }) => (
        <text key={time} x={scale.x(time)} y={HEIGHT - 8} textAnchor="middle">
          {isYear ? dates.year(new Date(time)) : dates.month(new Date(time))}
        </text>
      ))}
      <polyline
        className={style.line}
        points={points.map(({ time, value }) => `${scale.x(time)},${scale.y(value)}`).join(' ')}
      />
      {points.map((point, at) => (
        <Mark
          key={`${point.time} ${point.value}`}
          point={point}
          scale={scale}
          // Away from the line that comes to it.
          name={at < points.length - 1 ? undefined : (points[at - 1]?.value ?? 0) > point.value ? 'below' : 'above'}
        />
      ))}
    </svg>
  )
}

/** A value that is only known to lie below or above points there. */
function Mark(props: {
  readonly point: Point
  readonly scale: Scale
  readonly name: 'above' | 'below' | undefined
}): ReactNode {
  const dates = useRecordDates()
  const { point, scale } = props
  const [x, y] = [scale.x(point.time), scale.y(point.value)]
  const tip = point.comparator?.startsWith('<') ? 1 : -1
  return (
    <g>
      {point.comparator === undefined ? (
        <circle className={style.mark} data-flag={point.flag ?? 'normal'} cx={x} cy={y} r={5} />
      ) : (
        <path
          className={style.mark}
          data-flag={point.flag ?? 'normal'}
          d={`M${x - 6},${y - 4 * tip}h12l-6,${9 * tip}z`}
        />
      )}
      {props.name === undefined ? null : (
        <text className={style.valueText} x={x} y={props.name === 'above' ? y - 12 : y + 22} textAnchor="middle">
          {point.comparator}
          {dates.number(point.value)}
        </text>
      )}
    </g>
  )
}

/** Laboratories change their ranges: each result has its own band, up to half way to its neighbours. */
function UsualRange(props: {
  readonly points: readonly Point[]
  readonly scale: Scale
  readonly width: number
  readonly label: string
}): ReactNode {
  const { points, scale, width } = props
  const [left, right] = [EDGE.start, width - EDGE.end]
  const [top, bottom] = [EDGE.top, HEIGHT - EDGE.bottom]
  const between = (a: Point | undefined, b: Point | undefined, end: number): number =>
    a === undefined || b === undefined ? end : (scale.x(a.time) + scale.x(b.time)) / 2
  const bands = points.flatMap((point, at) => {
    if (point.low === undefined && point.high === undefined) return []
    const [x1, x2] = [between(points[at - 1], point, left), between(point, points[at + 1], right)]
    const y1 = point.high === undefined ? top : scale.y(point.high)
    const y2 = point.low === undefined ? bottom : scale.y(point.low)
    return y2 > y1 && x2 > x1 ? [{ x: x1, y: y1, width: x2 - x1, height: y2 - y1 }] : []
  })
  const [first] = bands
  return (
    <g>
      {joined(bands).map((band) => (
        <rect key={band.x} className={style.usual} {...band} />
      ))}
      {first === undefined ? null : (
        <text className={style.usualText} x={left + 6} y={first.y + 16}>
          {props.label}
        </text>
      )}
    </g>
  )
}

type Band = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

/** Neighbours of one range become one band, without a seam. */
function joined(bands: readonly Band[]): readonly Band[] {
  const wide: Band[] = []
  for (const band of bands) {
    const last = wide.at(-1)
    const touches = last !== undefined && Math.abs(last.x + last.width - band.x) < 0.5
    if (touches && last.y === band.y && last.height === band.height)
      wide[wide.length - 1] = { ...last, width: band.x + band.width - last.x }
    else wide.push(band)
  }
  return wide
}

function Numbers<Origin>(props: {
  readonly series: Series<Origin>
  readonly sourceOf?: (origin: Origin) => string
}): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const { points, name } = props.series
  const unit = unitWords(props.series.unit ?? '')
  const { sourceOf } = props
  return (
    <details>
      <summary>{t('record.chart-table')}</summary>
      <RecordTable
        caption={name.words}
        rows={[...points].reverse()}
        columns={[
          { label: t('record.date'), cell: ({ at }) => dates.moment(at) },
          {
            label: t('record.value'),
            isNumber: true,
            cell: ({ comparator, value }) => <bdi>{`${comparator ?? ''}${dates.number(value)} ${unit}`.trim()}</bdi>,
          },
          { label: t('record.result'), cell: ({ flag }) => (flag === undefined ? null : <FlagState flag={flag} />) },
          {
            label: t('record.source'),
            cell: ({ from }) =>
              sourceOf === undefined ? null : <bdi>{dates.list([...new Set(from.map(sourceOf))])}</bdi>,
          },
        ]}
      />
    </details>
  )
}

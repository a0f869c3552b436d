import type { ReactNode } from 'react'
import type { Flag, ResultFacts } from '../../../src/fhir/show-result.ts'
import { partOf, type Series, seriesFor } from '../../../src/fhir/trends.ts'
import type { IconName } from '../icon.tsx'
import type { KitKey } from '../kit-words.ts'
import { State, type Tone } from '../state.tsx'
import type { Words } from '../words.tsx'
import { RangeBar } from './range-bar.tsx'
import style from './record.module.css'
import { RecordTable } from './record-table.tsx'
import { type RecordDates, unitWords, useRecordDates, useRecordWords } from './record-words.ts'
import { Sparkline } from './sparkline.tsx'

type Line = {
  readonly name: string
  readonly facts: ResultFacts
  readonly value: string
  /** Whose course is shown, where the line is about two values. */
  readonly courseOf?: ResultFacts
}

/** Results as a table: value, flag in words, the range of the source, and the course over time where more results are known. */
export function RecordResults<Origin>(props: {
  readonly caption: string
  readonly results: readonly ResultFacts[]
  readonly date: string | undefined
  readonly history?: readonly Series<Origin>[]
  readonly onCourse?: (series: Series<Origin>) => void
}): ReactNode {
  const words = useRecordWords()
  const dates = useRecordDates()
  const { t } = words
  const { history = [], onCourse } = props
  const lines = props.results.flatMap((facts) => linesOf(facts, words, dates))
  const course = ({ facts: own, courseOf: facts = own }: Line): ReactNode => {
    const series = seriesFor(history, facts, facts.at ?? props.date)
    if (series === undefined || series.points.length < 2) return null
    return <Sparkline series={series} {...(onCourse === undefined ? {} : { onOpen: () => onCourse(series) })} />
  }
  return (
    <RecordTable
      caption={props.caption}
      rows={lines}
      columns={[
        { label: t('record.test'), cell: (line) => <Name {...line} /> },
        { label: t('record.value'), cell: (line) => <Value {...line} /> },
        { label: t('record.range'), cell: ({ facts }) => rangeCell(facts, words, dates) },
        { label: t('record.course'), cell: course },
      ]}
    />
  )
}

/** Systolic and diastolic pressure are one line, as doctors write them; other parts are lines of their own. */
function linesOf(facts: ResultFacts, words: Words<KitKey>, dates: RecordDates): readonly Line[] {
  const { parts = [] } = facts
  const pressure = pressureOf(parts)
  if (pressure !== undefined) {
    const [over, under] = pressure
    const values = `${numberText(over, dates)}/${numberText(under, dates)}`
    return [
      {
        name: facts.name.words,
        facts: { ...facts, ...flagOf(pressure) },
        value: withUnit(values, over.unit, words),
        courseOf: partOf(facts, over),
      },
    ]
  }
  const isHeading = parts.length > 0 && facts.number === undefined && facts.words === undefined
  const own = isHeading ? [] : [{ name: facts.name.words, facts, value: valueText(facts, words, dates) }]
  const ofParts = parts.map((one) => {
    const part = partOf(facts, one)
    const status = facts.status === undefined ? {} : { status: facts.status }
    return { name: part.name.words, facts: { ...part, ...status }, value: valueText(part, words, dates) }
  })
  return [...own, ...ofParts]
}

const hasCode = (code: string) => (part: ResultFacts) => part.name.codes.some((one) => one.code === code)

/** LOINC 8480-6 and 8462-4, alone in one measurement and in one unit. */
function pressureOf(parts: readonly ResultFacts[]): readonly [ResultFacts, ResultFacts] | undefined {
  const [over, under] = [parts.find(hasCode('8480-6')), parts.find(hasCode('8462-4'))]
  if (parts.length !== 2 || over?.number === undefined || under?.number === undefined || over.unit !== under.unit)
    return undefined
  return [over, under]
}

/** The graver of both flags. */
function flagOf(pressure: readonly ResultFacts[]): Pick<ResultFacts, 'flag' | 'flagFrom'> {
  const odd = pressure.find(({ flag }) => flag !== undefined && flag !== 'normal') ?? pressure.find(({ flag }) => flag)
  return odd?.flag === undefined
    ? {}
    : { flag: odd.flag, ...(odd.flagFrom === undefined ? {} : { flagFrom: odd.flagFrom }) }
}

const numberText = ({ comparator, number = 0 }: ResultFacts, dates: RecordDates): string =>
  [comparator, dates.number(number)].filter(Boolean).join(' ')

const withUnit = (value: string, unit: string | undefined, { t }: Words<KitKey>): string =>
  unit === undefined ? value : t('record.amount', { value, unit: unitWords(unit) })

function valueText(facts: ResultFacts, words: Words<KitKey>, dates: RecordDates): string {
  if (facts.number === undefined) return facts.words ?? facts.absent ?? words.t('record.no-value')
  return withUnit(numberText(facts, dates), facts.unit, words)
}

function Name(props: Line): ReactNode {
  return (
    <>
      <bdi>{props.name}</bdi>
      {props.facts.note === undefined ? null : (
        <small className={style.more}>
          <bdi>{props.facts.note}</bdi>
        </small>
      )}
    </>
  )
}

const WITHDRAWN = new Set(['entered-in-error', 'cancelled'])

function Value({ facts, value }: Line): ReactNode {
  const { t } = useRecordWords()
  if (WITHDRAWN.has(facts.status ?? ''))
    return (
      <>
        <s>
          <bdi>{value}</bdi>
        </s>
        <State tone="stopped">{t('record.result-withdrawn')}</State>
      </>
    )
  return (
    <span className={style.value}>
      <b>
        <bdi>{value}</bdi>
      </b>
      {facts.flag === undefined ? null : <FlagState flag={facts.flag} />}
      {facts.status === 'preliminary' || facts.status === 'registered' ? (
        <State tone="waiting">{t('record.result-preliminary')}</State>
      ) : null}
      {facts.flagFrom === 'range' && facts.flag !== 'normal' ? (
        <small className={style.more}>{t('record.flag-by-range')}</small>
      ) : null}
    </span>
  )
}

const FLAG_LOOKS: Readonly<Record<Flag, readonly [Tone, IconName]>> = {
  normal: ['live', 'check'],
  low: ['waiting', 'down'],
  high: ['waiting', 'up'],
  'critical-low': ['stopped', 'warning'],
  'critical-high': ['stopped', 'warning'],
  abnormal: ['waiting', 'warning'],
}

/** A flag is a word, an icon and a colour. */
export function FlagState(props: { readonly flag: Flag }): ReactNode {
  const { t } = useRecordWords()
  const [tone, icon] = FLAG_LOOKS[props.flag]
  return (
    <State tone={tone} icon={icon}>
      {t(`record.flag.${props.flag}`)}
    </State>
  )
}

/** The range in words, and where the value lies in it. */
function rangeCell(facts: ResultFacts, { t }: Words<KitKey>, dates: RecordDates): ReactNode {
  const { low, high, rangeWords } = facts
  const said =
    low !== undefined && high !== undefined
      ? t('record.range-between', { low: dates.number(low), high: dates.number(high) })
      : high !== undefined
        ? t('record.range-below', { high: dates.number(high) })
        : low === undefined
          ? undefined
          : t('record.range-above', { low: dates.number(low) })
  if (said === undefined && rangeWords === undefined) return null
  return (
    <>
      {said === undefined ? null : <bdi>{said}</bdi>}
      {rangeWords === undefined ? null : (
        <small className={style.more}>
          <bdi>{rangeWords}</bdi>
        </small>
      )}
      <RangeBar facts={facts} />
    </>
  )
}

import { type ReactNode, useId, useState } from 'react'
import type { ContextView, RequestView } from '../../../src/native/me-request-view.ts'
import { useDates } from '../../ui/dates.ts'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Choices, TextField, Tick } from '../../ui/fields.tsx'
import { useWords } from '../words.ts'
import { addDays, type Choice, dayOf, daysBetween, isWithin, wholeChoice } from './choice.ts'
import style from './inbox.module.css'
import { ROWS, type RowProps } from './scope-rows.tsx'

const contextsOf = (request: RequestView): readonly ContextView[] =>
  request.providers.flatMap(({ contexts, isActive }) => (isActive ? contexts : []))

/** The days of the records: a bar over her real timeline, two handles, and the same as two dates. */
export function WhenRow({ request, choice, onChange }: RowProps): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const whole = wholeChoice(request)
  const contexts = contextsOf(request)
  const inside = contexts.filter((context) => isWithin(context, choice))
  const unknown = inside.filter(({ day }) => day === undefined).length
  const outside = contexts.filter(({ isInRange }) => !isInRange).length
  const set = (from: string, to: string): void => onChange({ ...choice, from, to })
  const clamp = (day: string): string => (day < whole.from ? whole.from : day > whole.to ? whole.to : day)
  const setFrom = (day: string): void => set(clamp(day), clamp(day) > choice.to ? clamp(day) : choice.to)
  const setTo = (day: string): void => set(clamp(day) < choice.from ? clamp(day) : choice.from, clamp(day))
  const summary = t('request.when-value', { from: dates.shortDay(choice.from), to: dates.shortDay(choice.to) })
  return (
    <Disclosure label={t('request.when')} summary={summary} group={ROWS}>
      <p>{t('request.when-hint')}</p>
      <Timeline whole={whole} choice={choice} contexts={contexts} onFrom={setFrom} onTo={setTo} />
      <div className={style.days}>
        <TextField
          label={t('request.when-start')}
          type="date"
          min={whole.from}
          max={whole.to}
          value={choice.from}
          onChange={(event) => event.target.value !== '' && setFrom(event.target.value)}
        />
        <TextField
          label={t('request.when-end')}
          type="date"
          min={whole.from}
          max={whole.to}
          value={choice.to}
          onChange={(event) => event.target.value !== '' && setTo(event.target.value)}
        />
      </div>
      <p role="status">{tn('request.when-marks', inside.length)}</p>
      {unknown === 0 ? null : <p className={style.second}>{tn('request.when-unknown', unknown)}</p>}
      {outside === 0 ? null : <p className={style.second}>{tn('request.when-outside', outside)}</p>}
    </Disclosure>
  )
}

const WIDTH = 1000

/** Two native sliders over one line: arrow keys, page keys, Home and End move them, screen readers say the day. */
function Timeline(props: {
  readonly whole: Choice
  readonly choice: Choice
  readonly contexts: readonly ContextView[]
  readonly onFrom: (day: string) => void
  readonly onTo: (day: string) => void
}): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { whole, choice, contexts, onFrom, onTo } = props
  const days = Math.max(1, daysBetween(whole.from, whole.to))
  const at = (day: string): number => (daysBetween(whole.from, day) / days) * WIDTH
  const marks = contexts.flatMap(({ day, isInRange }) => (day === undefined || !isInRange ? [] : [day]))
  const slider = (label: string, day: string, move: (day: string) => void): ReactNode => (
    <input
      type="range"
      min={0}
      max={days}
      step={1}
      aria-label={label}
      aria-valuetext={dates.day(day)}
      value={daysBetween(whole.from, day)}
      onChange={(event) => move(addDays(whole.from, Number(event.target.value)))}
    />
  )
  return (
    <div className={style.timeline}>
      <svg viewBox={`0 0 ${WIDTH} 40`} preserveAspectRatio="none" aria-hidden="true">
        <rect x="0" y="18" width={WIDTH} height="4" className={style.rail} />
        <rect x={at(choice.from)} y="16" width={Math.max(4, at(choice.to) - at(choice.from))} height="8" />
        {marks.map((day, index) => (
          // Two records of one day are two marks in one place.
          <line
            key={`${day}:${index}`}
            x1={at(day)}
            x2={at(day)}
            y1="6"
            y2="34"
            data-in={choice.from <= day && day <= choice.to ? '' : undefined}
          />
        ))}
      </svg>
      {slider(t('request.when-start'), choice.from, onFrom)}
      {slider(t('request.when-end'), choice.to, onTo)}
      <p className={style.ends} aria-hidden="true">
        <span>{dates.month(whole.from)}</span>
        <span>{dates.month(whole.to)}</span>
      </p>
    </div>
  )
}

const SPANS = [
  ['request.keep-week', 7],
  ['request.keep-month', 30],
  ['request.keep-quarter', 90],
] as const

/** A day to begin with that none of the usual choices has. */
function ownDay(today: string, asked: string, spans: readonly (readonly [string, string])[]): string {
  const half = addDays(today, Math.max(1, Math.floor(daysBetween(today, asked) / 2)))
  return spans.some(([, day]) => day === half) ? addDays(half, -1) : half
}

/** When the receiver must have erased its copy. */
export function KeepRow({ request, choice, onChange }: RowProps): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const name = useId()
  const asked = dayOf(request.permission.dataEraseAt)
  const [today] = useState(() => dayOf(new Date()))
  const spans = SPANS.map(([key, days]) => [key, addDays(today, days)] as const).filter(([, day]) => day < asked)
  const isUsual = choice.until === asked || spans.some(([, day]) => day === choice.until)
  const set = (until: string): void => onChange({ ...choice, until })
  const radio = (label: string, day: string): ReactNode => (
    <Tick key={day} kind="radio" name={name} label={label} checked={choice.until === day} onChange={() => set(day)} />
  )
  return (
    <Disclosure
      label={t('request.keep')}
      summary={t('request.keep-value', { day: dates.day(choice.until) })}
      group={ROWS}
    >
      <Choices legend={t('request.keep-hint')}>
        {radio(t('request.keep-asked', { day: dates.day(asked) }), asked)}
        {spans.map(([key, day]) => radio(t(key, { day: dates.day(day) }), day))}
        {asked <= addDays(today, 1) ? null : (
          <Tick
            kind="radio"
            name={name}
            label={t('request.keep-own')}
            checked={!isUsual}
            onChange={() => set(ownDay(today, asked, spans))}
          />
        )}
      </Choices>
      {isUsual ? null : (
        <TextField
          label={t('request.keep-day')}
          type="date"
          min={addDays(today, 1)}
          max={asked}
          value={choice.until}
          onChange={({ target: { value } }) => value > today && value <= asked && set(value)}
        />
      )}
    </Disclosure>
  )
}

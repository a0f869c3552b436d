import { type ReactNode, useMemo, useState } from 'react'
import { type Gathered, type GatheredMedicine, overviewOf } from '../../../src/fhir/overview.ts'
import type { AllergyFacts, ProblemFacts } from '../../../src/fhir/show-clinical.ts'
import { resultSeries, type Series, type Source } from '../../../src/fhir/trends.ts'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Card, Part } from '../../ui/page.tsx'
import { makeMedicineWords } from '../../ui/record/medicine-words.ts'
import { RecordLine } from '../../ui/record/record-lines.tsx'
import { FlagState } from '../../ui/record/record-results.tsx'
import { unitWords, useRecordDates, useRecordWords } from '../../ui/record/record-words.ts'
import { Sparkline } from '../../ui/record/sparkline.tsx'
import { TrendChart } from '../../ui/record/trend-chart.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { State } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import type { Origin } from './model.ts'
import style from './reading.module.css'

type PlaceOf = (origin: Origin) => string

/** Problems, medicines, allergies and results out of all sources, each with where it came from. */
export function PatientOverview(props: {
  readonly sources: readonly Source<Origin>[]
  readonly now: Date
  readonly placeOf: PlaceOf
  /** Stands with the problems: what is not in all this. */
  readonly children: ReactNode
}): ReactNode {
  const { t, tn } = useWords()
  const { sources, now, placeOf } = props
  const found = useMemo(() => overviewOf(sources, now), [sources, now])
  const medicine = (one: GatheredMedicine<Origin>) => <Medicine key={one.name.words} one={one} placeOf={placeOf} />
  const problem = (one: Gathered<ProblemFacts, Origin>) => <Fact key={one.name.words} one={one} placeOf={placeOf} />
  return (
    <Part title={t('reading.overview')}>
      <div className={style.overview}>
        <div>
          <Group title={t('reading.allergies')} none={t('reading.allergies-none')} isMarked>
            {found.allergies.map((one) => (
              <Fact key={one.name.words} one={one} placeOf={placeOf} />
            ))}
            {found.noAllergies.slice(0, 1).map(({ origin }) => (
              <li key="none">{t('reading.allergies-denied', { who: placeOf(origin) })}</li>
            ))}
          </Group>
          <Group title={t('reading.problems')} none={t('reading.problems-none')}>
            {found.problems.map(problem)}
            {found.pastProblems.length === 0 ? null : (
              <li>
                <Disclosure label={tn('reading.past-problems', found.pastProblems.length)}>
                  <ul className={style.facts}>{found.pastProblems.map(problem)}</ul>
                </Disclosure>
              </li>
            )}
          </Group>
          {props.children}
        </div>
        <div>
          <Group title={t('reading.medicines')} none={t('reading.medicines-none')}>
            {found.medicines.map(medicine)}
            {found.pastMedicines.length === 0 ? null : (
              <li>
                <Disclosure label={tn('reading.past-medicines', found.pastMedicines.length)}>
                  <ul className={style.facts}>{found.pastMedicines.map(medicine)}</ul>
                </Disclosure>
              </li>
            )}
          </Group>
        </div>
      </div>
      <KeyResults sources={sources} placeOf={placeOf} />
    </Part>
  )
}

function Group(props: {
  readonly title: string
  readonly none: string
  readonly isMarked?: boolean
  readonly isWide?: boolean
  readonly children: readonly ReactNode[]
}): ReactNode {
  const items = props.children.flat().filter((one) => one !== null)
  return (
    <Card label={props.title}>
      <h3 data-marked={props.isMarked && items.length > 0 ? '' : undefined}>{props.title}</h3>
      {items.length === 0 ? (
        <p className={style.none}>{props.none}</p>
      ) : (
        <ul className={props.isWide ? style.results : style.facts}>{items}</ul>
      )}
    </Card>
  )
}

function Fact(props: {
  readonly one: Gathered<ProblemFacts | AllergyFacts, Origin>
  readonly placeOf: PlaceOf
}): ReactNode {
  return (
    <li>
      <RecordLine facts={props.one.newest.facts} />
      <From {...props} />
    </li>
  )
}

/** The newest source and its day; how many say the same. */
function From(props: {
  readonly one: { readonly said: readonly { readonly origin: Origin; readonly at?: string }[] }
  readonly placeOf: PlaceOf
}): ReactNode {
  const { t, tn } = useWords()
  const dates = useRecordDates()
  const [newest, ...others] = props.one.said
  if (newest === undefined) return null
  const place = props.placeOf(newest.origin)
  return (
    <p className={style.from}>
      {newest.at === undefined ? <bdi>{place}</bdi> : t('reading.from-place', { place, day: dates.day(newest.at) })}
      {others.length === 0 ? null : ` ${tn('reading.from-more', others.length)}`}
    </p>
  )
}

function Medicine(props: { readonly one: GatheredMedicine<Origin>; readonly placeOf: PlaceOf }): ReactNode {
  const { t } = useWords()
  const words = useRecordWords()
  const dates = useRecordDates()
  const { one } = props
  const { dose, howOften } = makeMedicineWords(words, dates)
  const how = (one.newest.facts.dosages ?? []).map((dosage) => {
    const said = [dose(dosage), howOften(dosage), ...(dosage.instructions ?? [])].filter((part) => part !== '')
    return dosage.text ?? said.join(', ')
  })
  return (
    <li>
      <p>
        <bdi>{one.name.words}</bdi>
      </p>
      {how.map((line) => (
        <p key={line} className={style.how}>
          <bdi>{line}</bdi>
        </p>
      ))}
      <p className={style.how}>
        {one.until !== undefined
          ? t('reading.medicine-until', { day: dates.day(one.until) })
          : one.state === 'open'
            ? t('reading.medicine-open')
            : null}
      </p>
      {one.state === 'unclear' ? <State tone="waiting">{t('reading.medicine-unclear')}</State> : null}
      {one.differs ? <State tone="waiting">{t('reading.medicine-differs')}</State> : null}
      <From {...props} />
    </li>
  )
}

const KEY_RESULTS = 6

/** What is out of range now, and what was measured most often. */
function KeyResults(props: { readonly sources: readonly Source<Origin>[]; readonly placeOf: PlaceOf }): ReactNode {
  const { t, tn } = useWords()
  const [course, setCourse] = useState<Series<Origin>>()
  const { sources, placeOf } = props
  const series = useMemo(() => [...resultSeries(sources)].sort((a, b) => weight(b) - weight(a)), [sources])
  const [first, rest] = [series.slice(0, KEY_RESULTS), series.slice(KEY_RESULTS)]
  const line = (one: Series<Origin>) => <Result key={one.key} series={one} onOpen={() => setCourse(one)} />
  return (
    <>
      <Group title={t('reading.results')} none={t('reading.results-none')} isWide>
        {first.map(line)}
        {rest.length === 0 ? null : (
          <li data-whole="">
            <Disclosure label={tn('reading.results-more', rest.length)}>
              <ul className={style.results}>{rest.map(line)}</ul>
            </Disclosure>
          </li>
        )}
      </Group>
      {course === undefined ? null : (
        <Sheet title={<bdi>{course.name.words}</bdi>} onClose={() => setCourse(undefined)}>
          <TrendChart series={course} sourceOf={placeOf} />
        </Sheet>
      )}
    </>
  )
}

function weight({ points }: Series<Origin>): number {
  const flag = points.at(-1)?.flag ?? 'normal'
  return (flag === 'normal' ? 0 : flag.startsWith('critical') ? 2_000 : 1_000) + Math.min(points.length, 900)
}

function Result(props: { readonly series: Series<Origin>; readonly onOpen: () => void }): ReactNode {
  const words = useRecordWords()
  const dates = useRecordDates()
  const { points, name, unit = '' } = props.series
  const last = points.at(-1)
  if (last === undefined) return null
  const value = `${last.comparator ?? ''}${dates.number(last.value)}`
  return (
    <li>
      <p>
        <bdi>{name.words}</bdi>{' '}
        <b>{unit === '' ? value : words.t('record.amount', { value, unit: unitWords(unit) })}</b>{' '}
        {last.flag === undefined || last.flag === 'normal' ? null : <FlagState flag={last.flag} />}
      </p>
      <p className={style.from}>{dates.day(last.at)}</p>
      {points.length < 2 ? null : <Sparkline series={props.series} onOpen={props.onOpen} />}
    </li>
  )
}

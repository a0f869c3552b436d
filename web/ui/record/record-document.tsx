import { type ReactNode, useState } from 'react'
import type { ShownDocument, ShownSection } from '../../../src/fhir/show.ts'
import type { Series } from '../../../src/fhir/trends.ts'
import { Sheet } from '../sheet.tsx'
import { Banner } from '../state.tsx'
import style from './record.module.css'
import { RecordNarrative } from './record-narrative.tsx'
import { RecordRows } from './record-rows.tsx'
import { useKindWords, useRecordDates, useRecordWords } from './record-words.ts'
import type { RowsFrame } from './rows-frame.ts'
import { TrendChart } from './trend-chart.tsx'

/**
 * One document as a person reads it: who wrote it, when and where; its sections in the order of the author; files in place. `history`
 * puts each result beside its earlier ones; `sourceOf` says in words where those came from.
 */
export function RecordDocument<Origin>(props: {
  readonly document: ShownDocument
  readonly history?: readonly Series<Origin>[]
  readonly sourceOf?: (origin: Origin) => string
  /** What the app says of it: source, consent, how long it may be kept. */
  readonly foot?: ReactNode
  /** Leaves the heading out where a list shows it already. */
  readonly isInList?: boolean
}): ReactNode {
  const [course, setCourse] = useState<Series<Origin>>()
  const { t } = useRecordWords()
  const { document, history, sourceOf } = props
  const frame = { date: document.date, onCourse: setCourse, ...(history === undefined ? {} : { history }) }
  return (
    <article className={style.document}>
      {props.isInList ? null : <Heading document={document} />}
      <Byline document={document} />
      <Warnings document={document} />
      {document.sections.map((section, at) => (
        // The sections of a document never change places.
        <Section key={at} section={section} frame={frame} isOnly={isTheDocument(document, section)} />
      ))}
      {document.others.length === 0 ? null : (
        <section className={style.section}>
          <h4>{t('record.others')}</h4>
          <RecordRows rows={document.others} caption={t('record.others')} {...frame} />
        </section>
      )}
      {props.foot === undefined ? null : <footer className={style.foot}>{props.foot}</footer>}
      {course === undefined ? null : (
        <Sheet title={<bdi>{course.name.words}</bdi>} onClose={() => setCourse(undefined)}>
          <TrendChart series={course} {...(sourceOf === undefined ? {} : { sourceOf })} />
        </Sheet>
      )}
    </article>
  )
}

/** A document of one section that repeats its name: the heading would say it twice. */
function isTheDocument(document: ShownDocument, section: ShownSection): boolean {
  return document.sections.length === 1 && (section.role === 'prescription' || section.title === document.title)
}

function Heading({ document }: { readonly document: ShownDocument }): ReactNode {
  const kind = useKindWords()
  const dates = useRecordDates()
  const { t } = useRecordWords()
  return (
    <header className={style.head}>
      <h3>{kind(document.hiType)}</h3>
      <p className={style.muted}>{document.date === undefined ? t('record.no-date') : dates.day(document.date)}</p>
      <p>
        <bdi>{document.title}</bdi>
      </p>
    </header>
  )
}

/** Who wrote it, where, for which visit, who confirmed it. */
function Byline({ document }: { readonly document: ShownDocument }): ReactNode {
  const { t } = useRecordWords()
  const dates = useRecordDates()
  const { writers, place, encounter, attested = [], patient } = document
  const rows: (readonly [string, ReactNode])[] = [
    ...writers.map(({ name, qualification, registration }): readonly [string, ReactNode] => [
      t('record.written-by'),
      <Writer
        key={name}
        name={name}
        more={[qualification, registration && t('record.registration', { number: registration })]}
      />,
    ]),
    ...(place === undefined ? [] : [[t('record.place'), <bdi key="place">{place}</bdi>] as const]),
    ...(encounter?.start === undefined
      ? []
      : [
          [
            t('record.visit-time'),
            encounter.end === undefined
              ? dates.moment(encounter.start)
              : t('record.stay', { from: dates.moment(encounter.start), to: dates.moment(encounter.end) }),
          ] as const,
        ]),
    ...(patient?.name === undefined ? [] : [[t('record.about'), <bdi key="patient">{patient.name}</bdi>] as const]),
    ...attested.flatMap(({ name, at }): (readonly [string, ReactNode])[] => {
      if (name === undefined) return []
      const said = at === undefined ? name : t('record.confirmed-by-on', { name, day: dates.day(at) })
      return [[t('record.confirmed-by'), <bdi key={name}>{said}</bdi>]]
    }),
  ]
  return (
    <dl className={style.byline}>
      {rows.map(([name, value], at) => (
        <div key={at}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Writer(props: { readonly name: string; readonly more: readonly (string | undefined)[] }): ReactNode {
  const more = props.more.filter((one) => one !== undefined && one !== '')
  return (
    <>
      <bdi>{props.name}</bdi>
      {more.map((one) => (
        <span className={style.muted} key={one}>
          {', '}
          <bdi>{one}</bdi>
        </span>
      ))}
    </>
  )
}

/** What a reader must know before the content. */
function Warnings({ document }: { readonly document: ShownDocument }): ReactNode {
  const { t } = useRecordWords()
  const { status, relation, isSubset, signature, sections, others } = document
  return (
    <>
      {status === 'entered-in-error' ? <Banner tone="stopped">{t('record.withdrawn')}</Banner> : null}
      {status === 'preliminary' ? <Banner tone="waiting">{t('record.preliminary')}</Banner> : null}
      {status === 'amended' ? <Banner tone="calm">{t('record.amended')}</Banner> : null}
      {relation === 'replaces' ? <Banner tone="calm">{t('record.replaces')}</Banner> : null}
      {relation === 'appends' ? <Banner tone="calm">{t('record.appends')}</Banner> : null}
      {isSubset ? (
        <Banner tone="waiting" icon="info">
          {t('record.part-only')}
        </Banner>
      ) : null}
      {sections.length === 0 && others.length === 0 ? (
        <Banner tone="waiting" icon="info">
          {t('record.cannot-show')}
        </Banner>
      ) : null}
      {signature === undefined ? null : <p className={style.more}>{t('record.signature-inside')}</p>}
    </>
  )
}

function Section<Origin>(props: {
  readonly section: ShownSection
  readonly frame: Omit<RowsFrame<Origin>, 'caption'>
  readonly isOnly: boolean
}): ReactNode {
  const { t } = useRecordWords()
  const { section, frame } = props
  const title = section.role === undefined ? section.title : t(`record.section.${section.role}`)
  return (
    <section className={style.section}>
      <h4 className={props.isOnly ? 'visually-hidden' : undefined}>
        <bdi>{title}</bdi>
      </h4>
      {section.words === undefined ? null : <RecordNarrative blocks={section.words} />}
      <RecordRows rows={section.rows} caption={title} {...frame} />
    </section>
  )
}

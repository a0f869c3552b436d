import { type ReactNode, useMemo, useState } from 'react'
import type { HiType } from '../../../src/fhir/hi-type.ts'
import { resultSeries, type Series, type Source } from '../../../src/fhir/trends.ts'
import { type Visit, visitsOf } from '../../../src/fhir/visits.ts'
import { Button } from '../button.tsx'
import { Icon, type IconName } from '../icon.tsx'
import { Empty } from '../state.tsx'
import { RecordDocument } from './record-document.tsx'
import { summaryOf } from './record-summary.ts'
import { useKindWords, useRecordDates, useRecordWords } from './record-words.ts'
import style from './timeline.module.css'
import { admits, NO_FILTER, TimelineFilter } from './timeline-filter.tsx'
import { usePrinting } from './use-printing.ts'

/** What a timeline needs to know of where a document came from; the app may add its own. */
export type TimelineOrigin = { readonly id: string }

export type Beyond = {
  readonly kinds: ReadonlyMap<HiType, number>
  readonly older: (kinds: readonly HiType[]) => ReactNode
}

type Props<Origin extends TimelineOrigin> = {
  readonly sources: readonly Source<Origin>[]
  /** Stands small beside the kind of each document: where it came from. */
  readonly badgeOf?: (origin: Origin) => ReactNode
  /** Stands below each open document: consent, how long it may be kept. */
  readonly footOf?: (origin: Origin) => ReactNode
  /** Where a value in a chart came from, in words. */
  readonly sourceOf: (origin: Origin) => string
  /** Where not everything that there is has been opened: how many there are of each kind, and what leads to older ones of some kinds. */
  readonly beyond?: Beyond
  /** What the list says when there is nothing yet. */
  readonly empty: ReactNode
}

/** Years of records are long; paper has them all. */
const VISITS_A_PAGE = 12

/** Records grouped by visit, newest first, each opens in place; results know their earlier ones. */
export function RecordTimeline<Origin extends TimelineOrigin>(props: Props<Origin>): ReactNode {
  const { t } = useRecordWords()
  const [filter, setFilter] = useState(NO_FILTER)
  const [pages, setPages] = useState(1)
  const isPrinting = usePrinting()
  const { sources, beyond } = props
  const history = useMemo(() => resultSeries(sources), [sources])
  const shown = useMemo(() => sources.filter(({ document }) => admits(filter, document)), [sources, filter])
  const visits = useMemo(() => visitsOf(shown), [shown])
  // What is opened a page at a time is shown as it is opened: the way on stays where it was.
  const shownVisits = isPrinting || beyond !== undefined ? visits.length : pages * VISITS_A_PAGE
  if (sources.length === 0) return props.empty
  return (
    <section className={style.timeline} aria-label={t('record.timeline')}>
      <TimelineFilter
        sources={sources}
        kinds={beyond?.kinds}
        shown={shown.length}
        filter={filter}
        onChange={setFilter}
      />
      {visits.length === 0 ? <Empty icon="search" title={t('record.filter-none')} /> : null}
      <ol className={style.visits}>
        {visits.slice(0, shownVisits).map((visit, at) => (
          <VisitItem key={visit.key} {...props} visit={visit} history={history} isNewest={at === 0} />
        ))}
      </ol>
      {visits.length <= shownVisits ? (
        beyond?.older(filter.kinds)
      ) : (
        <div>
          <Button icon="down" onClick={() => setPages(pages + 1)}>
            {t('record.earlier')}
          </Button>
        </div>
      )}
    </section>
  )
}

type Inside<Origin extends TimelineOrigin> = Props<Origin> & { readonly history: readonly Series<Origin>[] }

function VisitItem<Origin extends TimelineOrigin>(
  props: Inside<Origin> & { readonly visit: Visit<Origin>; readonly isNewest: boolean },
): ReactNode {
  const { t, tn } = useRecordWords()
  const dates = useRecordDates()
  const { visit } = props
  const day = visit.start === undefined ? t('record.no-date') : dates.day(visit.start)
  const end = visit.end === undefined ? undefined : dates.day(visit.end)
  return (
    <li className={style.visit}>
      <header>
        <h3>{end === undefined || end === day ? day : t('record.stay', { from: day, to: end })}</h3>
        <p>
          {t(kindKey(visit.kind))}
          {visit.place === undefined ? null : (
            <>
              {t('common.between')}
              <bdi>{visit.place}</bdi>
            </>
          )}
          {visit.documents.length > 1
            ? `${t('common.between')}${tn('record.documents', visit.documents.length)}`
            : null}
        </p>
      </header>
      {visit.documents.map((source, at) => (
        <Entry key={source.origin.id} {...props} source={source} isOpenFirst={props.isNewest && at === 0} />
      ))}
    </li>
  )
}

const KINDS = ['AMB', 'IMP', 'ACUTE', 'NONAC', 'EMER', 'VR', 'HH'] as const
const kindKey = (kind: string | undefined) => `record.visit.${KINDS.find((one) => one === kind) ?? 'none'}` as const

const ICONS: Readonly<Record<string, IconName>> = {
  Prescription: 'pill',
  DiagnosticReport: 'lab',
  OPConsultation: 'person',
  DischargeSummary: 'hospital',
  ImmunizationRecord: 'insurance',
  WellnessRecord: 'chart',
}

/** Its content is made when it is opened, and for print. */
function Entry<Origin extends TimelineOrigin>(
  props: Inside<Origin> & { readonly source: Source<Origin>; readonly isOpenFirst: boolean },
): ReactNode {
  const words = useRecordWords()
  const dates = useRecordDates()
  const kind = useKindWords()
  const [isOpen, setOpen] = useState(props.isOpenFirst)
  const isPrinting = usePrinting()
  const { document, origin } = props.source
  const isShown = isOpen || isPrinting
  return (
    <details
      className={style.entry}
      open={isShown}
      onToggle={(event) => {
        if (!isPrinting) setOpen(event.currentTarget.open)
      }}
    >
      <summary>
        <Icon name={ICONS[document.hiType ?? ''] ?? 'record'} size={24} />
        <span className={style.what}>
          <span className={style.kind}>
            <b>{kind(document.hiType)}</b> {props.badgeOf?.(origin)}
          </span>
          <span className={style.summary}>
            <bdi>{summaryOf(document, words, dates)}</bdi>
          </span>
        </span>
        <Icon name="down" />
      </summary>
      {isShown ? (
        <div className={style.body}>
          <RecordDocument
            document={document}
            history={props.history}
            sourceOf={props.sourceOf}
            isInList
            foot={props.footOf?.(origin)}
          />
        </div>
      ) : null}
    </details>
  )
}

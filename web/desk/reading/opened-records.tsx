import { type ReactNode, useMemo } from 'react'
import { Link } from 'wouter'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Icon } from '../../ui/icon.tsx'
import { Part } from '../../ui/page.tsx'
import { RecordTimeline } from '../../ui/record/record-timeline.tsx'
import { Banner, Empty, State } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import { MissingList } from './missing-list.tsx'
import { type Opened, type Origin, purposeKey, sourcesOf } from './model.ts'
import { type Older, OlderRecords } from './older-records.tsx'
import { countsOf, nextOf } from './pages.ts'
import { PatientOverview } from './patient-overview.tsx'
import style from './reading.module.css'

/** The open records: at a glance, what is missing, and everything by visit. Units see their own kind of record, without the glance. */
export function OpenedRecords(props: {
  readonly opened: Opened
  readonly now: Date
  readonly older: Older
  readonly onOther: () => void
}): ReactNode {
  const { t } = useWords()
  const { opened, now, older } = props
  const sources = useMemo(() => sourcesOf(opened.entries), [opened.entries])
  const placeOf = usePlaceOf()
  return (
    <>
      <div className={style.bar}>
        <State tone={opened.ground === 'emergency' ? 'emergency' : 'calm'} icon="eye">
          {t('reading.read-for', { purpose: t(purposeKey(opened.purpose)) })}
        </State>
        <ButtonRow>
          <Button look="quiet" icon="print" onClick={() => globalThis.print()}>
            {t('reading.print')}
          </Button>
          <Button look="quiet" icon="refresh" onClick={props.onOther}>
            {t('reading.open-other')}
          </Button>
        </ButtonRow>
      </div>
      {opened.ground === 'unit' || sources.length === 0 ? (
        <MissingList opened={opened} isAlone />
      ) : (
        <>
          <Partly opened={opened} />
          <PatientOverview sources={sources} now={now} placeOf={placeOf}>
            <MissingList opened={opened} />
          </PatientOverview>
        </>
      )}
      <Part title={t('reading.timeline')}>
        <RecordTimeline
          sources={sources}
          badgeOf={(origin) => <Badge origin={origin} />}
          footOf={(origin) => <Foot origin={origin} />}
          sourceOf={placeOf}
          beyond={{
            kinds: new Map(opened.there.map(({ hiType, documents }) => [hiType, documents])),
            older: (kinds) => <OlderRecords opened={opened} kinds={kinds} older={older} />,
          }}
          empty={
            <Empty icon="record" title={t('reading.there-is-nothing')}>
              <p>{t('reading.there-is-nothing-text')}</p>
            </Empty>
          }
        />
      </Part>
    </>
  )
}

/** The glance must not pass for the whole while older records are closed. */
function Partly({ opened }: { readonly opened: Opened }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  if (nextOf(opened, []) === undefined) return null
  const { open, there } = countsOf(opened, [])
  const values = { n: dates.number(open), of: dates.number(there) }
  return (
    <Banner tone="waiting" icon="info" title={t('reading.partly', values)}>
      <p>{t('reading.partly-text')}</p>
    </Banner>
  )
}

/** Where something came from, in words: our records, or the name of the other place. */
function usePlaceOf(): (origin: Origin) => string {
  const { t } = useWords()
  return ({ entry }) => entry.received?.hip.name ?? entry.received?.hip.id ?? t('reading.ours')
}

function Badge({ origin }: { readonly origin: Origin }): ReactNode {
  const placeOf = usePlaceOf()
  const isOurs = origin.entry.received === undefined
  return (
    <span className={style.badge} data-ours={isOurs ? '' : undefined}>
      <Icon name={isOurs ? 'hospital' : 'share'} size={16} />
      <bdi>{placeOf(origin)}</bdi>
    </span>
  )
}

/** Source, consent with its purpose, and until when we may keep it. */
function Foot({ origin }: { readonly origin: Origin }): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const placeOf = usePlaceOf()
  const { received } = origin.entry
  if (received === undefined) return <p>{t('reading.foot-own')}</p>
  const { purpose, keepUntil, consent, findings, at } = received
  return (
    <>
      <p>
        {purpose === 'BTG'
          ? t('reading.foot-emergency', { place: placeOf(origin), day: dates.day(at) })
          : t('reading.foot-received', {
              place: placeOf(origin),
              day: dates.day(at),
              purpose: purpose === undefined ? '' : t(purposeKey(purpose)),
            })}{' '}
        {keepUntil === undefined
          ? null
          : t('reading.foot-keep', { day: purpose === 'BTG' ? dates.moment(keepUntil) : dates.day(keepUntil) })}
      </p>
      {findings === 0 ? null : <p>{tn('reading.foot-findings', findings)}</p>}
      <p>
        <Link href={`/consents/${consent}`}>{t('reading.foot-consent')}</Link>
      </p>
    </>
  )
}

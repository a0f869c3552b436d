import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { DecidedView, RequestView } from '../../../src/native/me-request-view.ts'
import { Button, ButtonLink, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Icon } from '../../ui/icon.tsx'
import { Page } from '../../ui/page.tsx'
import { Banner, State } from '../../ui/state.tsx'
import { usePatientSession } from '../session.ts'
import { type PatientKey, useWords } from '../words.ts'
import { wasDecidedElsewhere } from './decided-here.ts'
import style from './inbox.module.css'
import { sayTypes } from './sentences.ts'

type Props = { readonly request: RequestView; readonly decided: DecidedView }

/** What was decided: a receipt for what was allowed, a plain sentence for the rest. */
export function DecidedRequest(props: Props): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { request, decided } = props
  const isShared = decided.consents.length > 0
  return (
    <Page title={t(titleOf(request, decided))} back={{ to: '/', label: t('decided.to-inbox') }}>
      <Elsewhere {...props} />
      {isShared ? <Receipt {...props} /> : <NotShared {...props} />}
      {request.byPolicy ? (
        <p>
          {t('decided.by-policy')}. <Link href="/choices/policies">{t('decided.by-policy-link')}</Link>
        </p>
      ) : null}
      {decided.outcome === 'GRANTED' ? (
        <p>
          {t('decided.ends', { day: dates.day(latest(decided)) })} {t('decided.stop')}
        </p>
      ) : null}
      {decided.notice === undefined ? null : <p className={style.second}>{t('decided.notice')}</p>}
      <ButtonRow>
        {isShared ? (
          <>
            <ButtonLink to={`/sharing/${request.id}`} look="primary">
              {t('decided.to-sharing')}
            </ButtonLink>
            <Button onClick={() => window.print()}>{t('decided.print')}</Button>
          </>
        ) : null}
        <ButtonLink to="/">{t('decided.to-inbox')}</ButtonLink>
      </ButtonRow>
    </Page>
  )
}

function titleOf(request: RequestView, decided: DecidedView): PatientKey {
  if (decided.outcome === 'DENIED') return 'decided.denied'
  if (decided.consents.length === 0) return 'decided.expired'
  // Not she stopped it: who had it was shut out.
  if (decided.outcome === 'REVOKED' && request.asker.standing === 'shut-out') return 'decided.ended'
  if (decided.outcome === 'REVOKED') return 'decided.stopped'
  if (decided.outcome === 'EXPIRED') return 'decided.ended'
  return request.byPolicy ? 'inbox.state.GRANTED' : 'decided.allowed'
}

const latest = ({ consents }: DecidedView): string =>
  consents.map(({ until }) => until).reduce((a, b) => (a > b ? a : b), '')

/** The later device is told what the earlier one did. */
function Elsewhere({ request, decided }: Props): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  if (!wasDecidedElsewhere(request.id)) return null
  if (decided.outcome === 'EXPIRED' && decided.consents.length === 0)
    return <Banner tone="waiting" icon="clock" isAlert title={t('decided.while-reading')} />
  const key = decided.outcome === 'DENIED' ? 'decided.elsewhere-denied' : 'decided.elsewhere-allowed'
  return <Banner tone="waiting" icon="info" isAlert title={t(key, { time: dates.time(decided.at) })} />
}

function NotShared({ request, decided }: Props): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const asker = request.asker.name
  const says =
    decided.outcome === 'DENIED'
      ? t('decided.denied-text', { asker })
      : request.asker.standing === 'shut-out'
        ? t('request.not-registered', { id: request.asker.id })
        : t('decided.expired-text', { moment: dates.moment(decided.at) })
  return (
    <>
      <p>
        <b>
          <bdi>{asker}</bdi>
        </b>
        {t('common.between')}
        {dates.moment(decided.at)}
      </p>
      <p>{says}</p>
      {decided.reason === undefined ? null : (
        <p>
          {t('decided.reason')}: <bdi>{decided.reason}</bdi>
        </p>
      )}
    </>
  )
}

function Receipt({ request, decided }: Props): ReactNode {
  const words = useWords()
  const dates = useDates()
  const { t, tn } = words
  const isLive = decided.outcome === 'GRANTED'
  const guardian = useGuardianName(decided.guardian)
  const top: readonly (readonly [string, ReactNode])[] = [
    [t('decided.who'), <bdi key="who">{request.asker.name}</bdi>],
    [t('decided.when'), dates.moment(decided.at)],
    ...(guardian === undefined ? [] : [[t('decided.by'), <bdi key="by">{guardian}</bdi>] as const]),
  ]
  return (
    <section className={style.receipt} aria-label={t('decided.receipt')}>
      <div className={style.receiptHead}>
        <Icon name="check" size={32} />
        <p className={style.title}>{t('decided.receipt')}</p>
        <State tone={isLive ? 'live' : 'stopped'}>{t(`inbox.state.${decided.outcome}`)}</State>
      </div>
      <Lines rows={top} />
      {decided.consents.map(({ id, hip, hiTypes, careContexts, from, to, until }) => (
        <Lines
          key={id}
          rows={[
            [t('decided.from'), <bdi key="from">{hip.name}</bdi>],
            [
              t('decided.what'),
              `${sayTypes(words, hiTypes)}${t('common.between')}${tn('decided.records', careContexts)}`,
            ],
            [t('decided.days'), t('request.when-value', { from: dates.shortDay(from), to: dates.shortDay(to) })],
            [t('decided.until'), <b key="until">{dates.day(until)}</b>],
          ]}
        />
      ))}
      <p className={style.number}>
        {t('decided.number')}: <bdi>{request.id}</bdi>
      </p>
    </section>
  )
}

function Lines({ rows }: { readonly rows: readonly (readonly [string, ReactNode])[] }): ReactNode {
  return (
    <dl className={style.lines}>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function useGuardianName(guardian: string | undefined): string | undefined {
  const { session } = usePatientSession()
  return guardian === session?.patient.abhaAddress ? session?.patient.name : guardian
}

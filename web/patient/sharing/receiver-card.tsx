import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import type { ReceiverView, RequestView } from '../../../src/rights/views.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Icon } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'
import { State } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import { facilityIcon } from './facility-icon.ts'
import { StopProgress } from './progress.tsx'
import style from './sharing.module.css'
import { StopSheet } from './stop-sheet.tsx'
import { TimeLeft } from './time-left.tsx'

/** One receiver: until when, how much, what exactly; and to stop it. */
export function ReceiverCard(props: { readonly receiver: ReceiverView }): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const [isStopping, setStopping] = useState(false)
  const heading = useFocusWhenStopped(props.receiver)
  const { facility, status, until, shareLeft, records, live, requests } = props.receiver
  const isLive = status === 'live'
  const endedAt = requests[0]?.consents[0]?.endedAt
  return (
    <Card label={facility.name}>
      <div className={style.cardHead}>
        <Icon name={facilityIcon(facility.kinds)} size={24} />
        <h3 ref={heading} tabIndex={-1}>
          <bdi>{facility.name}</bdi>
        </h3>
        <State
          tone={isLive ? 'live' : status === 'stopped' ? 'stopped' : 'calm'}
          {...(status === 'ended' ? { icon: 'clock' as const } : {})}
        >
          {t(`sharing.state.${status}`)}
        </State>
      </div>
      {isLive ? (
        <TimeLeft until={until} share={shareLeft} />
      ) : endedAt === undefined ? null : (
        <p>{t('sharing.over-since', { moment: dates.moment(endedAt) })}</p>
      )}
      <p className={style.quiet}>{records === 0 ? t('sharing.records-none') : tn('sharing.records', records)}</p>
      <ul className={style.requests}>
        {requests.map((request) => (
          <li key={request.id}>
            <RequestLink request={request} />
          </li>
        ))}
      </ul>
      {isLive ? null : <StopProgress consents={requests.flatMap(({ consents }) => consents)} />}
      {isLive ? (
        <div>
          <Button
            look="stop"
            icon="stop"
            onClick={() => setStopping(true)}
            aria-label={t('sharing.stop-with', { name: facility.name })}
          >
            {t('sharing.stop')}
          </Button>
        </div>
      ) : null}
      {isStopping ? (
        <StopSheet
          what={facility.id}
          receiver={facility}
          consents={requests.flatMap(({ consents }) => consents).filter(({ artefact }) => live.includes(artefact))}
          onClose={() => setStopping(false)}
        />
      ) : null}
    </Card>
  )
}

const MOMENT_MS = 10_000

/** The card of what was stopped a moment ago has moved to the top: the eye and the keyboard go with it. */
function useFocusWhenStopped({ status, requests }: ReceiverView) {
  const heading = useRef<HTMLHeadingElement>(null)
  const endedAt = status === 'stopped' ? requests[0]?.consents[0]?.endedAt : undefined
  useEffect(() => {
    if (endedAt === undefined || Date.now() - Date.parse(endedAt) > MOMENT_MS) return
    heading.current?.focus({ preventScroll: true })
    heading.current?.scrollIntoView({ block: 'center' })
  }, [endedAt])
  return heading
}

function RequestLink(props: { readonly request: RequestView }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { id, purpose, grantedAt, isEmergency } = props.request
  const day = dates.day(grantedAt)
  return (
    <Link href={`/sharing/${id}`} className={style.request ?? ''}>
      <span>
        <b>{t(`purpose.${purpose as 'CAREMGT'}`)}</b>
        {isEmergency ? (
          <small>
            <State tone="emergency">{t('sharing.emergency-on', { day })}</State>
          </small>
        ) : (
          <span>{t('sharing.allowed-on', { day })}</span>
        )}
      </span>
      <Icon name="next" />
    </Link>
  )
}

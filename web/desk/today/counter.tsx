import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import type { WaitingShare } from '../../../src/desk/patients.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { TextField } from '../../ui/fields.tsx'
import { Lines } from '../../ui/lines.tsx'
import { Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Empty, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import { type Person, pathOf, useAgeAndSex } from '../patients/model.ts'
import type { Wire } from '../wire.ts'
import { useWords } from '../words.ts'
import style from './today.module.css'

type Share = Wire<WaitingShare>

/** Patients who shared their profile at a counter and wait: registered with one tap. */
export function Counter(): ReactNode {
  const { t } = useWords()
  const [showsCode, setShowsCode] = useState(false)
  const { data, error, refetch, dataUpdatedAt } = useCall<{ readonly shares: readonly Share[] }>('/v1/desk/shares')
  return (
    <Part title={t('counter.title')}>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined && error === null ? <Waiting>{t('common.loading')}</Waiting> : null}
      {data?.shares.length === 0 ? (
        <Empty icon="scan" title={t('counter.empty')}>
          <p>{t('counter.empty-text')}</p>
        </Empty>
      ) : null}
      {data === undefined || data.shares.length === 0 ? null : (
        <Lines className={style.list}>
          {data.shares.map((share) => (
            <li key={share.id}>
              <ShareRow share={share} isOver={Date.parse(share.expiresAt) < dataUpdatedAt} />
            </li>
          ))}
        </Lines>
      )}
      <div>
        <Button icon="scan" onClick={() => setShowsCode(true)}>
          {t('counter.code')}
        </Button>
      </div>
      {showsCode ? <CodeSheet onClose={() => setShowsCode(false)} /> : null}
    </Part>
  )
}

function ShareRow(props: { readonly share: Share; readonly isOver: boolean }): ReactNode {
  const { share, isOver } = props
  const { t } = useWords()
  const dates = useDates()
  const ageAndSex = useAgeAndSex()
  const [, go] = useLocation()
  const take = useAct<void, { readonly patient: { readonly reference: string } }>(
    () => ({ path: `/v1/desk/shares/${share.id}/register` }),
    ({ patient }) => go(pathOf(patient.reference)),
  )
  const says = { 'hip/share-taken': t('counter.taken'), 'hip/share-incomplete': t('counter.incomplete') }
  return (
    <div className={style.share}>
      <span className={style.number}>
        <span className="visually-hidden">{t('counter.number', { number: share.queueNumber })}</span>
        <span aria-hidden="true">{dates.number(share.queueNumber)}</span>
      </span>
      <span className={style.name}>
        <b>
          <bdi>{share.name}</bdi>
        </b>
        <small>
          {share.birthDate === undefined || share.gender === undefined ? null : (
            <span>{ageAndSex({ birthDate: share.birthDate, gender: share.gender as Person['gender'] })}</span>
          )}
          <span>{t('counter.at', { counter: share.counter, time: dates.time(share.sharedAt) })}</span>
        </small>
        <span>
          <State tone="calm" icon={share.patient === undefined ? 'add' : 'person'}>
            {t(share.patient === undefined ? 'counter.new' : 'counter.known')}
          </State>{' '}
          {isOver ? <State tone="waiting">{t('counter.over')}</State> : null}
        </span>
      </span>
      <Button look="primary" isBusy={take.isBusy} onClick={() => take.run()} aria-describedby={`share-${share.id}`}>
        {t(share.patient === undefined ? 'counter.take' : 'counter.take-known')}
        <span className="visually-hidden" id={`share-${share.id}`}>
          {' '}
          {share.name}
        </span>
      </Button>
      {take.error === null ? null : <Trouble error={take.error} says={says} />}
    </div>
  )
}

const COUNTER = /^[A-Za-z0-9-]{1,20}$/

/** The code that hangs at a counter, to show or to print. */
function CodeSheet(props: { readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const [counter, setCounter] = useState('1')
  const [isMissing, setIsMissing] = useState(false)
  const shown = COUNTER.test(counter) ? counter : '1'
  return (
    <Sheet
      title={t('counter.code-title', { counter: shown })}
      onClose={props.onClose}
      actions={
        <ButtonRow>
          <Button icon="print" onClick={() => window.print()}>
            {t('counter.print')}
          </Button>
        </ButtonRow>
      }
    >
      <p>{t(isMissing ? 'counter.code-none' : 'counter.code-say')}</p>
      {isMissing ? null : (
        <img
          className={style.code}
          src={`/v1/desk/counters/${encodeURIComponent(shown)}/code`}
          alt={t('counter.code-alt', { counter: shown })}
          width={280}
          height={280}
          onError={() => setIsMissing(true)}
        />
      )}
      <TextField
        label={t('counter.which')}
        value={counter}
        maxLength={20}
        onChange={(event) => setCounter(event.target.value)}
      />
    </Sheet>
  )
}

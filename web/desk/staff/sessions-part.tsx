import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner, State } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './staff.module.css'

type Session = {
  readonly id: string
  readonly device: string
  readonly openedAt: string
  readonly seenAt: string
  readonly isThis: boolean
}

/** Where she is signed in, and signing out elsewhere. */
export function SessionsPart(): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const client = useQueryClient()
  const { data: sessions, error } = useCall<readonly Session[]>('/v1/desk/me/sessions')
  const [isEnded, setIsEnded] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const end = async (id: string): Promise<void> => {
    setProblem(undefined)
    try {
      await call(`/v1/desk/me/sessions/${id}`, { method: 'DELETE' })
      setIsEnded(true)
    } catch (fault) {
      setProblem(fault)
    }
    await client.invalidateQueries()
  }
  return (
    <Part title={t('staff.sessions')}>
      {error === null ? null : <Trouble error={error} />}
      {problem === undefined ? null : <Trouble error={problem} />}
      {isEnded ? <Banner tone="live" title={t('staff.session-ended')} /> : null}
      <ul className={style.list}>
        {(sessions ?? []).map((session) => (
          <li key={session.id}>
            <div>
              <bdi>{session.device === '' ? t('staff.session-unknown') : session.device}</bdi>
              <small>
                {t('staff.session-seen', {
                  opened: dates.moment(session.openedAt),
                  seen: dates.moment(session.seenAt),
                })}
              </small>
            </div>
            {session.isThis ? (
              <State tone="live">{t('staff.session-this')}</State>
            ) : (
              <Button look="quiet" icon="signOut" onClick={() => void end(session.id)}>
                {t('staff.session-end')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <p>{t('staff.session-others')}</p>
    </Part>
  )
}

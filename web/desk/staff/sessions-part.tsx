import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { SessionProof } from '../../../src/people/session.ts'
import { call } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner, State } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './staff.module.css'

/** How a session at the desk was opened. */
type StaffProof = Exclude<SessionProof, 'otp'>
type Session = {
  readonly id: string
  readonly device: string
  readonly how: StaffProof
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
  const [ended, setEnded] = useState<'one' | 'others'>()
  const [problem, setProblem] = useState<unknown>()
  const end = async (id?: string): Promise<void> => {
    setProblem(undefined)
    try {
      await call(`/v1/desk/me/sessions${id === undefined ? '' : `/${id}`}`, { method: 'DELETE' })
      setEnded(id === undefined ? 'others' : 'one')
    } catch (fault) {
      setProblem(fault)
    }
    await client.invalidateQueries()
  }
  return (
    <Part title={t('staff.sessions')}>
      {error === null ? null : <Trouble error={error} />}
      {problem === undefined ? null : <Trouble error={problem} />}
      {ended === undefined ? null : (
        <Banner tone="live" title={ended === 'one' ? t('staff.session-ended') : t('account.others-ended')} />
      )}
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
              <small>{t(`account.how-${session.how}`)}</small>
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
      {(sessions ?? []).length > 1 ? (
        <ButtonRow>
          <Button icon="signOut" onClick={() => void end()}>
            {t('account.end-others')}
          </Button>
        </ButtonRow>
      ) : null}
    </Part>
  )
}

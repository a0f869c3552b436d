import { type ReactNode, useState } from 'react'
import { mayDo } from '../../../src/people/rules.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Page, Part } from '../../ui/page.tsx'
import { useStaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { Counter } from './counter.tsx'
import style from './today.module.css'
import { listKindOf, TodayList } from './today-list.tsx'

const TITLES = { all: 'today.of-all', own: 'today.of-role', unit: 'today.of-unit', none: 'desk.today' } as const

/** The first page: today's list of one's role, and for the front desk who waits at the counters. */
export function TodayPage(): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { session } = useStaffSession()
  const [today] = useState(() => new Date())
  if (session === null || session === undefined) return null
  const { role } = session.staff
  const kind = listKindOf(session)
  return (
    <Page
      title={t('desk.today')}
      above={dates.day(today)}
      actions={
        mayDo(role, 'patient.find') ? (
          <ButtonLink to="/patients" icon="search" look="primary">
            {t('today.find')}
          </ButtonLink>
        ) : undefined
      }
    >
      <div className={style.columns}>
        {kind === 'none' ? (
          <TodayList session={session} />
        ) : (
          <Part title={t(TITLES[kind])}>
            <TodayList session={session} />
          </Part>
        )}
        {mayDo(role, 'share.receive') ? <Counter /> : null}
      </div>
    </Page>
  )
}

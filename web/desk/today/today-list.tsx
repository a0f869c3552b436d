import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { todayScope } from '../../../src/desk/rules.ts'
import type { Id } from '../../../src/kernel/id.ts'
import { ButtonLink, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Lines } from '../../ui/lines.tsx'
import { More } from '../../ui/pages.tsx'
import { Empty, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { placesOf } from '../frame.tsx'
import { pathOf, type TodayVisit, useAgeAndSex, useAttendedBy } from '../patients/model.ts'
import type { StaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import style from './today.module.css'
import { useToday } from './use-today.ts'

type ListKind = 'all' | 'own' | 'unit' | 'none'

/** Whose visits this person sees; the same rule as at the server. */
export function listKindOf({ staff }: StaffSession): ListKind {
  const scope = todayScope({ id: staff.id as Id<'staff'>, role: staff.role })
  if (scope === 'all' || scope === 'none') return scope
  return scope.attendant === staff.id ? 'own' : 'unit'
}

/** Today's visits of one's role. `open` is the patient whose page stands beside the list. */
export function TodayList(props: { readonly session: StaffSession; readonly open?: string }): ReactNode {
  const { session, open } = props
  const { t } = useWords()
  const kind = listKindOf(session)
  const pages = useToday(kind !== 'none')
  const { data, error, refetch, isFetchNextPageError } = pages
  if (kind === 'none')
    return (
      <Empty icon="queue" title={t('today.no-list')}>
        <p>{t('today.no-list-text')}</p>
        <ButtonRow>
          {placesOf(session)
            .filter(([path]) => path !== '/')
            .map(([path, icon, words]) => (
              <ButtonLink key={path} to={path} icon={icon}>
                {t(words)}
              </ButtonLink>
            ))}
        </ButtonRow>
      </Empty>
    )
  if (error !== null && !isFetchNextPageError) return <Trouble error={error} onAgain={() => void refetch()} />
  if (data === undefined) return <Waiting>{t('today.loading')}</Waiting>
  const visits = data.pages.flatMap((page) => page.visits)
  if (visits.length === 0)
    return (
      <Empty icon="queue" title={t(`today.empty-${kind}`)}>
        <p>{t(`today.empty-${kind}-text`)}</p>
      </Empty>
    )
  return (
    <>
      <Lines className={style.list}>
        {visits.map((visit) => (
          <li key={visit.id} data-ended={visit.status === 'ended' ? '' : undefined}>
            <VisitRow visit={visit} own={session.staff.id} isOpen={visit.patient.reference === open} />
          </li>
        ))}
      </Lines>
      <More pages={pages} />
    </>
  )
}

function VisitRow(props: { readonly visit: TodayVisit; readonly own: string; readonly isOpen: boolean }): ReactNode {
  const { visit, own } = props
  const { t } = useWords()
  const dates = useDates()
  const ageAndSex = useAgeAndSex()
  const attendedBy = useAttendedBy()
  return (
    <Link href={pathOf(visit.patient.reference)} className={style.row ?? ''} aria-current={props.isOpen || undefined}>
      <span className={style.name}>
        <b>
          <bdi>{visit.patient.name}</bdi>
        </b>
        <small>{ageAndSex(visit.patient)}</small>
      </span>
      <State
        tone={visit.status === 'ended' ? 'calm' : visit.kind === 'emergency' ? 'stopped' : 'live'}
        icon={visit.status === 'ended' ? 'check' : visit.kind === 'emergency' ? 'warning' : 'hospital'}
      >
        {t(`visit.${visit.kind}`)}
      </State>
      <small>
        {visit.queueNumber === undefined ? null : <span>{t('visit.queue', { number: visit.queueNumber })}</span>}
        <span>
          {visit.endedAt === undefined
            ? t('visit.here', { time: dates.time(visit.startedAt) })
            : t('visit.left', { time: dates.time(visit.endedAt) })}
        </span>
        <span>{attendedBy(visit, own)}</span>
      </small>
    </Link>
  )
}

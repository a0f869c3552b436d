import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { STAFF_ROLES } from '../../../src/kernel/staff-role.ts'
import { call, type Problem } from '../../ui/api.ts'
import { useDates } from '../../ui/dates.ts'
import { Lines } from '../../ui/lines.tsx'
import { ASKED_BY_HAND } from '../../ui/live.ts'
import { Part } from '../../ui/page.tsx'
import { More } from '../../ui/pages.tsx'
import { Empty, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { purposeKey } from '../questions/model.ts'
import { roleKey } from '../staff/model.ts'
import { type DeskKey, useWords } from '../words.ts'
import style from './access.module.css'
import { ACCESS_PATH, addressOf, type Look, type LookType, type Opening, searchOf, type Wanted } from './model.ts'

/** Every page of a list that was asked for so far, each with how to ask for the next. */
function usePages<Answer extends { readonly next?: string | undefined }>(path: string, wanted: Wanted) {
  const search = searchOf(wanted)
  return useInfiniteQuery<Answer, Problem>({
    queryKey: [ACCESS_PATH, path, search],
    queryFn: ({ pageParam, signal }) => {
      const words = new URLSearchParams({ ...search, ...(typeof pageParam === 'string' ? { before: pageParam } : {}) })
      return call<Answer>(`${path}?${words.toString()}`, { signal })
    },
    initialPageParam: undefined,
    getNextPageParam: ({ next }) => next,
    // Asking makes news itself: a page that followed the news would never come to rest.
    meta: ASKED_BY_HAND,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
  })
}

/** Who last opened which patient. */
export function OpeningList({ wanted }: { readonly wanted: Wanted }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const pages = usePages<{ readonly openings: readonly Opening[]; readonly next?: string }>(
    `${ACCESS_PATH}/openings`,
    wanted,
  )
  const openings = pages.data?.pages.flatMap((page) => page.openings)
  return (
    <Part title={t('access.openings')}>
      <p>{t('access.openings-text')}</p>
      <Listed pages={pages} isEmpty={openings?.length === 0}>
        {openings?.map(({ person, patient, at }) => (
          <li key={`${person.id} ${patient}`}>
            <Link className={style.row ?? ''} href={addressOf({ ...wanted, patient })}>
              <span>
                <b>
                  <bdi>{person.name}</bdi>
                </b>{' '}
                <span className={style.quiet}>{t(roleKey(person.role))}</span>
              </span>
              <time dateTime={at}>{dates.moment(at)}</time>
              <span>{t('access.opened', { patient })}</span>
            </Link>
          </li>
        ))}
      </Listed>
    </Part>
  )
}

/** Every look at one patient. */
export function LookList({ wanted }: { readonly wanted: Wanted }): ReactNode {
  const { t } = useWords()
  const pages = usePages<{ readonly looks: readonly Look[]; readonly next?: string }>(ACCESS_PATH, wanted)
  const looks = pages.data?.pages.flatMap((page) => page.looks)
  const person = wanted.person === '' ? undefined : looks?.[0]?.person?.name
  const { patient } = wanted
  return (
    <Part title={person === undefined ? t('access.looks', { patient }) : t('access.looks-of', { person, patient })}>
      <Listed pages={pages} isEmpty={looks?.length === 0}>
        {looks?.map((look) => (
          <li key={look.id}>
            <LookRow look={look} />
          </li>
        ))}
      </Listed>
    </Part>
  )
}

function LookRow({ look }: { readonly look: Look }): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const { type, person, purpose, records, at, standing } = look
  if (look.changed === true)
    return (
      <div className={style.row}>
        <State tone="stopped" icon="warning">
          {t('access.changed')}
        </State>
      </div>
    )
  const role = STAFF_ROLES.find((each) => each === person?.role)
  const why = purpose === 'PATRQT' ? 'access.on-request' : purposeKey(purpose ?? '')
  return (
    <div className={style.row}>
      <span>
        <b>
          <bdi>{person?.name ?? t('access.program')}</bdi>
        </b>{' '}
        <span className={style.quiet}>{role === undefined ? <bdi>{person?.role}</bdi> : t(roleKey(role))}</span>
      </span>
      <time dateTime={at}>{dates.moment(at)}</time>
      <span className={style.what}>
        <span>{t(`access.what.${type as LookType}`)}</span>
        {records === undefined || records === 0 ? null : (
          <span className={style.quiet}>{tn('access.records', records)}</span>
        )}
        {why === undefined ? null : <span className={style.quiet}>{t(why)}</span>}
      </span>
      <Mark type={type} standing={standing} />
    </div>
  )
}

/** What stands out in a long list. */
function Mark({ type, standing }: { readonly type: string; readonly standing: Look['standing'] }): ReactNode {
  const { t } = useWords()
  const mark: readonly ['stopped' | 'waiting', DeskKey] | undefined = type.endsWith('-denied')
    ? ['stopped', 'access.refused']
    : type.endsWith('exported')
      ? ['waiting', 'access.as-file']
      : standing === 'joined' || standing === 'no-visit'
        ? ['stopped', `access.${standing}`]
        : undefined
  if (mark === undefined) return null
  return (
    <span className={style.mark}>
      <State tone={mark[0]} {...(mark[0] === 'waiting' ? { icon: 'download' as const } : {})}>
        {t(mark[1])}
      </State>
    </span>
  )
}

function Listed(props: {
  readonly pages: Parameters<typeof More>[0]['pages'] & { readonly refetch: () => unknown }
  readonly isEmpty: boolean
  readonly children: ReactNode
}): ReactNode {
  const { t } = useWords()
  const { pages, isEmpty, children } = props
  if (pages.error !== null && !pages.isFetchNextPageError)
    return <Trouble error={pages.error} onAgain={() => void pages.refetch()} />
  if (children === undefined) return <Waiting>{t('access.loading')}</Waiting>
  return (
    <>
      {isEmpty ? (
        <Empty icon="eye" title={t('access.empty')}>
          <p>{t('access.empty-text')}</p>
        </Empty>
      ) : (
        <Lines>{children}</Lines>
      )}
      <More pages={pages} />
    </>
  )
}

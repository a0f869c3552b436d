import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { MyOpenings } from '../../../src/native/me-look-routes.ts'
import type { OpeningView } from '../../../src/rights/views.ts'
import { actingFor, call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Card, Part } from '../../ui/page.tsx'
import { Banner } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useKnownWords } from '../known-words.ts'
import { useWords } from '../words.ts'
import { openingGroups } from './groups.ts'
import style from './looked.module.css'

const PAGE = 100

type Actions = { readonly onProve: (opening: OpeningView) => void; readonly onAsk: (opening: OpeningView) => void }

/** Who opened my page at a place without any record: below the looks, closed, one row for each place and day. */
export function Openings(props: Actions): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const openings = useOpenings()
  const all = openings.data?.pages.flat() ?? []
  if (openings.error !== null) return <Trouble error={openings.error} onAgain={() => void openings.refetch()} />
  if (all.length === 0) return null
  return (
    <Part title={t('looked.openings-part')}>
      <p>{t('looked.openings-text')}</p>
      <Card>
        {openingGroups(all, dates.day).map((group) =>
          'changed' in group ? (
            <Banner key={group.id} tone="stopped" icon="warning" title={t('looked.changed-title')}>
              <p>{t('looked.changed-text')}</p>
            </Banner>
          ) : (
            <Disclosure
              key={group.openings[0].id}
              label={<bdi>{group.openings[0].facility.name}</bdi>}
              summary={tn('looked.openings', group.openings.length, { day: group.day })}
            >
              <ul className={style.entries}>
                {group.openings.map((opening) => (
                  <Opening key={opening.id} opening={opening} {...props} />
                ))}
              </ul>
            </Disclosure>
          ),
        )}
      </Card>
      {openings.hasNextPage ? (
        <div>
          <Button isBusy={openings.isFetchingNextPage} onClick={() => void openings.fetchNextPage()}>
            {t('looked.more')}
          </Button>
        </div>
      ) : null}
    </Part>
  )
}

function Opening(props: Actions & { readonly opening: OpeningView }): ReactNode {
  const { t } = useWords()
  const { role } = useKnownWords()
  const dates = useDates()
  const { opening, onProve, onAsk } = props
  const { event, facility, question } = opening
  const { person } = event.actor
  return (
    <li>
      <span>
        <bdi>{person?.name ?? facility.name}</bdi>
        {person === undefined ? null : <bdi>{role(person.role)}</bdi>}
        <time dateTime={event.at}>{dates.time(event.at)}</time>
        {question === undefined ? null : t('looked.asked', { number: question.number })}
      </span>
      <Button icon="proof" onClick={() => onProve(opening)}>
        {t('looked.check')}
      </Button>
      {question === undefined || question.status === 'answered' ? (
        <Button look="quiet" onClick={() => onAsk(opening)}>
          {t('looked.ask')}
        </Button>
      ) : null}
    </li>
  )
}

function useOpenings() {
  return useInfiniteQuery<
    MyOpenings,
    Error,
    { readonly pages: readonly MyOpenings[] },
    readonly unknown[],
    string | undefined
  >({
    queryKey: [actingFor() ?? '', '/v1/me/looks/openings'],
    queryFn: ({ pageParam, signal }) => {
      const before = pageParam === undefined ? '' : `&before=${pageParam}`
      return call<MyOpenings>(`/v1/me/looks/openings?limit=${PAGE}${before}`, { signal })
    },
    initialPageParam: undefined,
    getNextPageParam: (last) => (last.length < PAGE ? undefined : last.at(-1)?.id),
  })
}

import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { RequestRow } from '../../../src/native/me-request-view.ts'
import type { SubscriptionView } from '../../../src/native/me-subscription-routes.ts'
import { actingFor, call, type Problem } from '../../ui/api.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { Page, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner, Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { AskerGroups } from './asker-groups.tsx'
import { QueuedList } from './queued-list.tsx'
import { RequestRows } from './request-rows.tsx'

type Rows = { readonly items: readonly RequestRow[]; readonly size: number }

/** All that wait, as a rule, and what was decided lately: the rest on demand. */
const PAGE_ROWS = { waiting: 100, decided: 20 } as const

/** Home: who asks now, then what was decided. */
export function InboxPage(): ReactNode {
  const { t } = useWords()
  const waiting = useRequests('waiting')
  const decided = useRequests('decided')
  // One whose time ended a moment ago still counts as waiting where the sweep has not come by.
  const rows = waiting.rows
  const { data, error, isPending, refetch } = waiting.pages
  const open = rows.filter(({ status }) => status === 'REQUESTED')
  const done = [...rows.filter(({ status }) => status !== 'REQUESTED'), ...decided.rows]
  return (
    <Page title={t('inbox.title')}>
      <QueuedList />
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {isPending ? <Waiting>{t('inbox.loading')}</Waiting> : null}
      <Subscriptions />
      {open.length === 0 ? null : (
        <Part title={t('inbox.waiting')}>
          <AskerGroups rows={open} />
          <More pages={waiting.pages} />
        </Part>
      )}
      {data !== undefined && open.length === 0 ? (
        <Empty icon="inbox" title={t('inbox.empty-title')}>
          <p>{t('inbox.empty')}</p>
        </Empty>
      ) : null}
      {done.length === 0 ? null : (
        <Part title={t('inbox.decided')}>
          <RequestRows rows={done} />
          <More pages={decided.pages} />
        </Part>
      )}
    </Page>
  )
}

/** Requests of one kind, those of every page that was asked for so far. */
function useRequests(status: keyof typeof PAGE_ROWS) {
  const path = `/v1/me/requests?status=${status}&limit=${PAGE_ROWS[status]}`
  const pages = useInfiniteQuery<Rows, Problem, { readonly pages: readonly Rows[] }, readonly unknown[], number>({
    queryKey: [actingFor() ?? '', path],
    queryFn: ({ pageParam, signal }) => call<Rows>(`${path}&offset=${pageParam}`, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, all) => {
      const read = all.reduce((sum, { items }) => sum + items.length, 0)
      return last.items.length > 0 && read < last.size ? read : undefined
    },
  })
  // One that came between two pages moved the last of the first page to the second.
  const rows = new Map(pages.data?.pages.flatMap(({ items }) => items.map((row) => [row.id, row])))
  return { pages, rows: [...rows.values()] }
}

function More({ pages }: { readonly pages: ReturnType<typeof useRequests>['pages'] }): ReactNode {
  const { t } = useWords()
  if (!pages.hasNextPage) return null
  return (
    <Button isWide isBusy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
      {t('inbox.more')}
    </Button>
  )
}

/** Facilities that ask to be told of news wait for an answer too. */
function Subscriptions(): ReactNode {
  const { t, tn } = useWords()
  const { data } = useCall<{ readonly items: readonly SubscriptionView[] }>('/v1/me/subscriptions?limit=100')
  const waiting = data?.items.filter(({ status }) => status === 'requested').length ?? 0
  if (waiting === 0) return null
  return (
    <Banner tone="waiting" title={tn('inbox.subscriptions', waiting)}>
      <div>
        <ButtonLink to="/choices/subscriptions">{t('inbox.subscriptions-look')}</ButtonLink>
      </div>
    </Banner>
  )
}

import { type ReactNode, useState } from 'react'
import type { RequestRow } from '../../../src/native/me-request-view.ts'
import type { SubscriptionView } from '../../../src/native/me-subscription-routes.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { Page, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner, Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { QueuedList } from './queued-list.tsx'
import { RequestRows } from './request-rows.tsx'

type Rows = { readonly items: readonly RequestRow[]; readonly size: number }

const PAGE_ROWS = 20
const ROWS_MAX = 100

/** Home: who asks now, then what was decided. */
export function InboxPage(): ReactNode {
  const { t } = useWords()
  const [shown, setShown] = useState(PAGE_ROWS)
  const waiting = useCall<Rows>(`/v1/me/requests?status=waiting&limit=${ROWS_MAX}`)
  const decided = useCall<Rows>(`/v1/me/requests?status=decided&limit=${shown}`)
  // One whose time ended a moment ago still counts as waiting where the sweep has not come by.
  const rows = waiting.data?.items ?? []
  const open = rows.filter(({ status }) => status === 'REQUESTED')
  const done = [...rows.filter(({ status }) => status !== 'REQUESTED'), ...(decided.data?.items ?? [])]
  return (
    <Page title={t('inbox.title')}>
      <QueuedList />
      {waiting.error === null ? null : <Trouble error={waiting.error} onAgain={() => void waiting.refetch()} />}
      {waiting.isPending ? <Waiting>{t('inbox.loading')}</Waiting> : null}
      <Subscriptions />
      {open.length === 0 ? null : (
        <Part title={t('inbox.waiting')}>
          <RequestRows rows={open} />
        </Part>
      )}
      {waiting.data !== undefined && open.length === 0 ? (
        <Empty icon="inbox" title={t('inbox.empty-title')}>
          <p>{t('inbox.empty')}</p>
        </Empty>
      ) : null}
      {done.length === 0 ? null : (
        <Part title={t('inbox.decided')}>
          <RequestRows rows={done} />
          {(decided.data?.size ?? 0) > shown && shown < ROWS_MAX ? (
            <Button isWide onClick={() => setShown(Math.min(ROWS_MAX, shown + PAGE_ROWS))}>
              {t('inbox.more')}
            </Button>
          ) : null}
        </Part>
      )}
    </Page>
  )
}

/** Facilities that ask to be told of news wait for an answer too. */
function Subscriptions(): ReactNode {
  const { t, tn } = useWords()
  const { data } = useCall<{ readonly items: readonly SubscriptionView[] }>('/v1/me/subscriptions')
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

import { type ReactNode, useEffect } from 'react'
import type { RequestView } from '../../../src/native/me-request-view.ts'
import { Page } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { usePerson } from '../person.ts'
import { useWords } from '../words.ts'
import { wasSeenOpen } from './decided-here.ts'
import { DecidedRequest } from './decided-request.tsx'
import { OpenRequest } from './open-request.tsx'
import { useQueued } from './queue.ts'
import { QueuedBanner } from './queued-list.tsx'

/** Longest wait of a timer of the browser. */
const TIMER_MS_MAX = 2_147_000_000

/** One request: everything for the decision while it waits, the receipt once it is decided. */
export function RequestPage(props: { readonly id: string }): ReactNode {
  const { id } = props
  const { t } = useWords()
  const { data, error, refetch } = useCall<RequestView>(`/v1/me/requests/${id}`)
  const queued = useQueued(usePerson()).find(({ request }) => request === id)
  useEndOfTime(data, () => void refetch())
  const back = { to: '/', label: t('request.back') }
  if (data === undefined) {
    return (
      <Page title={t('inbox.title')} back={back}>
        {queued === undefined ? null : <QueuedBanner queued={queued} />}
        {error === null ? (
          <Waiting>{t('request.loading')}</Waiting>
        ) : (
          <Trouble error={error} onAgain={() => void refetch()} />
        )}
      </Page>
    )
  }
  if (data.decided !== undefined) return <DecidedRequest request={data} decided={data.decided} />
  wasSeenOpen(id)
  if (queued !== undefined && queued.verb !== 'choose') {
    return (
      <Page title={data.asker.name} back={back}>
        <QueuedBanner queued={queued} />
      </Page>
    )
  }
  return <OpenRequest request={data} first={queued?.verb === 'choose' ? queued.choice : undefined} />
}

/** Looks again when the time to decide is over, so that nobody decides about what has ended. */
function useEndOfTime(request: RequestView | undefined, look: () => void): void {
  const decideBy = request?.status === 'REQUESTED' ? request.decideBy : undefined
  useEffect(() => {
    if (decideBy === undefined) return
    const leftMs = Math.max(0, Date.parse(decideBy) - Date.now()) + 500
    if (leftMs > TIMER_MS_MAX) return
    const timer = window.setTimeout(look, leftMs)
    return () => window.clearTimeout(timer)
    // Looking again is the same act whichever rendering made it.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [decideBy])
}

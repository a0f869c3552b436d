import { useQuery } from '@tanstack/react-query'
import type { ComponentProps, ReactNode } from 'react'
import type { SharesView, ShareView } from '../../../src/native/me-linking-routes.ts'
import { actingFor, call, type Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Page } from '../../ui/page.tsx'
import { Banner, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import style from './share.module.css'

const PATH = '/v1/me/shares'
const ASK_EVERY_MS = 1_000

/** The number in the queue, as soon as the hospital gives one. */
export function Ticket(props: {
  readonly share: string
  readonly back: NonNullable<ComponentProps<typeof Page>['back']>
  readonly onAgain: () => void
}): ReactNode {
  const { t } = useWords()
  const find = (view: SharesView | undefined): ShareView | undefined => view?.items.find(({ id }) => id === props.share)
  const { data, error, refetch } = useQuery<SharesView, Problem>({
    queryKey: [actingFor() ?? '', PATH],
    queryFn: ({ signal }) => call<SharesView>(PATH, { signal }),
    refetchInterval: ({ state }) => ((find(state.data)?.status ?? 'sent') === 'sent' ? ASK_EVERY_MS : false),
  })
  const share = find(data)
  if (share === undefined || share.status === 'sent') {
    const title = share === undefined ? t('records.share-title') : t('records.share-waiting', { name: share.hip.name })
    return (
      <Page title={title} back={props.back}>
        {error === null ? <Waiting>{title}</Waiting> : <Trouble error={error} onAgain={() => void refetch()} />}
      </Page>
    )
  }
  return <Answered share={share} back={props.back} onAgain={props.onAgain} />
}

function Answered(props: Omit<Parameters<typeof Ticket>[0], 'share'> & { readonly share: ShareView }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { hip, status, tokenNumber, expiresAt } = props.share
  const name = hip.name
  if (status === 'accepted' && tokenNumber !== undefined && tokenNumber !== '') {
    return (
      <Page title={t('records.share-done-title', { name })} back={props.back}>
        <div className={style.ticket} role="status">
          <p className={style.number}>
            <bdi>{tokenNumber}</bdi>
          </p>
          {expiresAt === undefined ? null : <p>{t('records.share-done-text', { time: dates.time(expiresAt) })}</p>}
        </div>
      </Page>
    )
  }
  const words = { accepted: 'records.share-no-number', refused: 'records.share-refused' } as const
  return (
    <Page title={t('records.share-title')} back={props.back}>
      <Banner tone={status === 'accepted' ? 'live' : 'stopped'} isAlert>
        {t(status === 'accepted' || status === 'refused' ? words[status] : 'records.share-failed', { name })}
      </Banner>
      {status === 'accepted' ? null : (
        <Button isWide onClick={props.onAgain}>
          {t('common.again')}
        </Button>
      )}
    </Page>
  )
}

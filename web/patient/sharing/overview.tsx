import { type ReactNode, useState } from 'react'
import type { Chain, ReceiverView } from '../../../src/rights/views.ts'
import { Page, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { ChainPart } from './chain-part.tsx'
import { ReceiverCard } from './receiver-card.tsx'
import style from './sharing.module.css'

/** What was stopped in the last minutes stands first: there the confirmations arrive. */
const JUST_MS = 15 * 60_000

function endedMs({ requests }: ReceiverView): number {
  const ends = requests.flatMap(({ consents }) => consents).map(({ endedAt }) => Date.parse(endedAt ?? '') || 0)
  return Math.max(0, ...ends)
}

/** Everybody with whom I share, live first, and the picture of who got what from whom. */
export function Overview(): ReactNode {
  const { t } = useWords()
  const sharing = useCall<{ readonly receivers: readonly ReceiverView[] }>('/v1/me/sharing')
  const chain = useCall<Chain>('/v1/me/chain')
  const receivers = sharing.data?.receivers
  const [openedMs] = useState(() => Date.now())
  const partOf = (receiver: ReceiverView): 'live' | 'just' | 'over' =>
    receiver.status === 'live' ? 'live' : endedMs(receiver) > openedMs - JUST_MS ? 'just' : 'over'
  const those = (part: ReturnType<typeof partOf>) => receivers?.filter((receiver) => partOf(receiver) === part)
  return (
    <Page title={t('sharing.title')}>
      {sharing.error === null ? null : <Trouble error={sharing.error} onAgain={() => void sharing.refetch()} />}
      {sharing.isPending ? <Waiting>{t('sharing.loading')}</Waiting> : null}
      {receivers?.length === 0 ? (
        <Empty icon="share" title={t('sharing.empty-title')}>
          <p>{t('sharing.empty-text')}</p>
        </Empty>
      ) : null}
      <Cards title={t('sharing.just-part')} receivers={those('just')} />
      <Cards title={t('sharing.live-part')} receivers={those('live')} />
      {chain.data === undefined || chain.data.edges.length === 0 ? null : (
        <Part title={t('sharing.picture-part')}>
          <ChainPart chain={chain.data} />
        </Part>
      )}
      <Cards title={t('sharing.over-part')} receivers={those('over')} />
    </Page>
  )
}

function Cards(props: { readonly title: string; readonly receivers: readonly ReceiverView[] | undefined }): ReactNode {
  if (props.receivers === undefined || props.receivers.length === 0) return null
  return (
    <Part title={props.title}>
      <ul className={style.cards}>
        {props.receivers.map((receiver) => (
          <li key={receiver.facility.id}>
            <ReceiverCard receiver={receiver} />
          </li>
        ))}
      </ul>
    </Part>
  )
}

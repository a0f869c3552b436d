import type { ReactNode } from 'react'
import { Button, ButtonLink, ButtonRow } from '../../ui/button.tsx'
import { useOnline } from '../../ui/online.ts'
import { Banner } from '../../ui/state.tsx'
import { usePerson } from '../person.ts'
import { useWords } from '../words.ts'
import { dropDecision, type Queued, useQueued } from './queue.ts'
import { useReturned } from './send-queued.tsx'

const SAYS = { deny: 'inbox.queued-deny', allow: 'inbox.queued-allow', choose: 'inbox.queued-choose' } as const

/** What was decided without a line, never as done; and what was not taken when it came back. */
export function QueuedList(): ReactNode {
  const queued = useQueued(usePerson())
  const { t } = useWords()
  const { returned, forget } = useReturned()
  return (
    <>
      {returned.map(({ queued: { request, asker } }) => (
        <Banner key={request} tone="stopped" isAlert title={t('inbox.returned', { asker })}>
          <ButtonRow>
            <ButtonLink to={`/requests/${request}`}>{t('inbox.returned-look')}</ButtonLink>
            <Button look="quiet" onClick={() => forget(request)}>
              {t('common.close')}
            </Button>
          </ButtonRow>
        </Banner>
      ))}
      {queued.map((each) => (
        <QueuedBanner key={each.request} queued={each} />
      ))}
    </>
  )
}

/** One decision that waits for the line. */
export function QueuedBanner({ queued }: { readonly queued: Queued }): ReactNode {
  const { t } = useWords()
  const isOnline = useOnline()
  return (
    <Banner tone="waiting" icon="offline" title={t(queued.isPerhapsSent ? 'inbox.queued-perhaps' : 'inbox.queued')}>
      <p>{t(SAYS[queued.verb], { asker: queued.asker })}</p>
      <ButtonRow>
        {queued.verb === 'choose' && isOnline ? (
          <ButtonLink to={`/requests/${queued.request}?step=notice`} look="primary">
            {t('inbox.queued-finish')}
          </ButtonLink>
        ) : null}
        {queued.isPerhapsSent ? null : (
          <Button onClick={() => void dropDecision(queued.request)}>{t('inbox.queued-drop')}</Button>
        )}
      </ButtonRow>
    </Banner>
  )
}

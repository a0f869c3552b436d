import { type ReactNode, useState } from 'react'
import type { RequestView } from '../../../src/rights/views.ts'
import { Button } from '../../ui/button.tsx'
import { Card, Page, Part } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { ConsentDetail } from './consent-detail.tsx'
import { StopProgress } from './progress.tsx'
import { StopSheet } from './stop-sheet.tsx'
import { TimeLeft } from './time-left.tsx'

/** What I allowed at one time: for what, until when, what went from where, and to stop it. */
export function SharedPage(props: { readonly id: string }): ReactNode {
  const { t } = useWords()
  const { data: request, error, refetch } = useCall<RequestView>(`/v1/me/sharing/${encodeURIComponent(props.id)}`)
  const back = { to: '/sharing', label: t('sharing.back') }
  if (request === undefined)
    return (
      <Page title={t('sharing.title')} back={back}>
        {error === null ? (
          <Waiting>{t('sharing.loading')}</Waiting>
        ) : (
          <Trouble error={error} onAgain={() => void refetch()} />
        )}
      </Page>
    )
  return (
    <Page title={t('sharing.shared-with', { name: request.receiver.name })} back={back}>
      <Shared request={request} />
    </Page>
  )
}

function Shared(props: { readonly request: RequestView }): ReactNode {
  const { t } = useWords()
  const [isStopping, setStopping] = useState(false)
  const { id, receiver, status, until, shareLeft, consents } = props.request
  return (
    <>
      <Card>
        <div>
          <State tone={status === 'live' ? 'live' : status === 'stopped' ? 'stopped' : 'calm'}>
            {t(`sharing.state.${status}`)}
          </State>
        </div>
        {status === 'live' ? <TimeLeft until={until} share={shareLeft} /> : null}
        <StopProgress consents={consents} />
        {status === 'live' ? (
          <div>
            <Button look="stop" icon="stop" onClick={() => setStopping(true)}>
              {t('sharing.stop')}
            </Button>
          </div>
        ) : null}
      </Card>
      {consents.map((consent) => (
        <Part key={consent.artefact} title={t('sharing.from-holder', { name: consent.holder.name })}>
          <Card>
            <ConsentDetail consent={consent} />
          </Card>
        </Part>
      ))}
      {isStopping ? (
        <StopSheet
          what={id}
          receiver={receiver}
          consents={consents.filter((consent) => consent.status === 'live')}
          onClose={() => setStopping(false)}
        />
      ) : null}
    </>
  )
}

import { type ReactNode, useState } from 'react'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Banner, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import type { FlowMessage } from '../flow.ts'
import { outcomeOf } from '../outcome.ts'
import { useAct } from '../state.ts'
import { useWords } from '../words.ts'
import style from './detail.module.css'
import { useSide } from './side-view.tsx'

type Asked = { readonly job: string; readonly as: 'same' | 'new' }

/** Sends a message once more from the party that sent it, and shows what came of it. */
export function Replay(props: {
  readonly message: FlowMessage
  readonly messages: readonly FlowMessage[]
  readonly onOpen: (id: string) => void
}): ReactNode {
  const { t } = useWords()
  const { message } = props
  const { data } = useSide(message.sent)
  const act = useAct<{ readonly job: string }>()
  const [asked, setAsked] = useState<Asked>()
  const { sent } = message
  if (sent === undefined || data === undefined) return null
  if (data.content?.mayReplay !== true) return <p className={style.hint}>{t('console.no-replay')}</p>
  const send = (as: 'same' | 'new'): void => {
    setAsked(undefined)
    act.mutate(
      { path: `/v1/console/parties/${sent.party}/replays`, options: { body: { message: sent.message, as } } },
      { onSuccess: ({ job }) => setAsked({ job, as }) },
    )
  }
  return (
    <section className={style.side} aria-label={t('console.send-again')}>
      <h3>{t('console.send-again')}</h3>
      <p className={style.hint}>{t('console.send-again-text')}</p>
      <ButtonRow>
        <Button icon="refresh" isBusy={act.isPending} onClick={() => send('same')}>
          {t('console.send-same')}
        </Button>
        {message.requestId === undefined ? null : (
          <Button icon="add" isBusy={act.isPending} onClick={() => send('new')}>
            {t('console.send-new')}
          </Button>
        )}
      </ButtonRow>
      {act.error === null ? null : <Trouble error={act.error} says={{ 'sandbox/not-kept': t('console.no-replay') }} />}
      {asked === undefined ? null : (
        <Result asked={asked} found={props.messages.find(({ job }) => job === asked.job)} onOpen={props.onOpen} />
      )}
    </section>
  )
}

function Result(props: {
  readonly asked: Asked
  readonly found: FlowMessage | undefined
  readonly onOpen: (id: string) => void
}): ReactNode {
  const { t } = useWords()
  const { asked, found, onOpen } = props
  if (found === undefined) return <Waiting>{t('console.sending')}</Waiting>
  const outcome = outcomeOf(found)
  const status = found.status ?? found.error ?? ''
  const words = outcome.isTrouble
    ? t('console.sent-trouble', { status })
    : t(asked.as === 'same' ? 'console.sent-same' : 'console.sent-new', { status })
  return (
    <Banner tone={outcome.tone} icon={outcome.icon} title={words}>
      <div>
        <Button look="quiet" onClick={() => onOpen(found.id)}>
          {t('console.open-message')}
        </Button>
      </div>
    </Banner>
  )
}

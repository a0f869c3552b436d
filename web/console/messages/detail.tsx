import type { ReactNode } from 'react'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Facts } from '../../ui/page.tsx'
import { Banner, State } from '../../ui/state.tsx'
import type { FlowMessage } from '../flow.ts'
import { outcomeOf } from '../outcome.ts'
import type { Lane } from '../session.ts'
import { useExactTime } from '../times.ts'
import { useWords } from '../words.ts'
import style from './detail.module.css'
import { laneName } from './lanes.ts'
import { Replay } from './replay.tsx'
import { SideView } from './side-view.tsx'

/** Everything that is known of one message, from both its sides, and what can be done with it. */
export function MessageDetail(props: {
  readonly message: FlowMessage
  readonly messages: readonly FlowMessage[]
  readonly lanes: readonly Lane[]
  readonly steered: readonly string[]
  readonly onOpen: (id: string) => void
  readonly onFollow: () => void
}): ReactNode {
  const { t } = useWords()
  const { message, lanes } = props
  const outcome = outcomeOf(message)
  const tries = props.messages.filter(({ job }) => message.job !== undefined && job === message.job)
  const names = { from: laneName(lanes, message.from, t), to: laneName(lanes, message.to, t) }
  return (
    <div className={style.detail}>
      <h2 className={style.title}>
        <bdi dir="ltr">
          {message.method} {message.path}
        </bdi>
      </h2>
      <p>
        <State tone={outcome.tone} icon={outcome.icon}>
          {t(outcome.words)} <bdi>{message.status ?? message.error}</bdi>
        </State>
      </p>
      {message.answered === undefined ? null : (
        <Banner tone="waiting" title={t('console.disagree', { status: message.answered })}>
          {message.answered < 400 ? <p>{t('console.disagree-text')}</p> : null}
        </Banner>
      )}
      <MessageFacts message={message} names={names} />
      <Tries tries={tries} openId={message.id} onOpen={props.onOpen} />
      <ButtonRow>
        <Button icon="share" onClick={props.onFollow}>
          {t('console.follow')}
        </Button>
      </ButtonRow>
      {message.sent === undefined || !props.steered.includes(message.sent.party) ? null : (
        <Replay message={message} messages={props.messages} onOpen={props.onOpen} />
      )}
      {message.sent === undefined ? null : (
        <SideView
          title={t('console.as-sent', { name: names.from })}
          side={message.sent}
          message={message}
          lanes={lanes}
        />
      )}
      {message.received === undefined ? null : (
        <SideView
          title={t('console.as-received', { name: names.to })}
          side={message.received}
          message={message}
          lanes={lanes}
        />
      )}
    </div>
  )
}

function MessageFacts(props: {
  readonly message: FlowMessage
  readonly names: { readonly from: string; readonly to: string }
}): ReactNode {
  const { t } = useWords()
  const { day, number } = useDates()
  const exactTime = useExactTime()
  const { message, names } = props
  return (
    <Facts
      rows={[
        [t('console.way'), t('console.from-to', names)],
        [
          t('console.time'),
          <>
            {day(message.at)}
            {t('common.between')}
            <bdi>{exactTime(message.at)}</bdi>
          </>,
        ],
        [t('console.took'), t('console.milliseconds', { n: number(message.tookMs) })],
        ...(message.requestId === undefined
          ? []
          : [[t('console.request-id'), <code key="id">{message.requestId}</code>] as const]),
        ...(message.patients.length === 0
          ? []
          : [[t('console.patient'), <bdi key="patient">{message.patients.join(', ')}</bdi>] as const]),
      ]}
    />
  )
}

/** All tries of the same message, the opened one marked. */
function Tries(props: {
  readonly tries: readonly FlowMessage[]
  readonly openId: string
  readonly onOpen: (id: string) => void
}): ReactNode {
  const { t } = useWords()
  const exactTime = useExactTime()
  if (props.tries.length < 2) return null
  return (
    <div>
      <h3>{t('console.tries')}</h3>
      <ol className={style.tries}>
        {props.tries.map((one) => {
          const outcome = outcomeOf(one)
          return (
            <li key={one.id}>
              <button
                type="button"
                aria-current={one.id === props.openId || undefined}
                onClick={() => props.onOpen(one.id)}
              >
                <time dateTime={one.at}>{exactTime(one.at)}</time>
                <State tone={outcome.tone} icon={outcome.icon}>
                  {t(outcome.words)} <bdi>{one.status ?? one.error}</bdi>
                </State>
              </button>
            </li>
          )
        })}
      </ol>
    </div>
  )
}

import type { ReactNode } from 'react'
import { State } from '../../ui/state.tsx'
import type { FlowMessage } from '../flow.ts'
import { outcomeOf, shortPath } from '../outcome.ts'
import type { Lane } from '../session.ts'
import { useExactTime } from '../times.ts'
import { useWords } from '../words.ts'
import { laneName } from './lanes.ts'
import style from './message-list.module.css'

/** Where there is no room for a diagram: newest first. */
export function MessageList(props: {
  readonly messages: readonly FlowMessage[]
  readonly lanes: readonly Lane[]
  readonly onOpen: (id: string) => void
}): ReactNode {
  const { t } = useWords()
  const exactTime = useExactTime()
  return (
    <ol className={style.list}>
      {props.messages.toReversed().map((message) => {
        const outcome = outcomeOf(message)
        const names = {
          from: laneName(props.lanes, message.from, t),
          to: laneName(props.lanes, message.to, t),
        }
        return (
          <li key={message.id}>
            <button type="button" className={style.row} onClick={() => props.onOpen(message.id)}>
              <span className={style.names}>{t('console.from-to', names)}</span>
              <code dir="ltr">
                {message.method} {shortPath(message.path)}
              </code>
              <span className={style.foot}>
                <State tone={outcome.tone} icon={outcome.icon}>
                  {t(outcome.words)} <bdi>{message.status ?? ''}</bdi>
                </State>
                {message.attempt === undefined || message.attempt < 2 ? null : (
                  <span>{t('console.try', { n: message.attempt })}</span>
                )}
                {message.replayOf === undefined ? null : <span>{t('console.by-hand')}</span>}
                <time dateTime={message.at}>{exactTime(message.at)}</time>
              </span>
            </button>
          </li>
        )
      })}
    </ol>
  )
}

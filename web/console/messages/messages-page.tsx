import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { useLocation, useSearch } from 'wouter'
import { Page } from '../../ui/page.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { type FlowMessage, useFlow } from '../flow.ts'
import type { ConsoleSession } from '../session.ts'
import { useWords } from '../words.ts'
import { MessageDetail } from './detail.tsx'
import { Diagram } from './diagram.tsx'
import { chosenMessages, NO_FILTER } from './filter.ts'
import { MessageList } from './message-list.tsx'
import style from './messages.module.css'
import { Toolbar } from './toolbar.tsx'
import { useIsWide } from './use-is-wide.ts'

/** The newest of these are drawn: a page with thousands of arrows would be slow, and nobody reads them. */
const DRAWN_MAX = 500

/** Every message between the parties, as a sequence diagram that grows; on a narrow screen, as a list. */
export function MessagesPage(props: { readonly session: ConsoleSession }): ReactNode {
  const { t } = useWords()
  const { data, error, refetch } = useFlow()
  const [filter, setFilter] = useState(NO_FILTER)
  const [held, setHeld] = useState<readonly FlowMessage[]>()
  const isWide = useIsWide()
  const [, navigate] = useLocation()
  const openId = new URLSearchParams(useSearch()).get('message') ?? undefined
  const all = useMemo(() => data?.messages ?? [], [data])
  const shown = useMemo(() => chosenMessages(held ?? all, filter).slice(-DRAWN_MAX), [held, all, filter])
  const opened = openId === undefined ? undefined : all.find(({ id }) => id === openId)
  const open = (id: string): void => navigate(`/?message=${id}`)
  const close = (): void => navigate('/')
  const lanes = data?.lanes ?? props.session.lanes

  const detail =
    opened === undefined ? null : (
      <MessageDetail
        key={opened.id}
        message={opened}
        messages={all}
        lanes={lanes}
        steered={props.session.steered}
        onOpen={open}
        onFollow={() => setFilter({ ...NO_FILTER, follow: opened.id })}
      />
    )
  return (
    <Page title={t('console.messages')}>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      <Toolbar
        messages={all}
        filter={filter}
        onFilter={setFilter}
        isHeld={held !== undefined}
        newSince={held === undefined ? 0 : all.length - held.length}
        onHold={(wanted) => setHeld(wanted ? all : undefined)}
      />
      {data === undefined && error === null ? <Waiting>{t('console.waiting-messages')}</Waiting> : null}
      {data !== undefined && shown.length === 0 ? (
        <Empty icon="share" title={t(all.length === 0 ? 'console.no-messages' : 'console.none-chosen')}>
          <p>{t(all.length === 0 ? 'console.no-messages-text' : 'console.none-chosen-text')}</p>
        </Empty>
      ) : null}
      {shown.length === 0 ? null : isWide ? (
        <div className={style.columns} data-open={detail === null ? undefined : ''}>
          <Diagram messages={shown} lanes={lanes} {...(openId === undefined ? {} : { openId })} onOpen={open} />
          {detail === null ? null : (
            <Aside label={t('console.message')} onClose={close}>
              {detail}
            </Aside>
          )}
        </div>
      ) : (
        <MessageList messages={shown} lanes={lanes} onOpen={open} />
      )}
      {detail === null || (isWide && shown.length > 0) ? null : (
        <Sheet title={t('console.message')} onClose={close}>
          {detail}
        </Sheet>
      )}
    </Page>
  )
}

/** The opened message beside the diagram; Escape closes it. */
function Aside(props: {
  readonly label: string
  readonly onClose: () => void
  readonly children: ReactNode
}): ReactNode {
  const { t } = useWords()
  const { onClose } = props
  useEffect(() => {
    const closeByKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') onClose()
    }
    document.addEventListener('keydown', closeByKey)
    return () => document.removeEventListener('keydown', closeByKey)
  }, [onClose])
  return (
    <aside className={style.aside} aria-label={props.label}>
      <div className={style.top}>
        <span>{props.label}</span>
        <button type="button" className={style.close} onClick={onClose}>
          {t('common.close')}
        </button>
      </div>
      {props.children}
    </aside>
  )
}

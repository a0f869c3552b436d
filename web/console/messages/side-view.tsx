import { type ReactNode, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Disclosure } from '../../ui/disclosure.tsx'
import { useCall } from '../../ui/query.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import type { FlowMessage } from '../flow.ts'
import type { Lane } from '../session.ts'
import { useWords } from '../words.ts'
import { curlOf } from './curl.ts'
import style from './detail.module.css'

type Headers = Readonly<Record<string, string>>
/** `GET /v1/console/parties/:party/messages/:id` */
export type SideDetail = {
  readonly message: { readonly path: string; readonly body?: unknown; readonly answer?: string }
  /** Missing when the day for which whole messages are kept is over. */
  readonly content?: {
    readonly headers: Headers
    readonly body?: string
    readonly answerHeaders: Headers
    readonly answer?: string
    readonly mayReplay: boolean
  }
}

/** Longer texts scroll in their box. */
const ROWS_MAX = 22

export const useSide = (side: FlowMessage['sent']) =>
  useCall<SideDetail>(side === undefined ? undefined : `/v1/console/parties/${side.party}/messages/${side.message}`)

/** One side of a message: its headers, its body, and the answer. */
export function SideView(props: {
  readonly title: string
  readonly side: NonNullable<FlowMessage['sent']>
  readonly message: FlowMessage
  readonly lanes: readonly Lane[]
}): ReactNode {
  const { t } = useWords()
  const { data, error, refetch } = useSide(props.side)
  const content = data?.content
  const target = props.lanes.find(({ id }) => id === props.message.to)?.url
  return (
    <section className={style.side} aria-label={props.title}>
      <h3>{props.title}</h3>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined ? (
        error === null && <Waiting>{t('common.loading')}</Waiting>
      ) : content === undefined ? (
        <>
          <p className={style.hint}>{t('console.not-kept')}</p>
          <Text label={t('console.body')} text={JSON.stringify(data.message.body ?? null, null, 2)} />
          {data.message.answer === undefined ? null : (
            <Text label={t('console.answer')} text={pretty(data.message.answer)} />
          )}
        </>
      ) : (
        <>
          <HeaderTable label={t('console.headers')} headers={content.headers} />
          {content.body === undefined ? (
            <p className={style.hint}>{t('console.no-body')}</p>
          ) : (
            <Text label={t('console.body')} text={pretty(content.body)} isOpen />
          )}
          <HeaderTable label={t('console.answer-headers')} headers={content.answerHeaders} />
          {content.answer === undefined ? (
            <p className={style.hint}>{t('console.no-answer-body')}</p>
          ) : (
            <Text label={t('console.answer')} text={pretty(content.answer)} isOpen />
          )}
          {target === undefined ? null : (
            <CopyButton
              label={t('console.copy-curl')}
              text={curlOf({ ...props.message, base: target, headers: content.headers, body: content.body })}
            />
          )}
        </>
      )}
    </section>
  )
}

function HeaderTable(props: { readonly label: string; readonly headers: Headers }): ReactNode {
  const rows = Object.entries(props.headers)
  if (rows.length === 0) return null
  return (
    <Disclosure label={props.label}>
      <dl className={style.headers} dir="ltr">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Disclosure>
  )
}

function Text(props: { readonly label: string; readonly text: string; readonly isOpen?: boolean }): ReactNode {
  const { t } = useWords()
  return (
    <Disclosure label={props.label} isOpenFirst={props.isOpen ?? false}>
      <textarea
        readOnly
        className={style.text}
        dir="ltr"
        aria-label={props.label}
        value={props.text}
        rows={Math.min(ROWS_MAX, props.text.split('\n').length)}
      />
      <CopyButton label={t('common.copy')} text={props.text} />
    </Disclosure>
  )
}

/** Says that it copied, for a while. */
export function CopyButton(props: { readonly label: string; readonly text: string }): ReactNode {
  const { t } = useWords()
  const [isCopied, setIsCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(props.text)
    setIsCopied(true)
    window.setTimeout(() => setIsCopied(false), 2_000)
  }
  return (
    <div>
      <Button look="quiet" icon={isCopied ? 'check' : 'copy'} onClick={() => void copy()}>
        <span aria-live="polite">{isCopied ? t('common.copied') : props.label}</span>
      </Button>
    </div>
  )
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    // Not JSON, or cut: shown as it is.
    return text
  }
}

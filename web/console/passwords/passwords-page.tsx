import type { ReactNode } from 'react'
import { useDates } from '../../ui/dates.ts'
import { Page } from '../../ui/page.tsx'
import { Empty, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { CopyButton } from '../messages/side-view.tsx'
import type { ConsoleSession } from '../session.ts'
import { type TextMessage, useConsoleState } from '../state.ts'
import { useWords } from '../words.ts'
import style from './passwords.module.css'

const SHOWN_MAX = 30

/** A one-time password in a text: digits alone, four to eight; those of a facility's number stand beside letters. */
export const codeIn = (text: string): string | undefined => /(?<![\p{L}\d-])\d{4,8}(?![\p{L}\d-])/u.exec(text)?.[0]

/** Text messages of all parties, newest first, in place of phones. */
export function PasswordsPage(props: { readonly session: ConsoleSession }): ReactNode {
  const { t } = useWords()
  const { data, error, refetch } = useConsoleState()
  const texts = (data?.parties ?? [])
    .flatMap(({ id, state }) => {
      const from = props.session.lanes.find((lane) => lane.id === id)?.name ?? id
      return (state?.texts ?? []).map((text) => ({ ...text, from }))
    })
    .toSorted((a, b) => (a.sentAt < b.sentAt ? 1 : -1))
    .slice(0, SHOWN_MAX)
  return (
    <Page title={t('console.passwords')}>
      <p>{t('console.passwords-text')}</p>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined && error === null ? <Waiting>{t('common.loading')}</Waiting> : null}
      {data !== undefined && texts.length === 0 ? (
        <Empty icon="phone" title={t('console.no-texts')}>
          <p>{t('console.no-texts-text')}</p>
        </Empty>
      ) : null}
      {texts.length === 0 ? null : (
        <ol className={style.list}>
          {texts.map((text) => (
            <li key={text.id}>
              <Text text={text} from={text.from} />
            </li>
          ))}
        </ol>
      )}
    </Page>
  )
}

function Text(props: { readonly text: TextMessage; readonly from: string }): ReactNode {
  const { t } = useWords()
  const { exactTime } = useDates()
  const { text } = props
  const code = codeIn(text.text)
  return (
    <div className={style.text}>
      {code === undefined ? null : (
        <div className={style.code}>
          <bdi>{code}</bdi>
          <CopyButton label={t('common.copy')} text={code} />
        </div>
      )}
      <div>
        <p dir="auto">{text.text}</p>
        <p className={style.hint}>
          <time dateTime={text.sentAt}>{exactTime(text.sentAt)}</time>{' '}
          {t('console.text-to', { from: props.from, mobile: text.mobile })}
        </p>
      </div>
    </div>
  )
}

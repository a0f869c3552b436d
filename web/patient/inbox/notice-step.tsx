import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { useLocation } from 'wouter'
import type { RequestView } from '../../../src/native/me-request-view.ts'
import type { Notice } from '../../../src/notices/notices.ts'
import { call } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { directionOf } from '../../ui/languages.ts'
import { useOnline } from '../../ui/online.ts'
import { Page } from '../../ui/page.tsx'
import { Banner, Waiting } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { type Choice, isLess } from './choice.ts'
import style from './inbox.module.css'
import { saysOf, sayTypes } from './sentences.ts'
import type { Decide } from './use-decide.ts'

/** A notice as the server showed and kept it. */
export type ShownNotice = Notice & { readonly id: string; readonly sha256: string; readonly shownAt: string }

/** The notice on a page of its own, before the decision (DPDP s.5, Rule 3); then the proof, then the decision. */
export function NoticeStep(props: {
  readonly request: RequestView
  readonly choice: Choice
  readonly notice: ShownNotice | undefined
  readonly onShown: (notice: ShownNotice | undefined) => void
  readonly decide: Decide
}): ReactNode {
  const words = useWords()
  const dates = useDates()
  const { t } = words
  const [, navigate] = useLocation()
  const { request, choice, decide } = props
  const { notice, error, again } = useNotice(props)
  const prove = useStepUp()
  const here = `/requests/${request.id}`
  const allow = async (shown: ShownNotice): Promise<void> => {
    const proof = await prove('consent.grant', request.id)
    if (proof !== undefined) await decide.allow(choice, shown.id, proof)
  }
  return (
    <Page
      title={notice?.title ?? request.asker.name}
      above={request.asker.name}
      back={{ to: here, label: t('notice.back') }}
    >
      {decide.error === undefined ? null : <Trouble error={decide.error} says={saysOf(t)} />}
      <WithoutNotice error={error} onAgain={again} onKeep={() => void decide.keepChoice(choice)} />
      {notice === undefined && error === undefined ? <Waiting>{t('notice.loading')}</Waiting> : null}
      {notice === undefined ? null : (
        <>
          <NoticeText notice={notice} />
          <Banner tone="calm">
            {t(isLess(request, choice) ? 'notice.chosen' : 'notice.whole', {
              types: sayTypes(words, choice.types),
              day: dates.day(choice.until),
            })}
          </Banner>
          <p className={style.second}>{t('notice.kept')}</p>
          <ButtonRow>
            <Button look="primary" isBusy={decide.isBusy} onClick={() => void allow(notice)}>
              {t('notice.next')}
            </Button>
            <Button onClick={() => navigate(here)}>{t('notice.not-now')}</Button>
          </ButtonRow>
        </>
      )}
    </Page>
  )
}

/** Shows the notice in the language of the page; another language is another notice, and is kept too. */
function useNotice(props: {
  readonly request: RequestView
  readonly notice: ShownNotice | undefined
  readonly onShown: (notice: ShownNotice | undefined) => void
}): { readonly notice: ShownNotice | undefined; readonly error: unknown; readonly again: () => void } {
  const { language } = useWords()
  const { request, notice, onShown } = props
  const [error, setError] = useState<unknown>()
  const isRight = notice?.language === language
  const { id } = request
  const load = useCallback(
    () =>
      call<ShownNotice>(`/v1/me/requests/${id}/notice`, { body: { language } }).then((shown) => {
        setError(undefined)
        onShown(shown)
      }, setError),
    [id, language, onShown],
  )
  useEffect(() => {
    if (!isRight) void load()
  }, [isRight, load])
  const again = (): void => {
    setError(undefined)
    void load()
  }
  return { notice: isRight ? notice : undefined, error: isRight ? undefined : error, again }
}

/** The line is gone, or the request changed: nothing can be allowed without the notice. */
function WithoutNotice(props: {
  readonly error: unknown
  readonly onAgain: () => void
  readonly onKeep: () => void
}): ReactNode {
  const { t } = useWords()
  const isOnline = useOnline()
  if (props.error === undefined) return null
  if (isOnline) return <Trouble error={props.error} onAgain={props.onAgain} />
  return (
    <Banner tone="waiting" icon="offline" title={t('notice.offline')}>
      <ButtonRow>
        <Button look="primary" onClick={props.onKeep}>
          {t('notice.keep-choice')}
        </Button>
        <Button onClick={props.onAgain}>{t('common.again')}</Button>
      </ButtonRow>
    </Banner>
  )
}

function NoticeText({ notice }: { readonly notice: ShownNotice }): ReactNode {
  return (
    <div className={style.notice} lang={notice.wordsLanguage} dir={directionOf(notice.wordsLanguage)}>
      {notice.instead === undefined ? null : <p className={style.second}>{notice.instead}</p>}
      {notice.paragraphs.map(({ slot, heading, text, items, link }) => (
        <section key={slot}>
          <h2>{heading}</h2>
          {text.slice(0, 1).map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          {items === undefined ? null : (
            <ul>
              {items.map((item) => (
                <li key={item}>{item}</li>
              ))}
            </ul>
          )}
          {text.slice(1).map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
          {link === undefined ? null : (
            <p>
              <a className={style.tap} href={pathOf(link.url)} target="_blank" rel="noopener">
                {link.text}
              </a>
            </p>
          )}
        </section>
      ))}
    </div>
  )
}

/** The links lead to pages of this app: by their path they work on whichever name the app was opened. */
function pathOf(url: string): string {
  return URL.canParse(url) ? new URL(url).pathname : url
}

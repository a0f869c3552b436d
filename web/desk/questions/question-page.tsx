import { type ReactNode, useEffect, useRef, useState } from 'react'
import { STAFF_ROLES } from '../../../src/kernel/staff-role.ts'
import { useDates } from '../../ui/dates.ts'
import { Facts, Page, Part } from '../../ui/page.tsx'
import { usePages } from '../../ui/pages.tsx'
import { Banner, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { roleKey } from '../staff/model.ts'
import { useWords } from '../words.ts'
import { AnswerForm } from './answer-form.tsx'
import { purposeKey, QUESTIONS_PATH, type Question, type Questions, stateOf } from './model.ts'
import style from './questions.module.css'

/** One question: what is asked, about which look, and the answer to write or to read. */
export function QuestionPage(props: { readonly id: string }): ReactNode {
  const { t } = useWords()
  const { data, error, refetch, hasNextPage, isFetching, fetchNextPage } = usePages<Questions>(QUESTIONS_PATH, 'after')
  const question = data?.pages.flatMap((page) => page.questions).find(({ id }) => id === props.id)
  const isFurther = question === undefined && hasNextPage
  // A link leads to one that stands on a later page, too.
  useEffect(() => {
    if (isFurther && !isFetching && error === null) void fetchNextPage()
  }, [isFurther, isFetching, error, fetchNextPage])
  const back = { to: '/questions', label: t('questions.title') }
  if (question !== undefined)
    return (
      <Page
        title={t('questions.from', { patient: question.patient })}
        above={t('questions.number', { number: question.number })}
        back={back}
      >
        <Whole question={question} />
      </Page>
    )
  return (
    <Page title={t('questions.title')} back={back}>
      {error === null ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {error === null && (data === undefined || isFurther) ? <Waiting>{t('questions.loading')}</Waiting> : null}
      {data === undefined || isFurther ? null : <p>{t('questions.gone')}</p>}
    </Page>
  )
}

function Whole({ question }: { readonly question: Question }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const [now] = useState(() => new Date())
  const [isSent, setIsSent] = useState(false)
  const told = useRef<HTMLDivElement>(null)
  const [tone, words] = stateOf(question, now)
  const { answer, patient } = question
  // The form goes, so the focus goes to what happened.
  const onSent = (): void => {
    setIsSent(true)
    told.current?.focus()
  }
  return (
    <>
      <div>
        <State tone={tone} {...(tone === 'stopped' ? { icon: 'warning' } : {})}>
          {t(words, { day: dates.day(question.dueAt) })}
        </State>
      </div>
      <blockquote className={style.quote} dir="auto">
        {question.text}
      </blockquote>
      <Part title={t('questions.look')}>
        <Look question={question} />
      </Part>
      <div role="status" ref={told} tabIndex={-1}>
        {isSent ? (
          <Banner tone="live" title={t('questions.sent')}>
            <p>{t('questions.sent-text', { patient })}</p>
          </Banner>
        ) : null}
      </div>
      {answer === undefined ? (
        isSent ? null : (
          <AnswerForm question={question} onSent={onSent} />
        )
      ) : (
        <Part title={t('questions.sent-answer')}>
          <p>{t('questions.answered-by', { by: answer.by, day: dates.day(answer.at) })}</p>
          <blockquote className={style.quote} dir="auto">
            {answer.text}
          </blockquote>
        </Part>
      )}
    </>
  )
}

function Look({ question }: { readonly question: Question }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { at, person, role, purpose } = question.look
  const known = STAFF_ROLES.find((each) => each === role)
  const why = purposeKey(purpose)
  const rows: readonly (readonly [string, string])[] = [
    [t('questions.who'), person === '' ? t('questions.not-said') : person],
    [t('questions.role'), known === undefined ? role || t('questions.not-said') : t(roleKey(known))],
    [t('questions.when'), dates.moment(at)],
    [t('questions.why'), why === undefined ? purpose || t('questions.not-said') : t(why)],
    [t('questions.came'), dates.moment(question.receivedAt)],
  ]
  return (
    <div className={style.look}>
      <Facts rows={rows.map(([name, value]) => [name, <bdi key={name}>{value}</bdi>])} />
    </div>
  )
}

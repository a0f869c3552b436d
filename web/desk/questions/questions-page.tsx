import { type ReactNode, useState } from 'react'
import { Link, Route, Switch } from 'wouter'
import { useDates } from '../../ui/dates.ts'
import { Lines } from '../../ui/lines.tsx'
import { Page, Part } from '../../ui/page.tsx'
import { More, usePages } from '../../ui/pages.tsx'
import { Empty, State, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { QUESTIONS_PATH, type Question, type Questions, stateOf } from './model.ts'
import { QuestionPage } from './question-page.tsx'
import style from './questions.module.css'

/** What patients ask this facility about looks at their records (DPDP s.13): the list, and one of them with its answer. */
export function QuestionsPage(): ReactNode {
  return (
    <Switch>
      <Route path="/questions/:id">{({ id }) => <QuestionPage key={id} id={id} />}</Route>
      <Route>
        <List />
      </Route>
    </Switch>
  )
}

function List(): ReactNode {
  const { t } = useWords()
  const pages = usePages<Questions>(QUESTIONS_PATH, 'after')
  const { data, error, refetch, isFetchNextPageError } = pages
  const questions = data?.pages.flatMap((page) => page.questions) ?? []
  const waiting = questions.filter(({ status }) => status === 'open')
  const answered = questions.filter(({ status }) => status === 'answered')
  return (
    <Page title={t('questions.title')}>
      {error === null || isFetchNextPageError ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined && error === null ? <Waiting>{t('questions.loading')}</Waiting> : null}
      {data !== undefined && questions.length === 0 ? (
        <Empty icon="question" title={t('questions.empty')}>
          <p>{t('questions.empty-text')}</p>
        </Empty>
      ) : null}
      {questions.length === 0 ? null : (
        <Part title={t('questions.waiting-part')}>
          {waiting.length === 0 ? <p>{t('questions.none-waiting')}</p> : <Rows questions={waiting} />}
        </Part>
      )}
      {answered.length === 0 ? null : (
        <Part title={t('questions.answered-part')}>
          <Rows questions={answered} />
        </Part>
      )}
      <More pages={pages} />
    </Page>
  )
}

function Rows(props: { readonly questions: readonly Question[] }): ReactNode {
  return (
    <Lines>
      {props.questions.map((question) => (
        <li key={question.id}>
          <Row question={question} />
        </li>
      ))}
    </Lines>
  )
}

function Row({ question }: { readonly question: Question }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const [now] = useState(() => new Date())
  const [tone, words] = stateOf(question, now)
  return (
    <Link href={`/questions/${question.id}`} className={style.row ?? ''}>
      <b>{t('questions.from', { patient: question.patient })}</b>
      <State tone={tone} {...(tone === 'stopped' ? { icon: 'warning' } : {})}>
        {t(words, { day: dates.day(question.dueAt) })}
      </State>
      <span className={style.text}>
        <bdi>{question.text}</bdi>
      </span>
    </Link>
  )
}

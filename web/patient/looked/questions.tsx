import type { ReactNode } from 'react'
import type { QuestionView } from '../../../src/rights/views.ts'
import { useDates } from '../../ui/dates.ts'
import { Card, Part } from '../../ui/page.tsx'
import { State, type Tone } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import style from './looked.module.css'

const TONES: Readonly<Record<QuestionView['status'], Tone>> = {
  asked: 'waiting',
  delivered: 'waiting',
  undelivered: 'stopped',
  answered: 'live',
}

/** What I asked places about looks, how far it is, and their answers. */
export function Questions(props: { readonly questions: readonly QuestionView[] }): ReactNode {
  const { t } = useWords()
  if (props.questions.length === 0) return null
  return (
    <Part title={t('looked.questions-part')}>
      <ul className={style.looks}>
        {props.questions.map((question) => (
          <li key={question.id}>
            <Question question={question} />
          </li>
        ))}
      </ul>
    </Part>
  )
}

function Question(props: { readonly question: QuestionView }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { status, number, facility, text, dueAt, answer } = props.question
  return (
    <Card>
      <div className={style.flags}>
        <h3>{t('looked.question-to', { name: facility.name, number })}</h3>
        <State tone={TONES[status]}>{t(`looked.question.${status}`)}</State>
      </div>
      <blockquote className={style.quote} dir="auto">
        {text}
      </blockquote>
      {status === 'undelivered' ? <p>{t('looked.question-call')}</p> : null}
      {answer === undefined ? (
        <p className={style.quiet}>{t('looked.question-due', { day: dates.day(dueAt) })}</p>
      ) : (
        <>
          <p>{t('looked.answer-by', { by: answer.by, day: dates.day(answer.at) })}</p>
          <blockquote className={style.quote} dir="auto">
            {answer.text}
          </blockquote>
        </>
      )}
    </Card>
  )
}

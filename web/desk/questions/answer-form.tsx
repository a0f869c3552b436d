import { type FormEvent, type ReactNode, useState } from 'react'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { Button } from '../../ui/button.tsx'
import { TextArea } from '../../ui/fields.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import { useWords } from '../words.ts'
import { QUESTIONS_PATH, type Question } from './model.ts'
import style from './questions.module.css'

/** The answer to a patient: written once, sent for good. What was written stays when the line breaks. */
export function AnswerForm(props: { readonly question: Question; readonly onSent: () => void }): ReactNode {
  const { t } = useWords()
  const { patient, id } = props.question
  const [text, setText] = useState('')
  const [isMissing, setIsMissing] = useState(false)
  const send = useAct<string>(
    (words) => ({
      path: `${QUESTIONS_PATH}/${encodeURIComponent(patient)}/${encodeURIComponent(id)}/answer`,
      body: { text: words },
    }),
    props.onSent,
  )
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    const words = text.trim()
    setIsMissing(words === '')
    if (words !== '' && !send.isBusy) send.run(words)
  }
  return (
    <form className={style.form} onSubmit={onSubmit} noValidate>
      <TextArea
        label={t('questions.answer')}
        hint={t('questions.answer-hint', { patient })}
        {...(isMissing && text.trim() === '' ? { fault: t('questions.answer-missing') } : {})}
        name="answer"
        dir="auto"
        rows={6}
        maxLength={LIMITS.questionCharsMax}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      {send.error === null ? null : (
        <Trouble error={send.error} says={{ 'rights/answered-already': t('questions.already') }} />
      )}
      <div>
        <Button type="submit" look="primary" isBusy={send.isBusy}>
          {t('questions.send')}
        </Button>
      </div>
    </form>
  )
}

import { type FormEvent, type ReactNode, useState } from 'react'
import { call, Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { CodeField, isWholeCode } from './code-field.tsx'
import { faultOf, useCodeFaults } from './faults.ts'
import { useFocusFirst } from './focus.ts'
import { SampleCodeWords, useSampleCode } from './sample-code.tsx'
import type { Sample } from './sample-staff.tsx'
import style from './staff.module.css'

/** The second factor: the code of the authenticator app. */
export function CodeStep(props: {
  readonly ticket: string
  readonly sample?: Sample
  readonly onIn: () => Promise<void>
  readonly onAgain: () => void
}): ReactNode {
  const { t } = useWords()
  const says = useCodeFaults()
  const [code, setCode] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const input = useFocusFirst<HTMLInputElement>()
  const filled = useSampleCode(props.sample?.login, setCode)
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    if (!isWholeCode(code)) return setProblem(new Problem(422, { code: 'staff/wrong-code' }))
    setIsBusy(true)
    try {
      await call('/v1/desk/sign-in/code', { body: { ticket: props.ticket, code } })
      await props.onIn()
    } catch (error) {
      setProblem(error)
      setIsBusy(false)
    }
  }
  const fault = faultOf(problem, says)
  const isOver = problem instanceof Problem && problem.status === 410
  return (
    <Page title={t('staff.code-title')}>
      {problem === undefined || fault !== undefined ? null : (
        <Trouble error={problem} says={{ 'staff/sign-in-over': t('staff.code-spent') }} />
      )}
      {isOver ? null : (
        <form className={style.form} onSubmit={(event) => void submit(event)} noValidate>
          <CodeField ref={input} fault={fault} value={code} onChange={setCode} />
          <SampleCodeWords filled={filled} />
          <Button type="submit" look="primary" isWide isBusy={isBusy}>
            {t('staff.sign-in')}
          </Button>
        </form>
      )}
      <p>{t('staff.lost-phone')}</p>
      <ButtonRow>
        <Button icon="back" onClick={props.onAgain}>
          {t('staff.begin-again')}
        </Button>
      </ButtonRow>
    </Page>
  )
}

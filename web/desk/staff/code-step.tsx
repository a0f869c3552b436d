import { type FormEvent, type ReactNode, useState } from 'react'
import { call, Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { CodeField, isWholeCode } from './code-field.tsx'
import { faultOf, useCodeFaults } from './faults.ts'
import { useFocusFirst } from './focus.ts'
import { RecoveryField } from './recovery-field.tsx'
import { SampleCodeWords, useSampleCode } from './sample-code.tsx'
import type { Sample } from './sample-staff.tsx'
import style from './staff.module.css'

/** The second factor: the code of the authenticator app, or a recovery code from paper. */
export function CodeStep(props: {
  readonly ticket: string
  readonly sample?: Sample
  readonly onIn: () => Promise<void>
  readonly onAgain: () => void
}): ReactNode {
  const { t } = useWords()
  const [isRecovering, setIsRecovering] = useState(false)
  const title = isRecovering ? t('account.recovery-title') : t('staff.code-title')
  return (
    <Page title={title}>
      <SecondForm key={title} {...props} isRecovering={isRecovering} />
      {isRecovering ? null : <p>{t('account.lost-phone')}</p>}
      <ButtonRow>
        <Button icon={isRecovering ? 'phone' : 'record'} onClick={() => setIsRecovering(!isRecovering)}>
          {isRecovering ? t('account.use-app') : t('account.use-recovery')}
        </Button>
        <Button icon="back" onClick={props.onAgain}>
          {t('staff.begin-again')}
        </Button>
      </ButtonRow>
    </Page>
  )
}

function SecondForm(props: {
  readonly ticket: string
  readonly isRecovering: boolean
  readonly sample?: Sample
  readonly onIn: () => Promise<void>
}): ReactNode {
  const { t } = useWords()
  const { isRecovering } = props
  const codeFaults = useCodeFaults()
  const says = isRecovering ? { 'staff/wrong-code': t('account.wrong-recovery') } : codeFaults
  const [code, setCode] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const input = useFocusFirst<HTMLInputElement>()
  const filled = useSampleCode(isRecovering ? undefined : props.sample?.login, setCode)
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    const isWhole = isRecovering ? code.trim() !== '' : isWholeCode(code)
    if (!isWhole) return setProblem(new Problem(422, { code: 'staff/wrong-code' }))
    setIsBusy(true)
    try {
      const { ticket } = props
      await call('/v1/desk/sign-in/code', { body: isRecovering ? { ticket, recovery: code } : { ticket, code } })
      await props.onIn()
    } catch (error) {
      setProblem(error)
      setIsBusy(false)
    }
  }
  const fault = faultOf(problem, says)
  const isOver = problem instanceof Problem && (problem.status === 410 || problem.code === 'staff/suspended')
  return (
    <>
      {problem === undefined || fault !== undefined ? null : (
        <Trouble
          error={problem}
          says={{ 'staff/sign-in-over': t('staff.code-spent'), 'staff/suspended': t('staff.suspended') }}
        />
      )}
      {isOver ? null : (
        <form className={style.form} onSubmit={(event) => void submit(event)} noValidate>
          {isRecovering ? (
            <RecoveryField ref={input} fault={fault} value={code} onChange={setCode} />
          ) : (
            <CodeField ref={input} fault={fault} value={code} onChange={setCode} />
          )}
          <SampleCodeWords filled={filled} />
          <Button type="submit" look="primary" isWide isBusy={isBusy}>
            {t('staff.sign-in')}
          </Button>
        </form>
      )}
    </>
  )
}

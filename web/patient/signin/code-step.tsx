import { type FormEvent, type ReactNode, useState } from 'react'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { call, Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { Banner } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { useAttempt } from './attempt.ts'
import { CodeField, isWholeCode, useCodeFocus } from './code-field.tsx'
import { useSecondsUntil } from './countdown.ts'
import { codeFaultOf, useCodeFaults } from './faults.ts'
import { SandboxHint } from './sandbox-hint.tsx'
import style from './signin.module.css'

const MINUTE_MS = 60_000

/** A code was asked for; another one may be from `againAt` (milliseconds of the device's clock). */
export type Started = { readonly id: string; readonly againAt: number }

/** The code from the text message. Nothing on it tells whether the address has an account. */
export function CodeStep(props: {
  readonly address: string
  readonly started: Started
  readonly onAgain: () => Promise<void>
  readonly onOther: () => void
  readonly onIn: (csrf: string) => Promise<void>
}): ReactNode {
  const { t, rich } = useWords()
  const says = useCodeFaults()
  const { started } = props
  const { isBusy, problem, setProblem, attempt } = useAttempt()
  const [code, setCode] = useState('')
  // After the page, whose heading takes it first.
  const input = useCodeFocus()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (!isWholeCode(code)) setProblem(new Problem(422, { code: 'people/wrong-code' }))
    else
      void attempt(async () => {
        const { csrf } = await call<{ readonly csrf: string }>(`/v1/sign-in/${started.id}`, { body: { code } })
        await props.onIn(csrf)
      })
  }
  const sendAgain = async (): Promise<void> => {
    await props.onAgain()
    setCode('')
    setProblem(undefined)
  }
  const fault = codeFaultOf(problem, says)
  return (
    <Page title={t('signin.code-title')}>
      <p>{rich('signin.code-text', { address: props.address })}</p>
      {problem !== undefined && fault === undefined ? <Trouble error={problem} /> : null}
      <form className={style.form} onSubmit={submit} noValidate>
        <CodeField
          ref={input}
          label={t('signin.code')}
          hint={t('signin.code-hint', { minutes: LIMITS.signInCodeMs / MINUTE_MS })}
          fault={fault}
          value={code}
          onChange={setCode}
        />
        <Button type="submit" look="primary" isWide isBusy={isBusy}>
          {t('signin.sign-in')}
        </Button>
      </form>
      <OtherWays started={started} onAgain={sendAgain} onOther={props.onOther} />
      <p>{t('signin.no-code')}</p>
      <SandboxHint />
    </Page>
  )
}

function OtherWays(props: {
  readonly started: Started
  readonly onAgain: () => Promise<void>
  readonly onOther: () => void
}): ReactNode {
  const { t, tn } = useWords()
  const { isBusy, problem, attempt } = useAttempt()
  const [isSent, setIsSent] = useState(false)
  const seconds = useSecondsUntil(props.started.againAt)
  const again = (): void =>
    void attempt(async () => {
      setIsSent(false)
      await props.onAgain()
      setIsSent(true)
    })
  return (
    <>
      {problem === undefined ? null : <Trouble error={problem} />}
      {isSent ? <Banner tone="calm" title={t('signin.sent-again')} /> : null}
      <ButtonRow>
        <Button look="quiet" icon="refresh" disabled={seconds > 0} isBusy={isBusy} onClick={again}>
          {seconds > 0 ? tn('signin.send-again-in', seconds) : t('signin.send-again')}
        </Button>
        <Button look="quiet" icon="back" onClick={props.onOther}>
          {t('signin.other-address')}
        </Button>
      </ButtonRow>
    </>
  )
}

import { type FormEvent, type ReactNode, useState } from 'react'
import { call, Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { type AskedStepUp, PasskeyWay, StepUpSheets } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { useAttempt } from './attempt.ts'
import { CodeField, isWholeCode, useCodeFocus } from './code-field.tsx'
import { codeFaultOf, useCodeFaults } from './faults.ts'
import { SandboxHint } from './sandbox-hint.tsx'
import style from './signin.module.css'

const PATH = '/v1/me/step-up'
type Asked = AskedStepUp & { readonly sentTo?: string }

/** Where the person proves anew that it is she: by passkey, else by a code to her phone. */
export function StepUpProvider(props: { readonly children: ReactNode }): ReactNode {
  const { t } = useWords()
  return (
    <StepUpSheets<Asked>
      path={PATH}
      title={t('signin.prove-title')}
      preparing={t('signin.prove-preparing')}
      ways={(proving) => <Proof key={proving.asked.id} {...proving} />}
    >
      {props.children}
    </StepUpSheets>
  )
}

function Proof(props: {
  readonly asked: Asked
  readonly onProved: (id: string) => void
  readonly onAgain: () => void
}): ReactNode {
  const { t } = useWords()
  const { asked, onProved, onAgain } = props
  const { id, passkey } = asked
  const [sentTo, setSentTo] = useState(asked.sentTo)
  const { isBusy, problem, attempt } = useAttempt()
  const send = () =>
    attempt(async () =>
      setSentTo((await call<{ readonly sentTo: string }>(`${PATH}/${id}/code`, { method: 'POST' })).sentTo),
    )
  if (passkey === undefined || sentTo !== undefined)
    return <ByCode id={id} sentTo={sentTo ?? ''} onProved={onProved} onAgain={onAgain} />
  return (
    <>
      <PasskeyWay
        path={PATH}
        asked={{ id, passkey }}
        says={{
          text: t('signin.prove-passkey-text'),
          verb: t('signin.prove-with-passkey'),
          refused: t('signin.passkey-refused'),
        }}
        onProved={onProved}
        others={
          <Button icon="phone" isBusy={isBusy} onClick={() => void send()}>
            {t('signin.prove-with-code')}
          </Button>
        }
      />
      {problem === undefined ? null : <Trouble error={problem} />}
    </>
  )
}

function ByCode(props: {
  readonly id: string
  readonly sentTo: string
  readonly onProved: (id: string) => void
  readonly onAgain: () => void
}): ReactNode {
  const { t } = useWords()
  const says = useCodeFaults()
  const [code, setCode] = useState('')
  const input = useCodeFocus()
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const prove = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    if (!isWholeCode(code)) {
      setProblem(new Problem(422, { code: 'people/wrong-code' }))
      return
    }
    setIsBusy(true)
    try {
      await call(`${PATH}/${props.id}`, { body: { code } })
      props.onProved(props.id)
    } catch (error) {
      setProblem(error)
      setIsBusy(false)
    }
  }
  const fault = codeFaultOf(problem, says)
  const isOver = problem instanceof Problem && problem.status === 410
  return (
    <form className={style.form} onSubmit={(event) => void prove(event)} noValidate>
      <CodeField
        ref={input}
        label={t('signin.code')}
        hint={t('signin.prove-code-hint', { phone: props.sentTo })}
        fault={fault}
        value={code}
        onChange={setCode}
      />
      {problem !== undefined && fault === undefined ? <Trouble error={problem} /> : null}
      <ButtonRow>
        {isOver ? (
          <Button look="primary" icon="refresh" onClick={props.onAgain}>
            {t('signin.new-code')}
          </Button>
        ) : (
          <Button type="submit" look="primary" isBusy={isBusy}>
            {t('signin.confirm')}
          </Button>
        )}
      </ButtonRow>
      <SandboxHint />
    </form>
  )
}

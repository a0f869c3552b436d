import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/browser'
import { createContext, type FormEvent, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react'
import { call, Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { answerPasskey } from '../../ui/passkey.ts'
import { Sheet } from '../../ui/sheet.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { useAttempt } from './attempt.ts'
import { CodeField, isWholeCode, useCodeFocus } from './code-field.tsx'
import { codeFaultOf, useCodeFaults } from './faults.ts'
import { SandboxHint } from './sandbox-hint.tsx'
import style from './signin.module.css'

export type StepUpAct = 'consent.grant' | 'policy.save' | 'passkey.add' | 'account.close'
/**
 * Asks the person to prove that it is she, for one act on one thing. The id goes into the call that the proof is for and is good once;
 * undefined when she gave up: then nothing happens.
 */
type AskStepUp = (act: StepUpAct, subject: string) => Promise<string | undefined>

const StepUpContext = createContext<AskStepUp | undefined>(undefined)

/** `const prove = useStepUp()`, then `const stepUp = await prove('consent.grant', requestId)` after the person pressed the verb. */
export function useStepUp(): AskStepUp {
  const ask = use(StepUpContext)
  if (ask === undefined) throw new Error('useStepUp outside of StepUpProvider')
  return ask
}

type Asking = {
  readonly act: StepUpAct
  readonly subject: string
  readonly settle: (id: string | undefined) => void
}

/** Holds the one sheet in which proofs are given. */
export function StepUpProvider(props: { readonly children: ReactNode }): ReactNode {
  const [asking, setAsking] = useState<Asking>()
  const ask = useCallback<AskStepUp>(
    (act, subject) =>
      new Promise((resolve) => {
        setAsking({
          act,
          subject,
          settle: (id) => {
            setAsking(undefined)
            resolve(id)
          },
        })
      }),
    [],
  )
  return (
    <StepUpContext value={ask}>
      {props.children}
      {asking === undefined ? null : <StepUpSheet key={`${asking.act} ${asking.subject}`} {...asking} />}
    </StepUpContext>
  )
}

type Asked = {
  readonly id: string
  readonly passkey?: PublicKeyCredentialRequestOptionsJSON
  readonly sentTo?: string
}

function StepUpSheet({ act, subject, settle }: Asking): ReactNode {
  const { t } = useWords()
  const [asked, setAsked] = useState<Asked>()
  const [trouble, setTrouble] = useState<unknown>()
  const begin = useCallback(async () => {
    setAsked(undefined)
    setTrouble(undefined)
    try {
      setAsked(await call<Asked>('/v1/me/step-up', { body: { act, subject } }))
    } catch (error) {
      setTrouble(error)
    }
  }, [act, subject])
  const isBegun = useRef(false)
  useEffect(() => {
    // Once, also where React mounts twice: each begin may send a message.
    if (isBegun.current) return
    isBegun.current = true
    void begin()
  }, [begin])
  return (
    <Sheet title={t('signin.prove-title')} onClose={() => settle(undefined)}>
      {trouble === undefined ? null : <Trouble error={trouble} onAgain={() => void begin()} />}
      {asked === undefined ? (
        trouble === undefined && <Waiting>{t('signin.prove-preparing')}</Waiting>
      ) : asked.passkey !== undefined && asked.sentTo === undefined ? (
        <ByPasskey
          id={asked.id}
          options={asked.passkey}
          onProved={settle}
          onSent={(sentTo) => setAsked({ ...asked, sentTo })}
        />
      ) : (
        <ByCode id={asked.id} sentTo={asked.sentTo ?? ''} onProved={settle} onAgain={() => void begin()} />
      )}
    </Sheet>
  )
}

function ByPasskey(props: {
  readonly id: string
  readonly options: PublicKeyCredentialRequestOptionsJSON
  readonly onProved: (id: string) => void
  readonly onSent: (sentTo: string) => void
}): ReactNode {
  const { t } = useWords()
  const { isBusy, problem: trouble, attempt } = useAttempt()
  const prove = () =>
    attempt(async () => {
      const assertion = await answerPasskey(props.options)
      await call(`/v1/me/step-up/${props.id}`, { body: { assertion } })
      props.onProved(props.id)
    })
  const send = () =>
    attempt(async () => {
      const { sentTo } = await call<{ readonly sentTo: string }>(`/v1/me/step-up/${props.id}/code`, { method: 'POST' })
      props.onSent(sentTo)
    })
  return (
    <>
      <p>{t('signin.prove-passkey-text')}</p>
      {trouble === undefined ? null : (
        <Trouble error={trouble} says={{ 'people/wrong-code': t('signin.passkey-refused') }} />
      )}
      <ButtonRow>
        <Button look="primary" icon="key" isBusy={isBusy} onClick={() => void prove()}>
          {t('signin.prove-with-passkey')}
        </Button>
        <Button icon="phone" isBusy={isBusy} onClick={() => void send()}>
          {t('signin.prove-with-code')}
        </Button>
      </ButtonRow>
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
      await call(`/v1/me/step-up/${props.id}`, { body: { code } })
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

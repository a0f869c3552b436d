import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/browser'
import { createContext, type FormEvent, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react'
import { call, Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { answerPasskey, isGivenUp } from '../../ui/passkey.ts'
import { Sheet } from '../../ui/sheet.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useStaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { CodeField, isWholeCode } from './code-field.tsx'
import { faultOf, useCodeFaults } from './faults.ts'
import { useFocusFirst } from './focus.ts'
import { SampleCodeWords, useSampleCode } from './sample-code.tsx'
import style from './staff.module.css'

type DeskStepUpAct = 'staff.change' | 'emergency.open' | 'passkey.add'
/**
 * Asks the person to prove that it is she, for one act on one thing. The id goes into the call that the proof is for and is good once;
 * undefined when she gave up: then nothing happens.
 */
type AskStepUp = (act: DeskStepUpAct, subject: string) => Promise<string | undefined>

const StepUpContext = createContext<AskStepUp | undefined>(undefined)

/** `const prove = useStepUp()`, then `const stepUp = await prove('staff.change', id)` after the person pressed the verb. */
export function useStepUp(): AskStepUp {
  const ask = use(StepUpContext)
  if (ask === undefined) throw new Error('useStepUp outside of StepUpProvider')
  return ask
}

type Asking = {
  readonly act: DeskStepUpAct
  readonly subject: string
  readonly settle: (id: string | undefined) => void
}

/** Holds the one sheet in which proofs are given. */
export function StepUpProvider(props: { readonly children: ReactNode }): ReactNode {
  const [asking, setAsking] = useState<Asking>()
  const ask = useCallback<AskStepUp>(
    (act, subject) =>
      new Promise((resolve) => {
        const settle = (id: string | undefined): void => {
          setAsking(undefined)
          resolve(id)
        }
        setAsking({ act, subject, settle })
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
  readonly methods: readonly ('code' | 'passkey')[]
  readonly passkey?: PublicKeyCredentialRequestOptionsJSON
}

function StepUpSheet({ act, subject, settle }: Asking): ReactNode {
  const { t } = useWords()
  const [asked, setAsked] = useState<Asked>()
  const [trouble, setTrouble] = useState<unknown>()
  const [takesCode, setTakesCode] = useState(false)
  const begin = useCallback(async () => {
    setAsked(undefined)
    setTrouble(undefined)
    try {
      setAsked(await call<Asked>('/v1/desk/step-up', { body: { act, subject } }))
    } catch (error) {
      setTrouble(error)
    }
  }, [act, subject])
  const isBegun = useRef(false)
  useEffect(() => {
    // Once, also where React mounts twice.
    if (isBegun.current) return
    isBegun.current = true
    void begin()
  }, [begin])
  return (
    <Sheet title={t('staff.prove-title')} onClose={() => settle(undefined)}>
      {trouble === undefined ? null : <Trouble error={trouble} onAgain={() => void begin()} />}
      {asked === undefined ? (
        trouble === undefined && <Waiting>{t('staff.prove-preparing')}</Waiting>
      ) : asked.passkey !== undefined && !takesCode ? (
        <ByPasskey
          id={asked.id}
          options={asked.passkey}
          onProved={settle}
          {...(asked.methods.includes('code') ? { onCode: () => setTakesCode(true) } : {})}
        />
      ) : asked.methods.includes('code') ? (
        <ByCode id={asked.id} onProved={settle} onAgain={() => void begin()} />
      ) : (
        <p>{t('staff.prove-impossible')}</p>
      )}
    </Sheet>
  )
}

function ByPasskey(props: {
  readonly id: string
  readonly options: PublicKeyCredentialRequestOptionsJSON
  readonly onProved: (id: string) => void
  readonly onCode?: () => void
}): ReactNode {
  const { t } = useWords()
  const verb = useFocusFirst<HTMLButtonElement>()
  const [isBusy, setIsBusy] = useState(false)
  const [trouble, setTrouble] = useState<unknown>()
  const prove = async (): Promise<void> => {
    setIsBusy(true)
    setTrouble(undefined)
    try {
      const assertion = await answerPasskey(props.options)
      await call(`/v1/desk/step-up/${props.id}`, { body: { assertion } })
      props.onProved(props.id)
    } catch (error) {
      setIsBusy(false)
      if (!isGivenUp(error)) setTrouble(error)
    }
  }
  return (
    <>
      <p>{t('staff.prove-passkey-text')}</p>
      {trouble === undefined ? null : (
        <Trouble error={trouble} says={{ 'people/wrong-code': t('staff.passkey-refused') }} />
      )}
      <ButtonRow>
        <Button ref={verb} look="primary" icon="key" isBusy={isBusy} onClick={() => void prove()}>
          {t('staff.prove-with-passkey')}
        </Button>
        {props.onCode === undefined ? null : (
          <Button icon="phone" onClick={props.onCode}>
            {t('staff.prove-with-code')}
          </Button>
        )}
      </ButtonRow>
    </>
  )
}

function ByCode(props: {
  readonly id: string
  readonly onProved: (id: string) => void
  readonly onAgain: () => void
}): ReactNode {
  const { t } = useWords()
  const says = useCodeFaults()
  const input = useFocusFirst<HTMLInputElement>()
  const [code, setCode] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const { session } = useStaffSession()
  const isTyped = useRef(false)
  const fill = useCallback((found: string) => {
    if (!isTyped.current) setCode(found)
  }, [])
  const filled = useSampleCode(session?.staff.login, fill)
  const type = (typed: string): void => {
    isTyped.current = true
    setCode(typed)
  }
  const prove = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    if (!isWholeCode(code)) return setProblem(new Problem(422, { code: 'staff/wrong-code' }))
    setIsBusy(true)
    try {
      await call(`/v1/desk/step-up/${props.id}`, { body: { code } })
      props.onProved(props.id)
    } catch (error) {
      setProblem(error)
      setIsBusy(false)
    }
  }
  const fault = faultOf(problem, says)
  const isOver = problem instanceof Problem && problem.status === 410
  return (
    <form className={style.form} onSubmit={(event) => void prove(event)} noValidate>
      <CodeField ref={input} fault={fault} hint={t('staff.prove-code-hint')} value={code} onChange={type} />
      <SampleCodeWords filled={filled} />
      {problem !== undefined && fault === undefined ? <Trouble error={problem} /> : null}
      <ButtonRow>
        {isOver ? (
          <Button look="primary" icon="refresh" onClick={props.onAgain}>
            {t('staff.begin-again')}
          </Button>
        ) : (
          <Button type="submit" look="primary" isBusy={isBusy}>
            {t('staff.confirm')}
          </Button>
        )}
      </ButtonRow>
    </form>
  )
}

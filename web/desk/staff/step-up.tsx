import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/browser'
import { createContext, type FormEvent, type ReactNode, use, useCallback, useEffect, useRef, useState } from 'react'
import type { StepUpAct } from '../../../src/kernel/step-up-act.ts'
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
import { RecoveryField } from './recovery-field.tsx'
import { SampleCodeWords, useSampleCode } from './sample-code.tsx'
import style from './staff.module.css'

type DeskStepUpAct = Exclude<StepUpAct, 'consent.grant' | 'policy.save' | 'account.close'>
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

type Method = 'passkey' | 'code' | 'recovery'
type Asked = {
  readonly id: string
  readonly methods: readonly Method[]
  readonly passkey?: PublicKeyCredentialRequestOptionsJSON
}

function StepUpSheet({ act, subject, settle }: Asking): ReactNode {
  const { t } = useWords()
  const [asked, setAsked] = useState<Asked>()
  const [trouble, setTrouble] = useState<unknown>()
  const [chosen, setChosen] = useState<Method>()
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
      ) : (
        <Proof
          asked={asked}
          method={chosen ?? asked.methods[0]}
          onMethod={setChosen}
          onProved={settle}
          onAgain={() => void begin()}
        />
      )}
    </Sheet>
  )
}

/** One way to prove it, and the others that this person has. */
function Proof(props: {
  readonly asked: Asked
  readonly method: Method | undefined
  readonly onMethod: (method: Method) => void
  readonly onProved: (id: string) => void
  readonly onAgain: () => void
}): ReactNode {
  const { t } = useWords()
  const { asked, method, onMethod, onProved } = props
  const { id, methods, passkey } = asked
  if (method === undefined) return <p>{t('staff.prove-impossible')}</p>
  const names = {
    passkey: t('staff.prove-with-passkey'),
    code: t('staff.prove-with-code'),
    recovery: t('account.use-recovery'),
  }
  return (
    <>
      {method === 'passkey' && passkey !== undefined ? (
        <ByPasskey id={id} options={passkey} onProved={onProved} />
      ) : (
        <ByCode key={method} id={id} isRecovery={method === 'recovery'} onProved={onProved} onAgain={props.onAgain} />
      )}
      <ButtonRow>
        {methods
          .filter((each) => each !== method)
          .map((each) => (
            <Button key={each} look="quiet" onClick={() => onMethod(each)}>
              {names[each]}
            </Button>
          ))}
      </ButtonRow>
    </>
  )
}

function ByPasskey(props: {
  readonly id: string
  readonly options: PublicKeyCredentialRequestOptionsJSON
  readonly onProved: (id: string) => void
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
      </ButtonRow>
    </>
  )
}

function ByCode(props: {
  readonly id: string
  readonly isRecovery: boolean
  readonly onProved: (id: string) => void
  readonly onAgain: () => void
}): ReactNode {
  const { t } = useWords()
  const { isRecovery } = props
  const codeFaults = useCodeFaults()
  const wrong = t('account.wrong-recovery')
  const says = isRecovery ? { ...codeFaults, 'staff/wrong-code': wrong, 'people/wrong-code': wrong } : codeFaults
  const input = useFocusFirst<HTMLInputElement>()
  const [code, setCode] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const { session } = useStaffSession()
  const isTyped = useRef(false)
  const fill = useCallback((found: string) => {
    if (!isTyped.current) setCode(found)
  }, [])
  const filled = useSampleCode(isRecovery ? undefined : session?.staff.login, fill)
  const type = (typed: string): void => {
    isTyped.current = true
    setCode(typed)
  }
  const prove = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    if (isRecovery ? code.trim() === '' : !isWholeCode(code))
      return setProblem(new Problem(422, { code: 'staff/wrong-code' }))
    setIsBusy(true)
    try {
      await call(`/v1/desk/step-up/${props.id}`, { body: isRecovery ? { recovery: code } : { code } })
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
      {isRecovery ? (
        <RecoveryField ref={input} fault={fault} value={code} onChange={type} />
      ) : (
        <CodeField ref={input} fault={fault} hint={t('staff.prove-code-hint')} value={code} onChange={type} />
      )}
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

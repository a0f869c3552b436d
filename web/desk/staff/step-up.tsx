import { type FormEvent, type ReactNode, useCallback, useRef, useState } from 'react'
import { call, Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { type AskedStepUp, PasskeyWay, StepUpSheets } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useStaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { CodeField, isWholeCode } from './code-field.tsx'
import { faultOf, useCodeFaults } from './faults.ts'
import { useFocusFirst } from './focus.ts'
import { RecoveryField } from './recovery-field.tsx'
import { SampleCodeWords, useSampleCode } from './sample-code.tsx'
import style from './staff.module.css'

const PATH = '/v1/desk/step-up'
type Method = 'passkey' | 'code' | 'recovery'
type Asked = AskedStepUp & { readonly methods: readonly Method[] }

/** Where the staff prove anew that it is they: by passkey, by a code of the app, by a recovery code. */
export function StepUpProvider(props: { readonly children: ReactNode }): ReactNode {
  const { t } = useWords()
  return (
    <StepUpSheets<Asked>
      path={PATH}
      title={t('staff.prove-title')}
      preparing={t('staff.prove-preparing')}
      ways={(proving) => <Proof key={proving.asked.id} {...proving} />}
    >
      {props.children}
    </StepUpSheets>
  )
}

/** One way to prove it, and the others that this person has. */
function Proof(props: {
  readonly asked: Asked
  readonly onProved: (id: string) => void
  readonly onAgain: () => void
}): ReactNode {
  const { t } = useWords()
  const { asked, onProved } = props
  const [chosen, setChosen] = useState<Method>()
  const { id, methods, passkey } = asked
  const method = chosen ?? methods[0]
  const verb = useFocusFirst<HTMLButtonElement>(method === 'passkey')
  if (method === undefined) return <p>{t('staff.prove-impossible')}</p>
  const names = {
    passkey: t('staff.prove-with-passkey'),
    code: t('staff.prove-with-code'),
    recovery: t('account.use-recovery'),
  }
  return (
    <>
      {method === 'passkey' && passkey !== undefined ? (
        <PasskeyWay
          path={PATH}
          asked={{ id, passkey }}
          says={{
            text: t('staff.prove-passkey-text'),
            verb: t('staff.prove-with-passkey'),
            refused: t('staff.passkey-refused'),
          }}
          verb={verb}
          onProved={onProved}
        />
      ) : (
        <ByCode key={method} id={id} isRecovery={method === 'recovery'} onProved={onProved} onAgain={props.onAgain} />
      )}
      <ButtonRow>
        {methods
          .filter((each) => each !== method)
          .map((each) => (
            <Button key={each} look="quiet" onClick={() => setChosen(each)}>
              {names[each]}
            </Button>
          ))}
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
      await call(`${PATH}/${props.id}`, { body: isRecovery ? { recovery: code } : { code } })
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

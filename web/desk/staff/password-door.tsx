import { type FormEvent, type ReactNode, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/fields.tsx'
import { Banner } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import { faultOf } from './faults.ts'
import { useFocusFirst } from './focus.ts'
import type { Sample } from './sample-staff.tsx'
import { SecretField } from './secret-field.tsx'
import style from './staff.module.css'

/** Login and password; those of an invented person are filled in. A problem that belongs to no field goes to the page. */
export function PasswordDoor(props: {
  readonly sample: Sample | undefined
  readonly onTicket: (ticket: string, login: string) => void
  readonly onProblem: (problem: unknown) => void
}): ReactNode {
  const { t } = useWords()
  const { sample } = props
  const verb = useFocusFirst<HTMLButtonElement>(sample !== undefined)
  const [login, setLogin] = useState(sample?.login ?? '')
  const [password, setPassword] = useState(sample?.password ?? '')
  const [isBusy, setIsBusy] = useState(false)
  const [faults, setFaults] = useState<{ readonly login?: string; readonly password?: string }>({})
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    props.onProblem(undefined)
    if (login.trim() === '') return setFaults({ login: t('staff.login-missing') })
    if (password === '') return setFaults({ password: t('staff.password-missing') })
    setFaults({})
    setIsBusy(true)
    try {
      const { ticket } = await call<{ readonly ticket: string }>('/v1/desk/sign-in', { body: { login, password } })
      props.onTicket(ticket, login)
    } catch (error) {
      setIsBusy(false)
      const wrong = faultOf(error, { 'staff/bad-credentials': t('staff.bad-credentials') })
      if (wrong === undefined) props.onProblem(error)
      else setFaults({ password: wrong })
    }
  }
  return (
    <form className={style.form} onSubmit={(event) => void submit(event)} noValidate>
      <TextField
        label={t('staff.login')}
        {...(faults.login === undefined ? {} : { fault: faults.login })}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        dir="ltr"
        maxLength={100}
        value={login}
        onChange={(event) => setLogin(event.currentTarget.value)}
      />
      <SecretField
        label={t('staff.password')}
        {...(faults.password === undefined ? {} : { fault: faults.password })}
        name="password"
        autoComplete="current-password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      {sample === undefined ? null : (
        <Banner tone="calm">
          <p>{t('staff.sample-filled', { name: sample.name })}</p>
        </Banner>
      )}
      <Button ref={verb} type="submit" look="primary" isWide isBusy={isBusy}>
        {t('staff.continue')}
      </Button>
    </form>
  )
}

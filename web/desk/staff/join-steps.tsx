import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { passwordFault } from '../../../src/people/password-rules.ts'
import { call, Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { CodeField, isWholeCode } from './code-field.tsx'
import { faultOf, useCodeFaults, usePasswordFaults } from './faults.ts'
import { useFocusFirst } from './focus.ts'
import type { Invitation } from './model.ts'
import { SecretField } from './secret-field.tsx'
import { SecretPicture, type SharedSecret } from './secret-picture.tsx'
import style from './staff.module.css'

/** Choosing a password: the same rules as the server's, told while nothing is lost yet. */
export function PasswordStep(props: {
  readonly path: string
  readonly invitation: Invitation
  readonly first: string
  readonly onPassword: (password: string) => void
}): ReactNode {
  const { t } = useWords()
  const says = usePasswordFaults()
  const input = useFocusFirst<HTMLInputElement>()
  const [password, setPassword] = useState(props.first)
  const [fault, setFault] = useState<string>()
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    const { login, name, facility } = props.invitation
    const found = passwordFault(password, { login, name, facility: facility.name })
    setFault(found && says[found])
    setProblem(undefined)
    if (found !== undefined) return
    setIsBusy(true)
    try {
      await call(`${props.path}/password`, { body: { password } })
      props.onPassword(password)
    } catch (error) {
      const known = faultOf(error, says)
      setFault(known)
      if (known === undefined) setProblem(error)
      setIsBusy(false)
    }
  }
  return (
    <Page title={t('staff.join-password-title')}>
      {problem === undefined ? null : <Trouble error={problem} />}
      <form className={style.form} onSubmit={(event) => void submit(event)} noValidate>
        {/* Password managers keep the login with the password. */}
        <input type="text" name="username" autoComplete="username" value={props.invitation.login} readOnly hidden />
        <SecretField
          ref={input}
          label={t('staff.new-password')}
          hint={t('staff.password-hint')}
          {...(fault === undefined ? {} : { fault })}
          name="new-password"
          autoComplete="new-password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <ButtonRow>
          <Button type="submit" look="primary" isBusy={isBusy}>
            {t('staff.continue')}
          </Button>
        </ButtonRow>
      </form>
    </Page>
  )
}

/** The authenticator app gets the secret; its first code shows that it has it. */
export function AppStep(props: {
  readonly path: string
  readonly password: string
  readonly onIn: () => Promise<void>
  readonly onPassword: () => void
}): ReactNode {
  const { t } = useWords()
  const client = useQueryClient()
  const says = useCodeFaults()
  const passwordSays = usePasswordFaults()
  const [shared, setShared] = useState<SharedSecret>()
  const [code, setCode] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const isAsked = useRef(false)
  const { path } = props
  useEffect(() => {
    // Once: each secret makes the one before it worthless.
    if (isAsked.current) return
    isAsked.current = true
    call<SharedSecret>(`${path}/secret`, { method: 'POST' }).then(setShared, setProblem)
  }, [path])
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    if (!isWholeCode(code)) return setProblem(new Problem(422, { code: 'staff/wrong-code' }))
    setIsBusy(true)
    try {
      await call(path, { body: { password: props.password, code } })
      await props.onIn()
    } catch (error) {
      setIsBusy(false)
      setProblem(error)
      if (error instanceof Problem && error.status === 410) await client.invalidateQueries()
    }
  }
  const fault = faultOf(problem, says)
  return (
    <Page title={t('staff.join-app-title')}>
      <p>{t('staff.join-app-text')}</p>
      {problem === undefined || fault !== undefined ? null : <Trouble error={problem} says={passwordSays} />}
      {shared === undefined ? (
        problem === undefined && <Waiting>{t('staff.prove-preparing')}</Waiting>
      ) : (
        <form className={style.form} onSubmit={(event) => void submit(event)} noValidate>
          <SecretPicture shared={shared} />
          <CodeField fault={fault} hint={t('staff.join-code-hint')} value={code} onChange={setCode} />
          <ButtonRow>
            <Button type="submit" look="primary" isBusy={isBusy}>
              {t('staff.join')}
            </Button>
            <Button icon="back" onClick={props.onPassword}>
              {t('common.back')}
            </Button>
          </ButtonRow>
        </form>
      )}
    </Page>
  )
}

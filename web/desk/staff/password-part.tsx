import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { type PasswordOwner, passwordFault } from '../../../src/people/password-rules.ts'
import { call } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { TextField } from '../../ui/fields.tsx'
import { Part } from '../../ui/page.tsx'
import { Banner } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { faultOf, usePasswordFaults } from './faults.ts'
import style from './staff.module.css'

/** A new password for who knows the old one. */
export function PasswordPart(props: PasswordOwner): ReactNode {
  const { t } = useWords()
  const client = useQueryClient()
  const says = usePasswordFaults()
  const [password, setPassword] = useState('')
  const [newPassword, setNewPassword] = useState('')
  const [weak, setWeak] = useState<string>()
  const [state, setState] = useState<'typing' | 'busy' | 'changed'>('typing')
  const [problem, setProblem] = useState<unknown>()
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (state === 'busy') return
    const found = passwordFault(newPassword, props)
    setWeak(found && says[found])
    setProblem(undefined)
    if (found !== undefined) return
    setState('busy')
    try {
      await call('/v1/desk/me/password', { body: { password, newPassword } })
      setPassword('')
      setNewPassword('')
      setState('changed')
      await client.invalidateQueries()
    } catch (error) {
      setProblem(error)
      setState('typing')
    }
  }
  const wrong = faultOf(problem, { 'staff/wrong-password': t('staff.wrong-password') })
  const refused = weak ?? faultOf(problem, says)
  return (
    <Part title={t('staff.change-password')}>
      {state === 'changed' ? <Banner tone="live" title={t('staff.password-changed')} /> : null}
      {problem === undefined || wrong !== undefined || refused !== undefined ? null : <Trouble error={problem} />}
      <form className={style.form} onSubmit={(event) => void submit(event)} noValidate>
        <TextField
          label={t('staff.old-password')}
          {...(wrong === undefined ? {} : { fault: wrong })}
          name="password"
          type="password"
          autoComplete="current-password"
          dir="ltr"
          maxLength={400}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <TextField
          label={t('staff.new-password')}
          hint={t('staff.password-hint')}
          {...(refused === undefined ? {} : { fault: refused })}
          name="new-password"
          type="password"
          autoComplete="new-password"
          dir="ltr"
          maxLength={400}
          value={newPassword}
          onChange={(event) => setNewPassword(event.currentTarget.value)}
        />
        <p>{t('staff.change-password-text')}</p>
        <ButtonRow>
          <Button type="submit" isBusy={state === 'busy'}>
            {t('staff.change-password-now')}
          </Button>
        </ButtonRow>
      </form>
    </Part>
  )
}

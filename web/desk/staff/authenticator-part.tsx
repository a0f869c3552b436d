import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useState } from 'react'
import { call, Problem } from '../../ui/api.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Part } from '../../ui/page.tsx'
import { Banner } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { CodeField, isWholeCode } from './code-field.tsx'
import { faultOf, useCodeFaults } from './faults.ts'
import { SecretPicture, type SharedSecret } from './secret-picture.tsx'
import style from './staff.module.css'

/** A new phone: another authenticator app takes the place of the one before. */
export function AuthenticatorPart(props: { readonly staff: string }): ReactNode {
  const { t } = useWords()
  const prove = useStepUp()
  const client = useQueryClient()
  const [shared, setShared] = useState<SharedSecret>()
  const [isChanged, setIsChanged] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const begin = async (): Promise<void> => {
    setProblem(undefined)
    setIsChanged(false)
    try {
      const stepUp = await prove('authenticator.replace', props.staff)
      if (stepUp !== undefined) setShared(await call<SharedSecret>('/v1/desk/me/authenticator', { body: { stepUp } }))
    } catch (error) {
      setProblem(error)
    }
  }
  const onChanged = async (): Promise<void> => {
    setShared(undefined)
    setIsChanged(true)
    await client.invalidateQueries()
  }
  return (
    <Part title={t('account.authenticator')}>
      {isChanged ? <Banner tone="live" title={t('account.authenticator-changed')} /> : null}
      {problem === undefined ? null : <Trouble error={problem} />}
      {shared === undefined ? (
        <>
          <p>{t('account.authenticator-text')}</p>
          <ButtonRow>
            <Button icon="phone" onClick={() => void begin()}>
              {t('account.authenticator-new')}
            </Button>
          </ButtonRow>
        </>
      ) : (
        <NewApp shared={shared} onChanged={onChanged} onGivenUp={() => setShared(undefined)} />
      )}
    </Part>
  )
}

/** The new app gets the secret; its first code shows that it has it. */
function NewApp(props: {
  readonly shared: SharedSecret
  readonly onChanged: () => Promise<void>
  readonly onGivenUp: () => void
}): ReactNode {
  const { t } = useWords()
  const says = useCodeFaults()
  const [code, setCode] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (isBusy) return
    if (!isWholeCode(code)) return setProblem(new Problem(422, { code: 'staff/wrong-code' }))
    setIsBusy(true)
    try {
      await call('/v1/desk/me/authenticator/code', { body: { code } })
      await props.onChanged()
    } catch (error) {
      setProblem(error)
      setIsBusy(false)
    }
  }
  const fault = faultOf(problem, says)
  return (
    <form className={style.form} onSubmit={(event) => void submit(event)} noValidate>
      <p>{t('staff.join-app-text')}</p>
      <SecretPicture shared={props.shared} />
      <CodeField fault={fault} hint={t('staff.join-code-hint')} value={code} onChange={setCode} />
      {problem === undefined || fault !== undefined ? null : (
        <Trouble error={problem} says={{ 'staff/sign-in-over': t('staff.code-spent') }} />
      )}
      <ButtonRow>
        <Button type="submit" look="primary" isBusy={isBusy}>
          {t('account.authenticator-now')}
        </Button>
        <Button onClick={props.onGivenUp}>{t('common.cancel')}</Button>
      </ButtonRow>
    </form>
  )
}

import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { TextField, Tick } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { type AskedPasskey, answerPasskey, hasPasskeys, isGivenUp } from '../../ui/passkey.ts'
import { useCall } from '../../ui/query.tsx'
import { Banner } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useStaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { CodeStep } from './code-step.tsx'
import { faultOf } from './faults.ts'
import { type Sample, SampleStaff } from './sample-staff.tsx'
import style from './staff.module.css'

type Door = { readonly facility: { readonly name: string }; readonly sandbox: boolean }
type RequestOptions = Parameters<typeof answerPasskey>[0]

/** The door of the desk: login and password, then the code; or a passkey. */
export function SignInPage(props: { readonly wasSignedOut: boolean }): ReactNode {
  const { data: door } = useCall<Door>('/v1/desk/sign-in')
  const { renew } = useStaffSession()
  const client = useQueryClient()
  const onIn = async (): Promise<void> => {
    // What the person before her saw is not hers.
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
    await renew()
  }
  const [sample, setSample] = useState<Sample>()
  const [ticket, setTicket] = useState<string>()
  if (ticket !== undefined)
    return (
      <CodeStep
        ticket={ticket}
        {...(sample === undefined ? {} : { sample })}
        onIn={onIn}
        onAgain={() => setTicket(undefined)}
      />
    )
  return (
    <PasswordStep
      door={door}
      sample={sample}
      onSample={setSample}
      onTicket={setTicket}
      onIn={onIn}
      wasSignedOut={props.wasSignedOut}
    />
  )
}

function PasswordStep(props: {
  readonly door: Door | undefined
  readonly sample: Sample | undefined
  readonly onSample: (sample: Sample | undefined) => void
  readonly onTicket: (ticket: string) => void
  readonly onIn: () => Promise<void>
  readonly wasSignedOut: boolean
}): ReactNode {
  const { t } = useWords()
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const [isShown, setIsShown] = useState(false)
  const submitButton = useRef<HTMLButtonElement>(null)
  const [busy, setBusy] = useState<'password' | 'passkey'>()
  const [problem, setProblem] = useState<unknown>()
  const [missing, setMissing] = useState<'login' | 'password'>()
  const attempt = async (what: 'password' | 'passkey', work: () => Promise<void>): Promise<void> => {
    if (busy !== undefined) return
    setBusy(what)
    setProblem(undefined)
    try {
      await work()
    } catch (error) {
      if (!isGivenUp(error)) setProblem(error)
    } finally {
      setBusy(undefined)
    }
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const gap = login.trim() === '' ? 'login' : password === '' ? 'password' : undefined
    setMissing(gap)
    if (gap !== undefined) return
    if (login !== props.sample?.login) props.onSample(undefined)
    void attempt('password', async () => {
      const { ticket } = await call<{ readonly ticket: string }>('/v1/desk/sign-in', { body: { login, password } })
      props.onTicket(ticket)
    })
  }
  const withPasskey = (): Promise<void> =>
    attempt('passkey', async () => {
      const asked = await call<AskedPasskey<RequestOptions>>('/v1/desk/sign-in/passkey', { method: 'POST' })
      const assertion = await answerPasskey(asked.options)
      await call(`/v1/desk/sign-in/passkey/${asked.id}`, { body: { assertion } })
      await props.onIn()
    })
  const fault = faultOf(problem, { 'staff/bad-credentials': t('staff.bad-credentials') })
  return (
    <Page title={t('staff.sign-in-at', { facility: props.door?.facility.name ?? t('desk.name') })}>
      {props.wasSignedOut ? (
        <Banner tone="waiting" title={t('staff.signed-out')}>
          <p>{t('staff.signed-out-text')}</p>
        </Banner>
      ) : (
        <p>{t('staff.intro')}</p>
      )}
      {problem === undefined || fault !== undefined ? null : (
        <Trouble
          error={problem}
          says={{
            'staff/suspended': t('staff.suspended'),
            'people/passkey-refused': t('staff.passkey-refused'),
            'people/unknown-sign-in': t('staff.code-spent'),
          }}
        />
      )}
      <form className={style.form} onSubmit={submit} noValidate>
        <TextField
          label={t('staff.login')}
          {...(missing === 'login' ? { fault: t('staff.login-missing') } : {})}
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
        <TextField
          label={t('staff.password')}
          {...(missing === 'password' ? { fault: t('staff.password-missing') } : fault === undefined ? {} : { fault })}
          name="password"
          type={isShown ? 'text' : 'password'}
          autoComplete="current-password"
          dir="ltr"
          maxLength={400}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Tick
          label={t('staff.show-password')}
          checked={isShown}
          onChange={(event) => setIsShown(event.currentTarget.checked)}
        />
        {props.sample === undefined ? null : (
          <Banner tone="calm">
            <p>{t('staff.sample-filled', { name: props.sample.name })}</p>
          </Banner>
        )}
        <Button ref={submitButton} type="submit" look="primary" isWide isBusy={busy === 'password'}>
          {t('staff.continue')}
        </Button>
      </form>
      {hasPasskeys() ? (
        <>
          <p className={style.or}>{t('staff.or')}</p>
          <Button icon="key" isWide isBusy={busy === 'passkey'} onClick={() => void withPasskey()}>
            {t('staff.with-passkey')}
          </Button>
        </>
      ) : null}
      {props.door?.sandbox ? (
        <SampleStaff
          onChosen={(sample) => {
            props.onSample(sample)
            setLogin(sample.login)
            setPassword(sample.password)
            setMissing(undefined)
            setProblem(undefined)
            submitButton.current?.focus()
          }}
        />
      ) : null}
    </Page>
  )
}

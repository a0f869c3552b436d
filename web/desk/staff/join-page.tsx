import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { call } from '../../ui/api.ts'
import { Button, ButtonLink, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Facts, Page } from '../../ui/page.tsx'
import { type AskedPasskey, hasPasskeys, isGivenUp, makePasskey } from '../../ui/passkey.ts'
import { useCall } from '../../ui/query.tsx'
import { Banner, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useStaffSession } from '../session.ts'
import { useWords } from '../words.ts'
import { AppStep, PasswordStep } from './join-steps.tsx'
import type { Invitation } from './model.ts'
import { roleKey, roleTextKey } from './model.ts'
import style from './staff.module.css'

type Step = 'check' | 'how' | 'password' | 'app'

/** An invited person checks that it is she, chooses how she signs in, and is in: one question a page. */
export function JoinPage(props: { readonly code: string }): ReactNode {
  const { t } = useWords()
  const { session, renew } = useStaffSession()
  const [, go] = useLocation()
  const path = `/v1/desk/invitations/${encodeURIComponent(props.code)}`
  const { data: invitation, error } = useCall<Invitation>(path)
  const [step, setStep] = useState<Step>('check')
  const [password, setPassword] = useState('')
  const onIn = async (): Promise<void> => {
    await renew()
    go('/', { replace: true })
  }
  if (session !== undefined && session !== null)
    return (
      <Page title={t('staff.account')}>
        <Banner tone="waiting" title={t('staff.join-signed-in', { name: session.staff.name })} />
        <ButtonLink to="/account">{t('staff.account')}</ButtonLink>
      </Page>
    )
  if (error !== null) return <OverPage error={error} />
  if (invitation === undefined) return <Waiting>{t('common.loading')}</Waiting>
  if (step === 'check') return <CheckStep invitation={invitation} onYes={() => setStep('how')} />
  if (step === 'how') return <HowStep path={path} onPassword={() => setStep('password')} onIn={onIn} />
  if (step === 'password')
    return (
      <PasswordStep
        path={path}
        invitation={invitation}
        first={password}
        onPassword={(chosen) => {
          setPassword(chosen)
          setStep('app')
        }}
      />
    )
  return <AppStep path={path} password={password} onIn={onIn} onPassword={() => setStep('password')} />
}

function OverPage(props: { readonly error: { readonly status: number } }): ReactNode {
  const { t } = useWords()
  const { status } = props.error
  if (status !== 404 && status !== 410) return <Trouble error={props.error} />
  return (
    <Page title={t('staff.join-over')}>
      <p>{t('staff.join-over-text')}</p>
      <div>
        <ButtonLink to="/sign-in" look="primary">
          {t('staff.sign-in')}
        </ButtonLink>
      </div>
    </Page>
  )
}

function CheckStep(props: { readonly invitation: Invitation; readonly onYes: () => void }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const { name, login, role, registration, facility, expiresAt } = props.invitation
  return (
    <Page title={t('staff.join-title', { facility: facility.name })}>
      <h2>{t('staff.join-check')}</h2>
      <Facts
        rows={[
          [t('staff.name'), <bdi key="name">{name}</bdi>],
          [t('staff.login'), <bdi key="login">{login}</bdi>],
          [t('staff.role'), t(roleKey(role))],
          ...(registration === undefined
            ? []
            : [[t('staff.registration'), <bdi key="registration">{registration}</bdi>] as const]),
        ]}
      />
      <p>{t(roleTextKey(role))}</p>
      <p>{t('staff.join-until', { moment: dates.moment(expiresAt) })}</p>
      <ButtonRow>
        <Button look="primary" onClick={props.onYes}>
          {t('staff.join-yes')}
        </Button>
      </ButtonRow>
      <p>{t('staff.join-not-me')}</p>
    </Page>
  )
}

function HowStep(props: {
  readonly path: string
  readonly onPassword: () => void
  readonly onIn: () => Promise<void>
}): ReactNode {
  const { t } = useWords()
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  const withPasskey = async (): Promise<void> => {
    setIsBusy(true)
    setProblem(undefined)
    try {
      type Asked = AskedPasskey<Parameters<typeof makePasskey>[0]>
      const asked = await call<Asked>(`${props.path}/passkey`, { method: 'POST' })
      const attestation = await makePasskey(asked.options)
      await call(props.path, { body: { challenge: asked.id, name: t('staff.passkey-this'), attestation } })
      await props.onIn()
    } catch (error) {
      setIsBusy(false)
      if (!isGivenUp(error)) setProblem(error)
    }
  }
  return (
    <Page title={t('staff.join-how')}>
      {problem === undefined ? null : <Trouble error={problem} />}
      <div className={style.ways}>
        {hasPasskeys() ? (
          <div className={style.way}>
            <Button icon="key" isBusy={isBusy} onClick={() => void withPasskey()}>
              {t('staff.join-by-passkey')}
            </Button>
            <p>{t('staff.join-by-passkey-text')}</p>
          </div>
        ) : null}
        <div className={style.way}>
          <Button icon="phone" onClick={props.onPassword}>
            {t('staff.join-by-password')}
          </Button>
          <p>{t('staff.join-by-password-text')}</p>
        </div>
      </div>
    </Page>
  )
}

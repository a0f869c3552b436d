import { type FormEvent, type ReactNode, useState } from 'react'
import { call, Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { CodeStep, type Started } from './code-step.tsx'
import { personBefore } from './ended.ts'
import { useFinishSignIn } from './finish.ts'
import { openOffer } from './offer.ts'
import { hasPasskeys, isGivenUp, signInWithPasskey } from './passkey.ts'
import style from './signin.module.css'

export type Service = { readonly service: string; readonly suffix: string; readonly sandbox: boolean }

/** The door: ABHA address, then the code; or a passkey. Whoever was thrown out comes back to where she was. */
export function SignInPage(): ReactNode {
  const { data: service } = useCall<Service>('/v1/sign-in')
  const [address, setAddress] = useState(personBefore() ?? '')
  const [started, setStarted] = useState<Started>()
  const finish = useFinishSignIn()
  const start = async (): Promise<void> => {
    const answer = await call<{ readonly id: string; readonly againAfterS: number }>('/v1/sign-in', {
      body: { abhaAddress: wholeAddress(address, service?.suffix) },
    })
    setStarted({ id: answer.id, againAt: Date.now() + answer.againAfterS * 1000 })
  }
  if (started === undefined)
    return <AddressStep service={service} address={address} onAddress={setAddress} onStart={start} onIn={finish} />
  return (
    <CodeStep
      address={wholeAddress(address, service?.suffix)}
      started={started}
      isSandbox={service?.sandbox ?? false}
      onAgain={start}
      onOther={() => setStarted(undefined)}
      onIn={async (csrf) => {
        openOffer()
        await finish(csrf)
      }}
    />
  )
}

/** `asha.rao` is meant as `asha.rao@sbx`. */
function wholeAddress(typed: string, suffix: string | undefined): string {
  const address = typed.trim()
  return address.includes('@') || suffix === undefined ? address : `${address}@${suffix}`
}

function AddressStep(props: {
  readonly service: Service | undefined
  readonly address: string
  readonly onAddress: (address: string) => void
  readonly onStart: () => Promise<void>
  readonly onIn: (csrf: string) => Promise<void>
}): ReactNode {
  const { t } = useWords()
  const { service, address } = props
  const [busy, setBusy] = useState<'code' | 'passkey'>()
  const [fault, setFault] = useState<string>()
  const [trouble, setTrouble] = useState<unknown>()
  const attempt = async (what: 'code' | 'passkey', work: () => Promise<void>): Promise<void> => {
    if (busy !== undefined) return
    setBusy(what)
    setFault(undefined)
    setTrouble(undefined)
    try {
      await work()
    } catch (error) {
      if (error instanceof Problem && error.field === 'abhaAddress') setFault(t('signin.not-an-address'))
      else if (!isGivenUp(error)) setTrouble(error)
    }
    setBusy(undefined)
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (address.trim() === '') setFault(t('signin.address-missing'))
    else void attempt('code', props.onStart)
  }
  return (
    <Page title={t('signin.title')} {...(service === undefined ? {} : { above: service.service })}>
      {personBefore() === undefined ? (
        <p>{t('signin.intro')}</p>
      ) : (
        <Banner tone="calm" title={t('signin.session-ended')}>
          <p>{t('signin.session-ended-text')}</p>
        </Banner>
      )}
      {trouble === undefined ? null : (
        <Trouble error={trouble} says={{ 'people/passkey-refused': t('signin.passkey-refused') }} />
      )}
      <form className={style.form} onSubmit={submit} noValidate>
        <div className={style.address}>
          <TextField
            label={t('signin.address')}
            hint={t('signin.address-hint', { example: `asha.rao@${service?.suffix ?? 'sbx'}` })}
            {...(fault === undefined ? {} : { fault })}
            name="username"
            type="text"
            inputMode="email"
            autoComplete="username webauthn"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            dir="ltr"
            maxLength={100}
            value={address}
            onChange={(event) => props.onAddress(event.currentTarget.value)}
          />
        </div>
        <Button type="submit" look="primary" icon="phone" isWide isBusy={busy === 'code'}>
          {t('signin.send-code')}
        </Button>
      </form>
      {hasPasskeys() ? (
        <>
          <p className={style.or}>{t('signin.or')}</p>
          <Button
            icon="key"
            isWide
            isBusy={busy === 'passkey'}
            onClick={() => void attempt('passkey', async () => props.onIn((await signInWithPasskey()).csrf))}
          >
            {t('signin.with-passkey')}
          </Button>
        </>
      ) : null}
    </Page>
  )
}

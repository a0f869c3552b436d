import { type FormEvent, type ReactNode, useState } from 'react'
import { Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { hasPasskeys } from '../../ui/passkey.ts'
import { Banner } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { useAttempt } from './attempt.ts'
import { personBefore } from './ended.ts'
import { signInWithPasskey } from './passkey.ts'
import type { Service } from './service.ts'
import style from './signin.module.css'

type Props = {
  readonly service: Service | undefined
  readonly address: string
  readonly onAddress: (address: string) => void
  readonly onStart: () => Promise<void>
  readonly onIn: (csrf: string) => Promise<void>
}

/** Who is there: the ABHA address for a code, or a passkey, which needs no address. */
export function AddressStep(props: Props): ReactNode {
  const { t } = useWords()
  const code = useAttempt()
  const passkey = useAttempt()
  const isWrongAddress = code.problem instanceof Problem && code.problem.field === 'abhaAddress'
  const trouble = passkey.problem ?? (isWrongAddress ? undefined : code.problem)
  return (
    <Page title={t('signin.title')} {...(props.service === undefined ? {} : { above: props.service.service })}>
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
      <AddressForm
        {...props}
        isBusy={code.isBusy}
        fault={isWrongAddress ? t('signin.not-an-address') : undefined}
        onSubmit={() => void code.attempt(props.onStart)}
      />
      {hasPasskeys() ? (
        <>
          <p className={style.or}>{t('signin.or')}</p>
          <Button
            icon="key"
            isWide
            isBusy={passkey.isBusy}
            onClick={() => void passkey.attempt(async () => props.onIn((await signInWithPasskey()).csrf))}
          >
            {t('signin.with-passkey')}
          </Button>
        </>
      ) : null}
    </Page>
  )
}

function AddressForm(
  props: Props & {
    readonly isBusy: boolean
    readonly fault: string | undefined
    readonly onSubmit: () => void
  },
): ReactNode {
  const { t } = useWords()
  const { service, address } = props
  const [isEmpty, setIsEmpty] = useState(false)
  const fault = isEmpty ? t('signin.address-missing') : props.fault
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const missing = address.trim() === ''
    setIsEmpty(missing)
    if (!missing) props.onSubmit()
  }
  return (
    <form className={style.form} onSubmit={submit} noValidate>
      <div className={style.address}>
        <TextField
          label={t('signin.address')}
          hint={t('signin.address-hint', { example: `asha.rao@${service?.suffix ?? 'sbx'}` })}
          {...(fault === undefined ? {} : { fault })}
          name="username"
          inputMode="email"
          autoComplete="username"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          dir="ltr"
          maxLength={100}
          value={address}
          onChange={(event) => props.onAddress(event.currentTarget.value)}
        />
      </div>
      <Button type="submit" look="primary" icon="phone" isWide isBusy={props.isBusy}>
        {t('signin.send-code')}
      </Button>
    </form>
  )
}

import { type ReactNode, useEffect, useState } from 'react'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { Page } from '../../ui/page.tsx'
import { isGivenUp } from '../../ui/passkey.ts'
import { Trouble } from '../../ui/trouble.tsx'
import { usePatientSession } from '../session.ts'
import { useWords } from '../words.ts'
import { deviceName } from './device.ts'
import { closeOffer } from './offer.ts'
import { addPasskey, useOwnAuthenticator } from './passkey.ts'

/** After a sign-in by code, on a device that can keep a passkey: next time without a code. */
export function PasskeyOffer(): ReactNode {
  const { t } = useWords()
  const { session, renew } = usePatientSession()
  const canKeep = useOwnAuthenticator()
  const isNeeded = session?.passkeys === 0
  const [isAsked, setIsAsked] = useState(false)
  const [isBusy, setIsBusy] = useState(false)
  const [trouble, setTrouble] = useState<unknown>()
  useEffect(() => {
    // The device answers within a moment whether it can; if not, there is nothing to offer.
    const timer = setTimeout(() => setIsAsked(true), 400)
    return () => clearTimeout(timer)
  }, [])
  const isUseless = !isNeeded || (isAsked && !canKeep)
  useEffect(() => {
    if (isUseless) closeOffer(false)
  }, [isUseless])
  if (isUseless || !canKeep) return null
  const add = async (): Promise<void> => {
    setIsBusy(true)
    setTrouble(undefined)
    try {
      await addPasskey(deviceName(navigator.userAgent) ?? t('signin.this-device'), undefined)
      closeOffer(false)
      await renew()
    } catch (error) {
      if (!isGivenUp(error)) setTrouble(error)
      setIsBusy(false)
    }
  }
  return (
    <Page title={t('signin.offer-title')}>
      <p>{t('signin.offer-text')}</p>
      <p>{t('signin.offer-shared')}</p>
      {trouble === undefined ? null : <Trouble error={trouble} />}
      <ButtonRow>
        <Button look="primary" icon="key" isBusy={isBusy} onClick={() => void add()}>
          {t('signin.offer-add')}
        </Button>
        <Button onClick={() => closeOffer(true)}>{t('signin.offer-not')}</Button>
      </ButtonRow>
    </Page>
  )
}

import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser'
import { useEffect, useState } from 'react'
import { call } from '../../ui/api.ts'
import { type AskedPasskey, answerPasskey, hasPasskeys, makePasskey } from '../../ui/passkey.ts'

/** Whether this device itself can keep a passkey (fingerprint, face, PIN). */
export function useOwnAuthenticator(): boolean {
  const [has, setHas] = useState(false)
  useEffect(() => {
    if (!hasPasskeys()) return
    void PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable()
      .then(setHas)
      .catch(() => setHas(false))
  }, [])
  return has
}

export async function signInWithPasskey(): Promise<{ readonly csrf: string }> {
  const asked = await call<AskedPasskey<PublicKeyCredentialRequestOptionsJSON>>('/v1/sign-in/passkey', {
    method: 'POST',
  })
  const assertion = await answerPasskey(asked.options)
  return call(`/v1/sign-in/passkey/${asked.id}`, { body: { assertion } })
}

/** Makes a passkey on this device and keeps it with the account. */
export async function addPasskey(name: string, stepUp: string | undefined): Promise<void> {
  const body = stepUp === undefined ? {} : { stepUp }
  const asked = await call<AskedPasskey<PublicKeyCredentialCreationOptionsJSON>>('/v1/me/passkeys/options', { body })
  const attestation = await makePasskey(asked.options)
  await call('/v1/me/passkeys', { body: { challenge: asked.id, name, attestation } })
}

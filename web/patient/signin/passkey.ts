import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser'
import { useEffect, useState } from 'react'
import { call } from '../../ui/api.ts'

const ADDRESS = /^(\d+(\.\d+){3}|\[.*\])$/

/** Whether passkeys work on this page at all: the browser has them, and it was opened by name. */
export function hasPasskeys(): boolean {
  return 'PublicKeyCredential' in window && window.isSecureContext && !ADDRESS.test(location.hostname)
}

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

/** The person closed the browser's dialog, or took too long: no fault, she decides what next. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NotAllowedError' || error.name === 'AbortError')
}

/** This device keeps a passkey of the account already. */
export function isThereAlready(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidStateError'
}

type Asked<Options> = { readonly id: string; readonly options: Options }

export async function signInWithPasskey(): Promise<{ readonly csrf: string }> {
  const asked = await call<Asked<PublicKeyCredentialRequestOptionsJSON>>('/v1/sign-in/passkey', { method: 'POST' })
  const assertion = await answerPasskey(asked.options)
  return call(`/v1/sign-in/passkey/${asked.id}`, { body: { assertion } })
}

/** Asks the person's passkey. The library is loaded with the first use. */
export async function answerPasskey(options: PublicKeyCredentialRequestOptionsJSON): Promise<object> {
  const { startAuthentication } = await import('@simplewebauthn/browser')
  return startAuthentication({ optionsJSON: options })
}

/** Makes a passkey on this device and keeps it with the account. */
export async function addPasskey(name: string, stepUp: string | undefined): Promise<void> {
  const body = stepUp === undefined ? {} : { stepUp }
  const asked = await call<Asked<PublicKeyCredentialCreationOptionsJSON>>('/v1/me/passkeys/options', { body })
  const { startRegistration } = await import('@simplewebauthn/browser')
  const attestation = await startRegistration({ optionsJSON: asked.options })
  await call('/v1/me/passkeys', { body: { challenge: asked.id, name, attestation } })
}

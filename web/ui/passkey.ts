import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser'

const ADDRESS = /^(\d+(\.\d+){3}|\[.*\])$/

/** What the server answers when a passkey is asked for or made. */
export type AskedPasskey<Options> = { readonly id: string; readonly options: Options }

/** Whether passkeys work on this page at all: the browser has them, and it was opened by name. */
export function hasPasskeys(): boolean {
  return 'PublicKeyCredential' in window && window.isSecureContext && !ADDRESS.test(location.hostname)
}

/** The person closed the browser's dialog, or took too long: no fault, she decides what next. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NotAllowedError' || error.name === 'AbortError')
}

/** This device keeps a passkey of the account already. */
export function isThereAlready(error: unknown): boolean {
  return error instanceof Error && error.name === 'InvalidStateError'
}

/** Asks the person's passkey. The library is loaded with the first use. */
export async function answerPasskey(options: PublicKeyCredentialRequestOptionsJSON): Promise<object> {
  const { startAuthentication } = await import('@simplewebauthn/browser')
  return startAuthentication({ optionsJSON: options })
}

/** Makes a passkey on this device. */
export async function makePasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<object> {
  const { startRegistration } = await import('@simplewebauthn/browser')
  return startRegistration({ optionsJSON: options })
}

import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { z } from 'zod'
import { parseAbhaAddress } from '../kernel/id.ts'
import { STEP_UP_ACTS } from '../kernel/step-up-act.ts'
import { LANGUAGES, type Language } from '../notices/languages.ts'

const BYTES_CHARS_MAX = 16_384
const bytes = z.string().max(BYTES_CHARS_MAX)
const code = z.string().min(1).max(20)

export const signInStart = z
  .object({
    abhaAddress: z.string().transform((text, ctx) => {
      const address = parseAbhaAddress(text)
      if (address === undefined)
        ctx.addIssue({ code: 'custom', message: 'must be an ABHA address such as asha.rao@sbx' })
      return address as NonNullable<typeof address>
    }),
  })
  .meta({ id: 'SignInStart' })

export const signInCode = z.object({ code }).meta({ id: 'SignInCode' })

/** `PublicKeyCredential.toJSON()` of a sign-in (WebAuthn §5.1.8); what it means is checked by its signature, not here. */
export const assertion = z
  .object({
    id: bytes,
    rawId: bytes,
    type: z.literal('public-key'),
    response: z.object({
      clientDataJSON: bytes,
      authenticatorData: bytes,
      signature: bytes,
      userHandle: bytes.nullish(),
    }),
    clientExtensionResults: z.looseObject({}).optional(),
  })
  .transform(
    ({ response: { userHandle, ...response }, ...rest }): AuthenticationResponseJSON => ({
      ...rest,
      response: { ...response, ...(userHandle === null || userHandle === undefined ? {} : { userHandle }) },
      clientExtensionResults: {},
    }),
  )

export const passkeySignIn = z.object({ assertion }).meta({ id: 'PasskeySignIn' })

const attestation = z
  .object({
    id: bytes,
    rawId: bytes,
    type: z.literal('public-key'),
    response: z.object({
      clientDataJSON: bytes,
      attestationObject: bytes,
      transports: z.array(z.string().max(20)).max(10).optional(),
    }),
    clientExtensionResults: z.looseObject({}).optional(),
  })
  .transform(
    ({ response: { transports, ...response }, ...rest }): RegistrationResponseJSON => ({
      ...rest,
      response: {
        ...response,
        ...(transports === undefined
          ? {}
          : { transports: transports as NonNullable<RegistrationResponseJSON['response']['transports']> }),
      },
      clientExtensionResults: {},
    }),
  )

const passkeyName = z.string().trim().min(1).max(60)
export const passkeyOptions = z.object({ stepUp: z.string().max(60).optional() }).meta({ id: 'PasskeyOptions' })
export const passkeyNew = z
  .object({ challenge: z.string().max(60), name: passkeyName, attestation })
  .meta({ id: 'PasskeyNew' })
export const passkeyRename = z.object({ name: passkeyName }).meta({ id: 'PasskeyRename' })

export const stepUpStart = z
  .object({ act: z.enum(STEP_UP_ACTS), subject: z.string().min(1).max(255) })
  .meta({ id: 'StepUpStart' })
export const stepUpProof = z
  .union([z.object({ code }), z.object({ assertion })], 'must hold a code or an assertion')
  .meta({ id: 'StepUpProof' })

export const languageChoice = z
  .object({ language: z.enum(Object.keys(LANGUAGES) as Language[]) })
  .meta({ id: 'LanguageChoice' })

import { type Route, route } from '../http/route.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal } from '../kernel/refusal.ts'
import { type PasskeyPlace, passkeyPlaceOf, startPasskeySignIn } from '../people/passkey-commands.ts'
import { signInWithPasskey } from '../people/patient-proofs.ts'
import { type SignInNeeds, signInWithCode, startSignIn } from '../people/sign-in-commands.ts'
import { makeSourceThrottle } from '../people/source-throttle.ts'
import { refuseElsewhere, signedIn } from './door.ts'
import { passkeySignIn, signInCode, signInStart } from './me-sign-in-messages.ts'

const atTheDoor = { dialect: 'native', auth: 'none', once: false } as const
export type DoorNeeds = SignInNeeds & { readonly exchange: { readonly id: string }; readonly sandbox: boolean }

type Headers = Readonly<Record<string, string | undefined>>

/** Signing in to the patient app: with a code by text message, or with a passkey. */
export function meSignInRoutes(needs: DoorNeeds): readonly Route[] {
  return [aboutRoute(needs), ...codeRoutes(needs), ...passkeyRoutes(needs)]
}

function aboutRoute(needs: DoorNeeds): Route {
  return route({
    ...atTheDoor,
    method: 'GET',
    path: '/v1/sign-in',
    summary: 'What the sign-in page of the patient app says: whose it is, and how ABHA addresses of it end',
    answers: { 200: { description: 'The service' } },
    handle: async () => ({
      status: 200,
      body: {
        service: needs.exchange.name,
        suffix: needs.exchange.id,
        sandbox: needs.sandbox,
        origins: needs.web.origins,
      },
    }),
  })
}

function codeRoutes(needs: DoorNeeds): readonly Route[] {
  // Beside the limits of each address and of all: one place does not walk through addresses, nor guess at their codes.
  const asked = makeSourceThrottle({ free: LIMITS.sourceAsksFree, waitMsMax: LIMITS.sourceAskWaitMsMax })
  const guessed = makeSourceThrottle({ free: LIMITS.sourceGuessesFree, waitMsMax: LIMITS.sourceWaitMsMax })
  return [
    route({
      ...atTheDoor,
      method: 'POST',
      path: '/v1/sign-in',
      summary: 'Asks for a code to sign in; the answer is the same whether the address has an account or not',
      body: signInStart,
      answers: {
        202: { description: 'Where there is an account, a code is on its way' },
        429: { description: 'Too many' },
      },
      handle: async ({ tx, body, headers, source }) => {
        const slowed = refuseElsewhere(needs.web, headers) ?? asked.mayTry(tx.now, source)
        if (slowed) return slowed
        asked.count(tx.now, source)
        const started = await startSignIn(tx, needs, { abhaAddress: body.abhaAddress, from: source })
        return isRefusal(started) ? started : { status: 202, body: started }
      },
    }),
    route({
      ...atTheDoor,
      method: 'POST',
      path: '/v1/sign-in/:id',
      summary: 'Signs in with the code: sets the cookie of a session',
      body: signInCode,
      answers: {
        200: { description: 'Signed in' },
        410: { description: 'Expired or spent' },
        422: { description: 'Wrong' },
      },
      handle: async ({ tx, body, headers, params, source }) => {
        const fault = refuseElsewhere(needs.web, headers) ?? guessed.mayTry(tx.now, source)
        if (fault) return fault
        const given = { id: params['id'] ?? '', code: body.code, userAgent: headers['user-agent'] }
        const opened = await signInWithCode(tx, needs, given)
        if (isRefusal(opened)) guessed.count(tx.now, source)
        return signedIn(opened)
      },
    }),
  ]
}

function passkeyRoutes(needs: DoorNeeds): readonly Route[] {
  const at = (headers: Headers): PasskeyPlace | Refusal => passkeyPlaceOf(needs.web, headers)
  return [
    route({
      ...atTheDoor,
      method: 'POST',
      path: '/v1/sign-in/passkey',
      summary: 'Starts a sign-in with a passkey; no address is typed',
      answers: {
        200: { description: 'Options for the browser' },
        409: { description: 'Passkeys do not work on this page' },
      },
      handle: async ({ tx, headers }) => {
        const place = at(headers)
        return isRefusal(place) ? place : { status: 200, body: await startPasskeySignIn(tx, needs, place) }
      },
    }),
    route({
      ...atTheDoor,
      method: 'POST',
      path: '/v1/sign-in/passkey/:id',
      summary: 'Signs in with what the passkey signed: sets the cookie of a session',
      body: passkeySignIn,
      answers: { 200: { description: 'Signed in' }, 422: { description: 'This passkey lets nobody in' } },
      handle: async ({ tx, body, headers, params }) => {
        const place = at(headers)
        if (isRefusal(place)) return place
        const given = { id: params['id'] ?? '', assertion: body.assertion, userAgent: headers['user-agent'] }
        return signedIn(await signInWithPasskey(tx, needs, place, given))
      },
    }),
  ]
}

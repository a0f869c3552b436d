import { type Route, route } from '../http/route.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { passkeyPlaceOf, startPasskeySignIn } from '../people/passkey-commands.ts'
import {
  checkInvitedPassword,
  joinAndSignIn,
  joinByPasskey,
  readInvitation,
  shareInvitationSecret,
  startInvitedPasskey,
} from '../people/staff-invitation.ts'
import { signInStaffWithPasskey } from '../people/staff-proofs.ts'
import { beginSignIn, type DeskNeeds, finishSignIn } from '../people/staff-sign-in.ts'
import type { DeskSsoNeeds } from './desk-sso-routes.ts'
import { codeInput, invitedPassword, joinInput, passwordInput } from './desk-staff-messages.ts'
import { refuseElsewhere, signedIn } from './door.ts'
import { passkeySignIn } from './me-sign-in-messages.ts'
import { drawQrCode } from './qr-code.ts'

export type DeskDoorNeeds = DeskSsoNeeds & { readonly sandbox: boolean }

const atTheDoor = { dialect: 'native', auth: 'none', once: false } as const

/** Signing in at the desk with a password and a code or with a passkey, and joining the staff with an invitation. */
export function deskSignInRoutes(needs: DeskDoorNeeds): readonly Route[] {
  return [
    aboutRoute(needs),
    ...signInRoutes(needs),
    ...passkeyRoutes(needs),
    ...invitationRoutes(needs),
    ...joinRoutes(needs),
  ]
}

function aboutRoute(needs: DeskDoorNeeds): Route {
  return route({
    ...atTheDoor,
    method: 'GET',
    path: '/v1/desk/sign-in',
    summary: 'What the sign-in page of the desk says: which facility, and whether it is a sandbox with invented staff',
    answers: { 200: { description: 'The facility' } },
    handle: async () => ({
      status: 200,
      body: {
        facility: { id: needs.facility.id, name: needs.facility.name },
        sandbox: needs.sandbox,
        ...(needs.sso === undefined ? {} : { sso: { name: needs.sso.settings.name } }),
        origins: needs.web.origins,
      },
    }),
  })
}

function signInRoutes(needs: DeskNeeds): readonly Route[] {
  return [
    route({
      ...atTheDoor,
      method: 'POST',
      path: '/v1/desk/sign-in',
      summary: 'Sign in, first step: login and password; answers a ticket for the second factor',
      body: passwordInput,
      answers: {
        200: { description: 'The ticket' },
        401: { description: 'The login or the password is wrong' },
        429: { description: 'Wait as long as Retry-After says' },
      },
      handle: async ({ tx, body, headers, source }) => {
        const begun = refuseElsewhere(needs.web, headers) ?? (await beginSignIn(tx, needs, { ...body, source }))
        return isRefusal(begun) ? begun : { status: 200, body: begun }
      },
    }),
    route({
      ...atTheDoor,
      method: 'POST',
      path: '/v1/desk/sign-in/code',
      summary: 'Sign in, second step: the code of the authenticator app; sets the cookie of the session',
      body: codeInput,
      answers: {
        200: { description: 'Signed in' },
        422: { description: 'The code is wrong, or was used already' },
        410: { description: 'The ticket is over; begin again' },
        429: { description: 'Wait as long as Retry-After says' },
      },
      handle: async ({ tx, body, headers, source }) => {
        const foreign = refuseElsewhere(needs.web, headers)
        if (foreign) return foreign
        return signedIn(await finishSignIn(tx, needs, { ...body, userAgent: headers['user-agent'], source }))
      },
    }),
  ]
}

function passkeyRoutes(needs: DeskNeeds): readonly Route[] {
  return [
    route({
      ...atTheDoor,
      method: 'POST',
      path: '/v1/desk/sign-in/passkey',
      summary: 'Starts a sign-in with a passkey; no login is typed',
      answers: {
        200: { description: 'Options for the browser' },
        409: { description: 'Passkeys do not work on this page' },
      },
      handle: async ({ tx, headers }) => {
        const place = passkeyPlaceOf(needs.web, headers)
        return isRefusal(place) ? place : { status: 200, body: await startPasskeySignIn(tx, needs, place) }
      },
    }),
    route({
      ...atTheDoor,
      method: 'POST',
      path: '/v1/desk/sign-in/passkey/:id',
      summary: 'Signs in with what the passkey signed; sets the cookie of the session',
      body: passkeySignIn,
      answers: { 200: { description: 'Signed in' }, 422: { description: 'This passkey lets nobody in' } },
      handle: async ({ tx, body, headers, params }) => {
        const place = passkeyPlaceOf(needs.web, headers)
        if (isRefusal(place)) return place
        const given = { id: params['id'] ?? '', assertion: body.assertion, userAgent: headers['user-agent'] }
        return signedIn(await signInStaffWithPasskey(tx, needs, place, given))
      },
    }),
  ]
}

const over = { 404: { description: 'No such invitation' }, 410: { description: 'Used, replaced or expired' } }
const path = '/v1/desk/invitations/:code'

function invitationRoutes(needs: DeskNeeds): readonly Route[] {
  return [
    route({
      ...atTheDoor,
      method: 'GET',
      path,
      secretPath: true,
      summary: 'Who is invited, as what and until when',
      answers: { 200: { description: 'The invitation' }, ...over },
      handle: async ({ tx, params }) => {
        const found = await readInvitation(tx, params['code'] ?? '')
        if (isRefusal(found)) return found
        const { login, name, role, registration, expiresAt } = found
        return { status: 200, body: { login, name, role, registration, expiresAt, facility: needs.facility } }
      },
    }),
    route({
      ...atTheDoor,
      method: 'POST',
      path: `${path}/password`,
      secretPath: true,
      summary: 'Whether the invited person may take this password; nothing is set yet',
      body: invitedPassword,
      answers: { 204: { description: 'She may' }, 422: { description: 'It is easy to guess, or known' }, ...over },
      handle: async ({ tx, params, body, headers }) =>
        refuseElsewhere(needs.web, headers) ??
        (await checkInvitedPassword(tx, needs, { invitation: params['code'] ?? '', ...body })) ?? { status: 204 },
    }),
    route({
      ...atTheDoor,
      method: 'POST',
      path: `${path}/secret`,
      secretPath: true,
      summary: 'A secret for the authenticator app, as a QR code and as text; the one before is worth nothing',
      answers: { 201: { description: 'The secret' }, ...over },
      handle: async ({ tx, params, headers }) => {
        const foreign = refuseElsewhere(needs.web, headers)
        if (foreign) return foreign
        const shared = await shareInvitationSecret(tx, needs, params['code'] ?? '')
        if (isRefusal(shared)) return shared
        return { status: 201, body: { secret: shared.text, uri: shared.uri, qr: await drawQrCode(shared.uri) } }
      },
    }),
    route({
      ...atTheDoor,
      method: 'POST',
      path: `${path}/passkey`,
      secretPath: true,
      summary: 'Starts a passkey for who would rather have no password',
      answers: { 200: { description: 'Options for the browser' }, ...over },
      handle: async ({ tx, params, headers }) => {
        const place = passkeyPlaceOf(needs.web, headers)
        const started = isRefusal(place) ? place : await startInvitedPasskey(tx, needs, place, params['code'] ?? '')
        return isRefusal(started) ? started : { status: 200, body: started }
      },
    }),
  ]
}

function joinRoutes(needs: DeskNeeds): readonly Route[] {
  return [
    route({
      ...atTheDoor,
      method: 'POST',
      path,
      secretPath: true,
      summary:
        'Join: a password and the first code of the authenticator app, or the passkey that was made; sets the cookie of the session',
      body: joinInput,
      answers: {
        200: { description: 'Joined and signed in' },
        422: { description: 'The code is wrong, the password easy to guess, or the passkey cannot be checked' },
        ...over,
      },
      handle: async ({ tx, params, body, headers }) => {
        const foreign = refuseElsewhere(needs.web, headers)
        if (foreign) return foreign
        const common = { invitation: params['code'] ?? '', userAgent: headers['user-agent'] }
        if ('password' in body) return signedIn(await joinAndSignIn(tx, needs, { ...common, ...body }))
        const place = passkeyPlaceOf(needs.web, headers)
        if (isRefusal(place)) return place
        const { challenge, name, attestation } = body
        const passkey = { id: challenge, name, attestation }
        return signedIn(await joinByPasskey(tx, needs, place, { ...common, passkey }))
      },
    }),
  ]
}

import { toString as drawSvg } from 'qrcode'
import { type Answer, type Route, route } from '../http/route.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { OpenedSession, WebNeeds } from '../people/session-commands.ts'
import { joinAndSignIn, readInvitation, shareInvitationSecret } from '../people/staff-invitation.ts'
import { beginSignIn, type DeskNeeds, finishSignIn } from '../people/staff-sign-in.ts'
import { codeInput, joinInput, passwordInput } from './desk-staff-messages.ts'

const atTheDoor = { dialect: 'native', auth: 'none', once: false } as const

/** What a browser gets that has signed in. */
function signedIn(opened: OpenedSession | Refusal): Answer | Refusal {
  if (isRefusal(opened)) return opened
  return {
    status: 200,
    headers: { 'set-cookie': opened.cookie },
    body: { csrf: opened.csrf, expiresAt: opened.expiresAt },
  }
}

/** A page elsewhere may not sign anybody in; programs, which send no Origin, may. */
function elsewhere(web: WebNeeds, headers: Readonly<Record<string, string | undefined>>): Refusal | undefined {
  const { origin } = headers
  return origin === undefined || web.origins.includes(origin)
    ? undefined
    : refuse('auth/cross-site', 'The call does not come from a page of ours.', 'Origin')
}

/** Signing in at the desk with a password and a code, and joining the staff with an invitation. */
export function deskSignInRoutes(needs: DeskNeeds): readonly Route[] {
  return [...signInRoutes(needs), ...invitationRoutes(needs)]
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
      handle: async ({ tx, body, headers }) => {
        const begun = elsewhere(needs.web, headers) ?? (await beginSignIn(tx, needs, body))
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
        401: { description: 'The code is wrong, or was used already' },
        410: { description: 'The ticket is over; begin again' },
        429: { description: 'Wait as long as Retry-After says' },
      },
      handle: async ({ tx, body, headers }) => {
        const foreign = elsewhere(needs.web, headers)
        if (foreign) return foreign
        return signedIn(await finishSignIn(tx, needs, { ...body, userAgent: headers['user-agent'] }))
      },
    }),
  ]
}

function invitationRoutes(needs: DeskNeeds): readonly Route[] {
  const over = { 404: { description: 'No such invitation' }, 410: { description: 'Used, replaced or expired' } }
  const path = '/v1/desk/invitations/:code'
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
      path: `${path}/secret`,
      secretPath: true,
      summary: 'A secret for the authenticator app, as a QR code and as text; the one before is worth nothing',
      answers: { 201: { description: 'The secret' }, ...over },
      handle: async ({ tx, params, headers }) => {
        const foreign = elsewhere(needs.web, headers)
        if (foreign) return foreign
        const shared = await shareInvitationSecret(tx, needs, params['code'] ?? '')
        if (isRefusal(shared)) return shared
        return { status: 201, body: { secret: shared.text, uri: shared.uri, qr: await drawQrCode(shared.uri) } }
      },
    }),
    route({
      ...atTheDoor,
      method: 'POST',
      path,
      secretPath: true,
      summary:
        'Join: set a password and confirm the authenticator app with its first code; sets the cookie of the session',
      body: joinInput,
      answers: {
        200: { description: 'Joined and signed in' },
        401: { description: 'The code is wrong' },
        422: { description: 'The password is easy to guess' },
        ...over,
      },
      handle: async ({ tx, params, body, headers }) => {
        const foreign = elsewhere(needs.web, headers)
        if (foreign) return foreign
        const invitation = params['code'] ?? ''
        return signedIn(await joinAndSignIn(tx, needs, { ...body, invitation, userAgent: headers['user-agent'] }))
      },
    }),
  ]
}

/** The QR code as an SVG in a data address, for an `<img>`: no markup crosses into the page. */
async function drawQrCode(text: string): Promise<string> {
  const svg = await drawSvg(text, { type: 'svg', errorCorrectionLevel: 'M', margin: 4 })
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`
}

import { type Route, route } from '../http/route.ts'
import { staffOf } from '../kernel/caller.ts'
import { isRefusal } from '../kernel/refusal.ts'
import {
  makeNewRecoveryCodes,
  readRecoveryState,
  replaceAuthenticator,
  startNewAuthenticator,
} from '../people/recovery-commands.ts'
import type { DeskNeeds } from '../people/staff-sign-in.ts'
import { authenticatorCode, provedInput } from './desk-staff-messages.ts'
import { drawQrCode } from './qr-code.ts'

const mine = { dialect: 'native', auth: 'staff', once: false } as const

/** Her ways back in: recovery codes on paper, and a new authenticator app for a new phone. */
export function deskRecoveryRoutes(needs: DeskNeeds): readonly Route[] {
  return [...codeRoutes(needs), ...authenticatorRoutes(needs)]
}

function codeRoutes(needs: DeskNeeds): readonly Route[] {
  const path = '/v1/desk/me/recovery-codes'
  return [
    route({
      ...mine,
      method: 'GET',
      path,
      summary: 'How many recovery codes she has left, since when, and when one was used last; never the codes',
      answers: { 200: { description: 'The count' } },
      handle: async ({ tx, caller }) => ({ status: 200, body: await readRecoveryState(tx, staffOf(caller).id) }),
    }),
    route({
      ...mine,
      method: 'POST',
      path,
      summary: 'Makes new recovery codes, shown in this answer alone; older ones let nobody in any more',
      body: provedInput,
      stepUp: { act: 'recovery.make', subject: ({ caller }) => staffOf(caller).id },
      answers: { 201: { description: 'The codes' }, 403: { description: 'No step-up' } },
      handle: async ({ tx, caller }) => ({
        status: 201,
        body: { codes: await makeNewRecoveryCodes(tx, needs, staffOf(caller)) },
      }),
    }),
  ]
}

function authenticatorRoutes(needs: DeskNeeds): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'POST',
      path: '/v1/desk/me/authenticator',
      summary: 'A secret for a new authenticator app; the old app counts until a code of the new one is typed',
      body: provedInput,
      stepUp: { act: 'authenticator.replace', subject: ({ caller }) => staffOf(caller).id },
      answers: { 201: { description: 'The secret' }, 403: { description: 'No step-up' } },
      handle: async ({ tx, caller }) => {
        const shared = await startNewAuthenticator(tx, needs, staffOf(caller))
        if (isRefusal(shared)) return shared
        return { status: 201, body: { secret: shared.text, uri: shared.uri, qr: await drawQrCode(shared.uri) } }
      },
    }),
    route({
      ...mine,
      method: 'POST',
      path: '/v1/desk/me/authenticator/code',
      summary: 'The first code of the new app: from now on its codes count; her other sessions end',
      body: authenticatorCode,
      answers: {
        204: { description: 'The new app counts' },
        410: { description: 'It took too long' },
        422: { description: 'The code is wrong' },
      },
      handle: async ({ tx, caller, body }) =>
        (await replaceAuthenticator(tx, needs, staffOf(caller), body.code)) ?? { status: 204 },
    }),
  ]
}

import type { Tx } from '../db/tx.ts'
import { type Route, route } from '../http/route.ts'
import { type StaffCaller, staffOf } from '../kernel/caller.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { whoMayConfirm } from '../people/confirmation-commands.ts'
import { actsOf } from '../people/rules.ts'
import { clearedCookie, sessionLines } from '../people/session-commands.ts'
import { changePassword, endOtherStaffSessions, endStaffSession, readStaffSession } from '../people/staff-session.ts'
import type { DeskNeeds } from '../people/staff-sign-in.ts'
import { passwordChange } from './desk-staff-messages.ts'

const mine = { dialect: 'native', auth: 'staff', once: false } as const

/** Who is signed in at the desk, her sessions on other devices, signing out, and her password. */
export function deskSessionRoutes(needs: DeskNeeds): readonly Route[] {
  return [whoRoute(needs), signOutRoute(needs), ...sessionsRoutes(needs), passwordRoute(needs)]
}

function whoRoute(needs: DeskNeeds): Route {
  return route({
    ...mine,
    method: 'GET',
    path: '/v1/session',
    summary: 'Who is signed in, what her role may do, and the word that her pages send as X-CSRF',
    answers: { 200: { description: 'The session' }, 401: { description: 'Nobody is signed in' } },
    handle: async ({ tx, headers }) => {
      const found = await readStaffSession(tx, needs.web, { method: 'GET', headers })
      if (isRefusal(found)) return found
      const { caller, session, login, hasPassword } = found
      const { id, name, role, registration } = caller
      const body = {
        kind: 'staff',
        staff: { id, login, name, role, registration, hasPassword },
        ...(await confirmationOf(tx, caller)),
        acts: actsOf(role),
        facility: { id: needs.facility.id, name: needs.facility.name },
        session: session.id,
        csrf: session.csrf,
        how: session.how,
        expiresAt: session.expiresAt,
      }
      return { status: 200, body }
    },
  })
}

/** Of an account that nobody has confirmed: who may. Of any other, nothing. */
async function confirmationOf(tx: Tx, { id, unconfirmed }: StaffCaller): Promise<object> {
  if (unconfirmed !== true) return {}
  const { by, people } = await whoMayConfirm(tx, id)
  return { unconfirmed: { by, people: people.map(({ name, role }) => ({ name, role })) } }
}

function signOutRoute(needs: DeskNeeds): Route {
  return route({
    ...mine,
    method: 'DELETE',
    path: '/v1/session',
    summary: 'Sign out: this session ends',
    answers: { 204: { description: 'Signed out' } },
    handle: async ({ tx, caller }) => {
      const staff = staffOf(caller)
      const fault = await endStaffSession(tx, needs.facility.id, staff, staff.session)
      return fault ?? { status: 204, headers: { 'set-cookie': clearedCookie(needs.web, 'staff') } }
    },
  })
}

function sessionsRoutes(needs: DeskNeeds): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'GET',
      path: '/v1/desk/me/sessions',
      summary: 'Where she is signed in, last used first',
      answers: { 200: { description: 'Sessions' } },
      handle: async ({ tx, caller }) => {
        const staff = staffOf(caller)
        return { status: 200, body: await sessionLines(tx, 'staff', staff.id, staff.session) }
      },
    }),
    route({
      ...mine,
      method: 'DELETE',
      path: '/v1/desk/me/sessions',
      summary: 'Ends all her sessions but this one',
      answers: { 204: { description: 'They are over' } },
      handle: async ({ tx, caller }) => {
        await endOtherStaffSessions(tx, needs.facility.id, staffOf(caller))
        return { status: 204 }
      },
    }),
    route({
      ...mine,
      method: 'DELETE',
      path: '/v1/desk/me/sessions/:id',
      summary: 'Ends a session of hers on another device',
      answers: { 204: { description: 'It is over' }, 404: { description: 'No such session of hers' } },
      handle: async ({ tx, caller, params }) => {
        const fault = await endStaffSession(tx, needs.facility.id, staffOf(caller), params['id'] ?? '')
        return fault ?? { status: 204 }
      },
    }),
  ]
}

function passwordRoute(needs: DeskNeeds): Route {
  return route({
    ...mine,
    method: 'POST',
    path: '/v1/desk/me/password',
    summary: 'Sets a new password for who knows the old one; her other sessions end',
    body: passwordChange,
    answers: {
      204: { description: 'The new one counts from now on' },
      422: { description: 'The old one is wrong, or the new one easy to guess' },
    },
    handle: async ({ tx, caller, body }) => (await changePassword(tx, needs, staffOf(caller), body)) ?? { status: 204 },
  })
}

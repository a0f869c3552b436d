import { type Answer, type Call, type Route, route } from '../http/route.ts'
import { operatorOf, staffActor, staffOf } from '../kernel/caller.ts'
import { parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { confirmableBy, confirmStaff } from '../people/confirmation-commands.ts'
import type { StaffMember } from '../people/staff.ts'
import {
  changeRole,
  endSessionsOfStaff,
  inviteStaff,
  letStaffGo,
  listStaff,
  resetSecondFactor,
  restoreStaff,
  suspendStaff,
} from '../people/staff-commands.ts'
import type { MadeInvitation } from '../people/staff-invitation.ts'
import { pageOfStaff } from '../people/staff-list.ts'
import type { DeskNeeds } from '../people/staff-sign-in.ts'
import {
  provedInput,
  roleChange,
  staffAdmission,
  staffInvitation,
  staffQuery,
  statusChange,
} from './desk-staff-messages.ts'

type Needs = DeskNeeds & { readonly publicUrl: string }

const changing = { dialect: 'native', auth: 'staff', act: 'staff.change', once: false } as const
const changed = {
  200: { description: 'The person as she is now' },
  403: { description: 'No step-up, or not for this' },
  404: { description: 'Nobody of the staff has this id' },
  409: { description: 'Not in this state, or the last administrator' },
}

/** Accounts of the staff: for the administrator at the desk, and for the operator, who invites the first one. */
export function deskStaffRoutes(needs: Needs): readonly Route[] {
  return [
    ...readers(),
    ...confirmRoutes(needs),
    ...invitations(needs),
    ...changes(needs),
    signOutRoute(needs),
    operatorInvites(needs),
  ]
}

function readers(): readonly Route[] {
  const described = { method: 'GET', dialect: 'native', once: false } as const
  const answers = { 200: { description: 'The staff, by name; with `next`, ask again with it as `after`' } }
  const summary = 'Who works or worked at this facility, in which role, and who is not confirmed, a page at a time'
  return [
    route({
      ...described,
      auth: 'staff',
      act: 'staff.see',
      path: '/v1/desk/staff',
      summary: `${summary}; and whom the signed-in person may confirm, and how many there are`,
      query: staffQuery,
      answers,
      handle: async ({ tx, caller, query }) => {
        const mine = await confirmableBy(tx, staffOf(caller).id)
        const all = await listStaff(tx)
        const page = pageOfStaff(all, query)
        if (isRefusal(page)) return page
        const waiting = all.filter(({ id }) => mine.has(id))
        const toConfirm = waiting.slice(0, LIMITS.pageSizeMax)
        return { status: 200, body: { ...page, toConfirm, toConfirmCount: waiting.length } }
      },
    }),
    route({
      ...described,
      auth: 'operator',
      path: '/v1/staff',
      summary,
      query: staffQuery,
      answers,
      handle: async ({ tx, query }) => {
        const page = pageOfStaff(await listStaff(tx), query)
        return isRefusal(page) ? page : { status: 200, body: page }
      },
    }),
  ]
}

/** A second person says that an account is in the hands of whose name it bears. */
function confirmRoutes(needs: Needs): readonly Route[] {
  const described = { method: 'POST', dialect: 'native' } as const
  const summary = 'Confirms that an account that an administrator gave is in the hands of its person'
  const answers = {
    204: { description: 'Confirmed' },
    403: { description: 'Somebody else must: see who may' },
    404: { description: 'Nobody of the staff has this id' },
    409: { description: 'She has not set up how she signs in' },
  }
  return [
    route({
      ...described,
      auth: 'staff',
      act: 'staff.confirm',
      path: '/v1/desk/staff/:id/confirm',
      once: false,
      summary,
      answers,
      body: provedInput,
      stepUp: { act: 'staff.confirm', subject: ({ params }) => params['id'] ?? '' },
      handle: async ({ tx, caller, params }) => {
        const id = parseId<'staff'>(params['id'] ?? '')
        if (id === undefined) return refuse('staff/unknown')
        const done = await confirmStaff(tx, { id, actor: staffActor(needs.facility.id, staffOf(caller)) })
        return isRefusal(done) ? done : { status: 204 }
      },
    }),
    route({
      ...described,
      auth: 'operator',
      grave: true,
      path: '/v1/staff/:id/confirm',
      once: true,
      summary,
      answers,
      handle: async ({ tx, caller, params }) => {
        const id = parseId<'staff'>(params['id'] ?? '')
        if (id === undefined) return refuse('staff/unknown')
        const done = await confirmStaff(tx, { id, actor: operatorOf(caller) })
        return isRefusal(done) ? done : { status: 204 }
      },
    }),
  ]
}

/** The link that the person opens. It is shown once: only its hash is kept. */
function invited({ publicUrl, web }: Needs, made: MadeInvitation & { readonly staff?: StaffMember }): Answer {
  const { code, expiresAt, staff } = made
  // On one machine, by its name: a passkey needs one.
  const [, byName = publicUrl] = web.origins
  return { status: 201, body: { link: `${byName}/desk/join/${code}`, expiresAt, ...(staff && { staff }) } }
}

/** The administrator proves anew that she is there, for this change of this person. */
const ofPerson = {
  act: 'staff.change',
  subject: ({ params }: Pick<Call<never, never>, 'params'>): string => params['id'] ?? '',
} as const

function invitations(needs: Needs): readonly Route[] {
  return [
    route({
      ...changing,
      method: 'POST',
      path: '/v1/desk/staff',
      summary: 'Invites a person into the staff; answers the link with which she sets up how she signs in',
      body: staffInvitation,
      stepUp: { act: 'staff.change', subject: ({ body }) => body.login },
      answers: { 201: { description: 'The invitation' }, 409: { description: 'The login is taken' } },
      handle: async (call) => {
        const caller = staffOf(call.caller)
        const { login, name, role, registration } = call.body
        const made = await inviteStaff(call.tx, {
          login,
          name,
          role,
          ...(registration === undefined ? {} : { registration }),
          actor: staffActor(needs.facility.id, caller),
        })
        return isRefusal(made) ? made : invited(needs, made)
      },
    }),
    route({
      ...changing,
      method: 'POST',
      path: '/v1/desk/staff/:id/invitation',
      summary: 'Takes password, codes and passkeys of a person away and invites her anew: for a lost phone',
      body: provedInput,
      stepUp: ofPerson,
      answers: { ...changed, 201: { description: 'The new invitation' } },
      handle: async (call) => {
        const caller = staffOf(call.caller)
        const id = parseId<'staff'>(call.params['id'] ?? '')
        if (id === undefined) return refuse('staff/unknown')
        const made = await resetSecondFactor(call.tx, { id, actor: staffActor(needs.facility.id, caller) })
        return isRefusal(made) ? made : invited(needs, made)
      },
    }),
  ]
}

const STATUS_VERBS = { active: restoreStaff, suspended: suspendStaff, left: letStaffGo } as const

function changes(needs: Needs): readonly Route[] {
  return [
    route({
      ...changing,
      method: 'POST',
      path: '/v1/desk/staff/:id/role',
      summary: 'Gives a person another role; it counts from her next call on',
      body: roleChange,
      stepUp: ofPerson,
      answers: changed,
      handle: async (call) => {
        const caller = staffOf(call.caller)
        const id = parseId<'staff'>(call.params['id'] ?? '')
        if (id === undefined) return refuse('staff/unknown')
        const { role, registration } = call.body
        const person = await changeRole(call.tx, {
          id,
          role,
          ...(registration === undefined ? {} : { registration }),
          actor: staffActor(needs.facility.id, caller),
        })
        return isRefusal(person) ? person : { status: 200, body: person }
      },
    }),
    route({
      ...changing,
      method: 'POST',
      path: '/v1/desk/staff/:id/status',
      summary: 'Suspends a person, lets her in again, or ends her account for good; her sessions end at once',
      body: statusChange,
      stepUp: ofPerson,
      answers: changed,
      handle: async (call) => {
        const caller = staffOf(call.caller)
        const id = parseId<'staff'>(call.params['id'] ?? '')
        if (id === undefined) return refuse('staff/unknown')
        const change = { id, actor: staffActor(needs.facility.id, caller) }
        const person = await STATUS_VERBS[call.body.status](call.tx, change)
        return isRefusal(person) ? person : { status: 200, body: person }
      },
    }),
  ]
}

function signOutRoute(needs: Needs): Route {
  return route({
    ...changing,
    method: 'POST',
    path: '/v1/desk/staff/:id/sign-out',
    summary: 'Ends every session of a person; she may sign in again',
    body: provedInput,
    stepUp: ofPerson,
    answers: changed,
    handle: async (call) => {
      const id = parseId<'staff'>(call.params['id'] ?? '')
      if (id === undefined) return refuse('staff/unknown')
      const actor = staffActor(needs.facility.id, staffOf(call.caller))
      const person = await endSessionsOfStaff(call.tx, { id, actor })
      return isRefusal(person) ? person : { status: 200, body: person }
    },
  })
}

function operatorInvites(needs: Needs): Route {
  return route({
    method: 'POST',
    path: '/v1/staff',
    grave: true,
    dialect: 'native',
    auth: 'operator',
    once: true,
    summary: 'Invites a person into the staff: how the first administrator of a facility comes in',
    body: staffAdmission,
    answers: { 201: { description: 'The invitation' }, 409: { description: 'The login is taken' } },
    handle: async ({ tx, caller, body }) => {
      const { login, name, role, registration } = body
      const made = await inviteStaff(tx, {
        login,
        name,
        role,
        ...(registration === undefined ? {} : { registration }),
        actor: operatorOf(caller),
      })
      return isRefusal(made) ? made : invited(needs, made)
    },
  })
}

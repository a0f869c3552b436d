import { type Route, route } from '../http/route.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { staffAdmission } from '../native/desk-staff-messages.ts'
import type { DeskNeeds } from '../people/staff-sign-in.ts'
import { addSampleStaff, listSampleStaff } from './sample-staff.ts'

/** Invented staff of a sandbox: who tries it out picks one at the desk's sign-in page, and goes through the real sign-in. */
export function sampleStaffRoutes(needs: Pick<DeskNeeds, 'facility' | 'leaked'>): readonly Route[] {
  const described = { dialect: 'native', once: false, path: '/v1/sandbox/staff' } as const
  const listed = { answers: { 200: { description: 'Whom one may sign in as' } } }
  return [
    route({
      ...described,
      ...listed,
      method: 'GET',
      path: '/v1/desk/sample-staff',
      auth: 'console',
      summary: 'The same for the desk’s own sign-in page, on this machine only: no other site can read it',
      handle: async ({ tx }) => ({ status: 200, body: await listSampleStaff(tx) }),
    }),
    route({
      ...described,
      ...listed,
      method: 'GET',
      auth: 'operator',
      summary: 'Invented staff of this sandbox, each with login, password and the next code; nobody real is among them',
      handle: async ({ tx }) => ({ status: 200, body: await listSampleStaff(tx) }),
    }),
    route({
      ...described,
      method: 'POST',
      auth: 'operator',
      summary:
        'Takes an invented person into the staff and keeps her password to be shown; known already, changes nothing',
      body: staffAdmission,
      answers: {
        200: { description: 'What one types to sign in as her' },
        409: { description: 'A real person has the login' },
      },
      handle: async ({ tx, body }) => {
        const { login, name, role, registration } = body
        const who = { login, name, role, ...(registration === undefined ? {} : { registration }) }
        const added = await addSampleStaff(tx, needs, who)
        return isRefusal(added) ? added : { status: 200, body: added }
      },
    }),
  ]
}

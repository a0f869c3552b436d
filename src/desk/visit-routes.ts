import type { Tx } from '../db/tx.ts'
import { type Route, route } from '../http/route.ts'
import { operatorOf, type StaffCaller, staffOf } from '../kernel/caller.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { type RecordsNeeds, readPatient } from '../records/commands.ts'
import { attendingStaff, staffNames } from './colleagues.ts'
import { asVisitActor, changeAttendants, endVisit, listToday, startVisit } from './commands.ts'
import { lookAtList } from './looks.ts'
import { attendantsChange, newVisit, todayQuery } from './messages.ts'
import { showVisit } from './show-visit.ts'
import { confirmStay } from './stay-commands.ts'
import { UNITS, type Visit } from './visit.ts'

const common = { dialect: 'native', auth: 'staff' } as const
const answers = {
  404: { description: 'There is no such patient or visit.' },
  409: { description: 'The visit has ended, or the patient has an open one.' },
}

/** Who is here today, and who attends whom. */
export function deskVisitRoutes(needs: RecordsNeeds): readonly Route[] {
  return [todayRoute(needs), colleaguesRoute(), ...changeRoutes(needs), confirmRoute(needs), ...softwareRoutes()]
}

function todayRoute(needs: RecordsNeeds): Route {
  return route({
    ...common,
    method: 'GET',
    path: '/v1/desk/today',
    act: 'patient.find',
    summary: "Today's visits: all for the front desk, their own for doctors and nurses, those sent to it for a unit.",
    once: false,
    query: todayQuery,
    answers: {
      200: {
        description:
          'Visits, the earliest first, and stays from before behind them; with `next`, ask again with it as `after`.',
      },
    },
    handle: async ({ tx, caller, query: { after, limit } }) => {
      const staff = staffOf(caller)
      const page = await listToday(tx, staff, { after, limit })
      const visits = await showEach(tx, staff, page.visits)
      await lookAtList(tx, needs, staff, 'today', visits.length)
      return { status: 200, body: { visits, ...(page.next === undefined ? {} : { next: page.next }) } }
    },
  })
}

async function showEach(tx: Tx, staff: StaffCaller, visits: readonly Visit[]): Promise<readonly object[]> {
  const names = await staffNames(tx)
  const shown: object[] = []
  for (const visit of visits) {
    const patient = await readPatient(tx, visit.patientReference)
    if (isRefusal(patient)) continue
    const { reference, name, gender, birthDate } = patient
    shown.push({ ...showVisit(visit, names, staff, tx.now), patient: { reference, name, gender, birthDate } })
  }
  return shown
}

function colleaguesRoute(): Route {
  return route({
    ...common,
    method: 'GET',
    path: '/v1/desk/colleagues',
    act: 'visit.start',
    summary: 'Who may be asked to attend a visit: doctors and nurses by name, and units.',
    once: false,
    answers: { 200: { description: 'People and units.' } },
    handle: async ({ tx }) => ({ status: 200, body: { people: await attendingStaff(tx), units: UNITS } }),
  })
}

function changeRoutes(needs: RecordsNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/visits',
      act: 'visit.start',
      summary: 'Starts a visit, with those who attend it. A doctor or nurse who starts one attends it.',
      once: true,
      body: newVisit,
      answers: { 201: { description: 'The id of the visit.' }, ...answers },
      handle: async ({ tx, caller, body }) => {
        const id = await startVisit(tx, asVisitActor(needs, staffOf(caller)), body)
        return isRefusal(id) ? id : { status: 201, body: { id } }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/visits/:id/attendants',
      act: 'visit.start',
      summary:
        "Lets others attend an open visit, or no longer. Who adds herself to somebody else's, or anew to a stay, says why, and is reviewed.",
      once: true,
      body: attendantsChange,
      answers: { 204: { description: 'Done.' }, ...answers },
      handle: async ({ tx, caller, params, body }) => {
        const changed = await changeAttendants(tx, asVisitActor(needs, staffOf(caller)), params['id'] ?? '', body)
        return isRefusal(changed) ? changed : { status: 204 }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/visits/:id/end',
      act: 'visit.start',
      summary: 'Ends a visit: nobody attends it any more.',
      once: true,
      answers: { 204: { description: 'Ended.' }, ...answers },
      handle: async ({ tx, caller, params }) => {
        const ended = await endVisit(tx, asVisitActor(needs, staffOf(caller)), params['id'] ?? '')
        return isRefusal(ended) ? ended : { status: 204 }
      },
    }),
  ]
}

function confirmRoute(needs: RecordsNeeds): Route {
  return route({
    ...common,
    method: 'POST',
    path: '/v1/desk/visits/:id/confirm',
    act: 'visit.start',
    summary: 'Says that the patient of a stay is still here: who attends goes on doing so for a week.',
    once: true,
    answers: {
      204: { description: 'Confirmed.' },
      403: { description: 'You began this stay, or joined it yourself.' },
      ...answers,
    },
    handle: async ({ tx, caller, params }) => {
      const confirmed = await confirmStay(tx, asVisitActor(needs, staffOf(caller)), params['id'] ?? '')
      return isRefusal(confirmed) ? confirmed : { status: 204 }
    },
  })
}

/** What hospital software calls that keeps the appointments itself. */
function softwareRoutes(): readonly Route[] {
  return [
    route({
      ...common,
      auth: 'operator',
      method: 'POST',
      path: '/v1/visits',
      summary: 'Starts a visit, with those who attend it, for hospital software.',
      once: true,
      body: newVisit,
      answers: { 201: { description: 'The id of the visit.' }, ...answers },
      handle: async ({ tx, caller, body }) => {
        const id = await startVisit(tx, { actor: operatorOf(caller) }, body)
        return isRefusal(id) ? id : { status: 201, body: { id } }
      },
    }),
    route({
      ...common,
      auth: 'operator',
      method: 'POST',
      path: '/v1/visits/:id/end',
      summary: 'Ends a visit, for hospital software.',
      once: true,
      answers: { 204: { description: 'Ended.' }, ...answers },
      handle: async ({ tx, caller, params }) => {
        const ended = await endVisit(tx, { actor: operatorOf(caller) }, params['id'] ?? '')
        return isRefusal(ended) ? ended : { status: 204 }
      },
    }),
    route({
      ...common,
      auth: 'operator',
      method: 'POST',
      path: '/v1/visits/:id/confirm',
      summary: 'Says that the patient of a stay is still here, for hospital software.',
      once: true,
      answers: { 204: { description: 'Confirmed.' }, ...answers },
      handle: async ({ tx, caller, params }) => {
        const confirmed = await confirmStay(tx, { actor: operatorOf(caller) }, params['id'] ?? '')
        return isRefusal(confirmed) ? confirmed : { status: 204 }
      },
    }),
  ]
}

import { type Route, route } from '../http/route.ts'
import { staffOf } from '../kernel/caller.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { pageOrder } from './messages.ts'
import { type DeskReadingNeeds, openDoor, readPatientRecords } from './reading.ts'

const common = { dialect: 'native', auth: 'staff' } as const
const unknownPatient = { 404: { description: 'No patient has this reference.' } }

/** Reading the records of a patient at the desk. */
export function deskReadingRoutes(needs: DeskReadingNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path: '/v1/desk/patients/:reference/reading',
      act: 'record.list',
      summary: 'For which purposes the signed-in person may read the records of a patient, and how many there are.',
      once: false,
      answers: { 200: { description: 'Ways to read, and counts without content.' }, ...unknownPatient },
      handle: async ({ tx, caller, params }) => {
        const door = await openDoor(tx, needs, staffOf(caller), params['reference'] ?? '')
        return isRefusal(door) ? door : { status: 200, body: door }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/patients/:reference/reading',
      act: 'record.read',
      summary:
        'Opens records of a patient for a purpose, newest first and a page at a time: our own and those that others sent. Every view is recorded.',
      // Reading twice is two views.
      once: false,
      body: pageOrder,
      answers: {
        200: { description: 'A page of records, where the next one begins, and what is missing or withheld and why.' },
        403: { description: 'This person may not read them for this purpose.' },
        ...unknownPatient,
      },
      handle: async ({ tx, caller, params, body }) => {
        const input = { reference: params['reference'] ?? '', ...body }
        const reading = await readPatientRecords(tx, needs, staffOf(caller), input)
        return isRefusal(reading) ? reading : { status: 200, body: reading }
      },
    }),
  ]
}

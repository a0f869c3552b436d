import { type Route, route } from '../http/route.ts'
import { staffOf } from '../kernel/caller.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { exportPatientRecords } from './export.ts'
import { exportOrder } from './messages.ts'
import type { DeskReadingNeeds } from './reading.ts'

/** Taking the records of a patient out of the house. */
export function deskExportRoutes(needs: DeskReadingNeeds): readonly Route[] {
  return [
    route({
      dialect: 'native',
      auth: 'staff',
      method: 'POST',
      path: '/v1/desk/patients/:reference/export',
      act: 'record.export',
      summary:
        'Takes the records of a patient out as a FHIR bundle, for a purpose; takes a step-up for export.read on her',
      // Taking out twice is two exports.
      once: false,
      body: exportOrder,
      stepUp: { act: 'export.read', subject: ({ params }) => params['reference'] ?? '' },
      answers: {
        200: { description: 'The bundle, and what stays here and why.' },
        403: { description: 'No step-up, or not for this purpose.' },
        404: { description: 'No patient has this reference.' },
        422: { description: 'All her records are too large for one file.' },
      },
      handle: async ({ tx, caller, params, body }) => {
        const input = { reference: params['reference'] ?? '', purpose: body.purpose }
        const taken = await exportPatientRecords(tx, needs, staffOf(caller), input)
        return isRefusal(taken) ? taken : { status: 200, body: taken }
      },
    }),
  ]
}

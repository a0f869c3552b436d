import { z } from 'zod'
import type { OwnLog } from '../audit/log.ts'
import { receiptFor, receiptsAbout } from '../audit/receipts.ts'
import { type Call, type Route, route } from '../http/route.ts'
import { type AbhaAddress, type Id, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { readLinking } from '../linking/discovery-commands.ts'
import { readPatient } from '../people/commands.ts'
import { withheldEventsOf } from '../rights/withholding-commands.ts'
import { myLookRoutes } from './me-look-routes.ts'
import { mySharingRoutes } from './me-sharing-routes.ts'

const mine = { dialect: 'native', auth: 'patient', method: 'GET', once: false } as const
const page = z.object({
  before: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
})

/** What a patient sees at the exchange beyond ABDM's own calls: who looked, what is shared, what happened, with receipts. */
export function patientRoutes(needs: { readonly ownLog: OwnLog }): readonly Route[] {
  return [...eventRoutes(needs), ...stateRoutes(), ...mySharingRoutes(), ...myLookRoutes()]
}

function stateRoutes(): readonly Route[] {
  return [
    route({
      ...mine,
      path: '/v1/me',
      summary: 'The patient of this session',
      answers: { 200: { description: 'Profile' } },
      handle: async ({ tx, ...call }) => {
        const patient = patientOf(call)
        if (isRefusal(patient)) return patient
        const profile = await readPatient(tx, patient)
        return profile === undefined ? refuse('request/not-found') : { status: 200, body: profile }
      },
    }),
    route({
      ...mine,
      path: '/v1/me/linking/:transaction',
      summary: 'How far a discovery or linking of mine has come',
      answers: { 200: { description: 'The transaction' }, 404: { description: 'No such transaction of mine' } },
      handle: async ({ tx, params, ...call }) => {
        const patient = patientOf(call)
        if (isRefusal(patient)) return patient
        const id = parseId<'linking-transaction'>(params['transaction'] ?? '')
        if (id === undefined) return refuse('request/not-found')
        const transaction = await readLinking(tx, patient, id)
        return isRefusal(transaction) ? transaction : { status: 200, body: transaction }
      },
    }),
  ]
}

function eventRoutes(needs: { readonly ownLog: OwnLog }): readonly Route[] {
  return [
    route({
      ...mine,
      path: '/v1/me/events',
      summary: 'Everything recorded about me at the exchange, newest first',
      query: page,
      answers: { 200: { description: 'Events' } },
      handle: async ({ tx, query, ...call }) => listEvents(tx, call, query),
    }),
    route({
      ...mine,
      path: '/v1/me/receipts/:event',
      summary: 'The receipt of one of my events: verified offline with amanat log verify',
      answers: {
        200: { description: 'The receipt' },
        404: { description: 'No such event of mine' },
        503: { description: 'Not yet in a checkpoint; ask again in a second' },
      },
      handle: async ({ tx, params, ...call }) => {
        const patient = patientOf(call)
        if (isRefusal(patient)) return patient
        const id = parseId<'event'>(params['event'] ?? '')
        if (id === undefined || (await withheldEventsOf(tx, patient)).includes(id)) return refuse('request/not-found')
        const receipt = await receiptFor(tx, needs.ownLog, id, patient)
        return isRefusal(receipt) ? receipt : { status: 200, body: receipt }
      },
    }),
  ]
}

type Mine = Pick<Call<never, never>, 'caller'>

function patientOf(call: Mine): AbhaAddress | Refusal {
  return call.caller.kind === 'patient' ? call.caller.patient : refuse('auth/forbidden')
}

async function listEvents(tx: Call<never, never>['tx'], call: Mine, query: z.output<typeof page>) {
  const patient = patientOf(call)
  if (isRefusal(patient)) return patient
  const before = query.before === undefined ? {} : { before: query.before as Id<'event'> }
  const events = await receiptsAbout(tx, patient, {
    limit: query.limit,
    except: await withheldEventsOf(tx, patient),
    ...before,
  })
  return { status: 200, body: events }
}

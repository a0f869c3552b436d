import { z } from 'zod'
import { type Route, route } from '../http/route.ts'
import { operatorOf } from '../kernel/caller.ts'
import { parseAbhaAddress } from '../kernel/id.ts'
import { refuse } from '../kernel/refusal.ts'
import { endGuardian, type GuardianNeeds, nameGuardian } from '../people/guardian-commands.ts'

const operator = { dialect: 'native', auth: 'operator', once: false, grave: true } as const
const grounds = {
  reason: z.string().trim().min(3).max(300).describe('Why: a parent died, a court ordered it'),
  evidence: z
    .string()
    .trim()
    .min(10)
    .max(1_000)
    .describe('What was looked at: of a parent, identity and age (r.10); of who was appointed, the order (r.11)'),
}
const appointment = z.string().trim().min(3).max(300).describe('Court or authority, number and date of the order')
const guardianBody = z
  .discriminatedUnion('basis', [
    z.object({ guardian: z.string(), basis: z.literal('parent'), ...grounds }).strict(),
    z.object({ guardian: z.string(), basis: z.literal('appointed'), appointment, ...grounds }).strict(),
  ])
  .meta({ id: 'GuardianNamed' })
const endBody = z.object(grounds).strict().meta({ id: 'GuardianEnded' })

/** Who decides for a child or a person with disability, when that changes: an operator's act, with what was looked at. */
export function guardianRoutes(needs: GuardianNeeds): readonly Route[] {
  return [nameRoute(needs), endRoute(needs)]
}

function nameRoute(needs: GuardianNeeds): Route {
  return route({
    ...operator,
    method: 'PUT',
    path: '/v1/patients/:abhaAddress/guardian',
    summary: 'Names who decides for a child, or for a person with disability; whoever did before does not any more',
    body: guardianBody,
    answers: {
      204: { description: 'Named; both are told by text message' },
      403: { description: 'This person cannot be the guardian' },
      404: { description: 'No such patient' },
    },
    handle: async ({ tx, params, body, ...call }) => {
      const patient = parseAbhaAddress(params['abhaAddress'] ?? '')
      if (patient === undefined) return refuse('people/unknown-patient')
      const guardian = parseAbhaAddress(body.guardian)
      if (guardian === undefined) return refuse('people/not-guardian', 'This is no ABHA address.', 'guardian')
      const { basis, reason, evidence } = body
      const named = basis === 'appointed' ? { guardianAppointment: body.appointment } : {}
      const actor = operatorOf(call.caller)
      const input = { patient, actor, guardian, guardianBasis: basis, reason, evidence, ...named }
      return (await nameGuardian(tx, needs, input)) ?? { status: 204 }
    },
  })
}

function endRoute(needs: GuardianNeeds): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/v1/patients/:abhaAddress/guardian/end',
    summary: 'Ends who decides for a patient; for a child nobody does until another is named',
    body: endBody,
    answers: {
      204: { description: 'Ended; both are told by text message' },
      404: { description: 'No such patient' },
      409: { description: 'Nobody decides for her' },
    },
    handle: async ({ tx, params, body, ...call }) => {
      const patient = parseAbhaAddress(params['abhaAddress'] ?? '')
      if (patient === undefined) return refuse('people/unknown-patient')
      return (await endGuardian(tx, needs, { patient, actor: operatorOf(call.caller), ...body })) ?? { status: 204 }
    },
  })
}

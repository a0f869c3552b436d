import { z } from 'zod'
import { type Route, route } from '../http/route.ts'
import { operatorOf } from '../kernel/caller.ts'
import { parseAbhaAddress } from '../kernel/id.ts'
import { refuse } from '../kernel/refusal.ts'
import { switchAccount } from '../people/account-commands.ts'

const statusBody = z
  .object({
    status: z.enum(['active', 'deactivated'], 'must be active or deactivated'),
    reason: z.string().trim().min(3).max(300).describe('Why, for the record of the patient'),
  })
  .strict()
  .meta({ id: 'AccountStatus' })

/** An account that is put to sleep for a while: stolen, in doubt, or at the patient's wish. */
export function accountRoutes(needs: { readonly exchange: { readonly name: string } }): readonly Route[] {
  return [
    route({
      dialect: 'native',
      auth: 'operator',
      once: false,
      grave: true,
      method: 'PUT',
      path: '/v1/patients/:abhaAddress/status',
      summary:
        'Puts an account to sleep or wakes it: asleep, nobody signs in and nothing is linked, asked for or shared',
      body: statusBody,
      answers: {
        204: { description: 'Changed; the phone is told by text message' },
        404: { description: 'No such patient' },
      },
      handle: async ({ tx, params, body, ...call }) => {
        const patient = parseAbhaAddress(params['abhaAddress'] ?? '')
        if (patient === undefined) return refuse('people/unknown-patient')
        const input = { patient, ...body, actor: operatorOf(call.caller) }
        return (await switchAccount(tx, needs, input)) ?? { status: 204 }
      },
    }),
  ]
}

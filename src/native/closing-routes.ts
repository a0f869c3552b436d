import { z } from 'zod'
import { parsedText } from '../http/parsed-text.ts'
import { type Route, route } from '../http/route.ts'
import { operatorOf } from '../kernel/caller.ts'
import { parseAbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { parsePlaceInParts } from '../kernel/list-place.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { type ClosingNeeds, closedAccounts, reopenAccount } from '../people/closing-commands.ts'
import { closeAccount } from '../rights/closing-commands.ts'
import { viewClosed } from './me-closing-routes.ts'

const operator = { dialect: 'native', auth: 'operator', once: false } as const
const wishBody = z
  .object({ wish: z.string().trim().min(3).max(300).describe('Where the patient’s written wish is filed') })
  .strict()
  .meta({ id: 'WrittenWish' })

const closedQuery = z.object({
  after: parsedText((text) => parsePlaceInParts(text, parseAbhaAddress), 'must be the `next` of an answer').optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeMax),
})

/** Accounts that are closed for a patient who cannot do it in the app, or opened again: only on her written wish. */
export function closingRoutes(needs: ClosingNeeds): readonly Route[] {
  return [
    route({
      ...operator,
      method: 'GET',
      path: '/v1/closed-accounts',
      summary:
        'Closed accounts: those of which something still ends, then those that are kept because a law demands it, whose time ends first before the others',
      query: closedQuery,
      answers: { 200: { description: 'Accounts; with `next`, ask again with it as `after`' } },
      handle: async ({ tx, query }) => {
        const { accounts, ...more } = await closedAccounts(tx, query)
        const shown = accounts.map((closing) => ({ patient: closing.patient, ...viewClosed(closing) }))
        return { status: 200, body: { accounts: shown, ...more } }
      },
    }),
    route({
      ...operator,
      method: 'POST',
      path: '/v1/patients/:abhaAddress/close',
      grave: true,
      summary: 'Closes an account on the patient’s written wish: all sharing stops, it is kept for a year, then erased',
      body: wishBody,
      answers: {
        200: { description: 'Closed, and until when it is kept' },
        404: { description: 'No such patient' },
        409: { description: 'She decides for others' },
      },
      handle: async ({ tx, params, body, ...call }) => {
        const patient = parseAbhaAddress(params['abhaAddress'] ?? '')
        if (patient === undefined) return refuse('people/unknown-patient')
        const closing = await closeAccount(tx, needs, { patient, actor: operatorOf(call.caller), wish: body.wish })
        return isRefusal(closing) ? closing : { status: 200, body: viewClosed(closing) }
      },
    }),
    route({
      ...operator,
      method: 'POST',
      path: '/v1/patients/:abhaAddress/reopen',
      grave: true,
      summary: 'Opens a closed account again on the patient’s written wish; what had ended stays ended',
      body: wishBody,
      answers: {
        204: { description: 'Open' },
        404: { description: 'No such patient, or erased already' },
        409: { description: 'Not closed, or still being closed' },
      },
      handle: async ({ tx, params, body, ...call }) => {
        const patient = parseAbhaAddress(params['abhaAddress'] ?? '')
        if (patient === undefined) return refuse('people/unknown-patient')
        const opened = await reopenAccount(tx, { patient, actor: operatorOf(call.caller), wish: body.wish })
        return isRefusal(opened) ? opened : { status: 204 }
      },
    }),
  ]
}

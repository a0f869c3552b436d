import { z } from 'zod'
import { type Answer, type Route, route } from '../http/route.ts'
import { type Actor, type Caller, operatorOf } from '../kernel/caller.ts'
import { parseAbhaAddress, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { Withholding } from '../rights/withholding.ts'
import {
  confirmWithholding,
  liftWithholding,
  proposeWithholding,
  withholdingsOf,
} from '../rights/withholding-commands.ts'

const operator = { dialect: 'native', auth: 'operator', once: false } as const
const person = z
  .string()
  .trim()
  .min(3)
  .max(120)
  .describe('Who does this; where operators prove it by a code (X-Operator-Code), their name there stands in its place')
const words = z.string().trim().min(2).max(300)
const withholding = z.object({
  patient: z.string().max(200),
  event: z.uuid(),
  until: z.iso.datetime({ offset: true }),
  by: person,
  order: z.object({ authority: words, number: words, dated: z.iso.date(), law: words }),
})
const byWhom = z.object({ by: person })

/** Looks of which an authority forbids to tell the patient for now (DPDP Rules 2025, r.23(2)): entered by one person, confirmed by another. */
export function withholdingRoutes(): readonly Route[] {
  return [
    route({
      ...operator,
      method: 'GET',
      path: '/v1/withholdings',
      summary: 'Orders not to tell a patient of looks, that stand or wait to be confirmed',
      query: z.object({
        patient: z.string().max(200),
        before: z.uuid().optional(),
        limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
      }),
      answers: { 200: { description: 'A page of orders, newest first; the next one is `before` the last one’s id' } },
      handle: async ({ tx, query }) => {
        const patient = parseAbhaAddress(query.patient)
        if (patient === undefined) return refuse('request/invalid-field', 'patient must be an ABHA address', 'patient')
        return { status: 200, body: (await withholdingsOf(tx, patient, query)).map(viewOf) }
      },
    }),
    route({
      ...operator,
      method: 'POST',
      path: '/v1/withholdings',
      grave: true,
      summary: 'Enters an order not to tell a patient of one look; without effect until another person confirms it',
      body: withholding,
      answers: { 201: { description: 'Entered' }, 404: { description: 'No such look' } },
      handle: async ({ tx, caller, body }) => {
        const [patient, event] = [parseAbhaAddress(body.patient), parseId<'event'>(body.event)]
        if (patient === undefined) return refuse('request/invalid-field', 'patient must be an ABHA address', 'patient')
        if (event === undefined) return refuse('rights/unknown-look', undefined, 'event')
        const { order } = body
        const until = new Date(body.until)
        const made = await proposeWithholding(tx, { patient, event, order, until, ...whoDoes(caller, body.by) })
        return isRefusal(made) ? made : { status: 201, body: viewOf(made) }
      },
    }),
    ...(['confirm', 'lift'] as const).map((verb) =>
      route({
        ...operator,
        method: 'POST',
        path: `/v1/withholdings/:id/${verb}`,
        grave: true,
        summary:
          verb === 'confirm'
            ? 'Confirms an order that somebody else entered: the look is withheld until its day'
            : 'Ends an order before its day: the patient is told',
        body: byWhom,
        answers: { 200: { description: 'The order' }, 404: { description: 'No such order' } },
        handle: async ({ tx, caller, params, body }): Promise<Answer | Refusal> => {
          const id = parseId<'withholding'>(params['id'] ?? '')
          if (id === undefined) return refuse('rights/unknown-withholding')
          const done = await (verb === 'confirm' ? confirmWithholding : liftWithholding)(tx, {
            id,
            ...whoDoes(caller, body.by),
          })
          return isRefusal(done) ? done : { status: 200, body: viewOf(done) }
        },
      }),
    ),
  ]
}

/** Two operators do it, not one who writes two names. */
function whoDoes(caller: Caller, named: string): { readonly by: string; readonly actor: Actor } {
  const actor = operatorOf(caller)
  return { by: caller.kind === 'operator' && caller.proved ? actor.id : named, actor }
}

function viewOf({ until, ...one }: Withholding) {
  return { ...one, until: until.toISOString() }
}

import { z } from 'zod'
import { artefactsOf } from '../consent/readers.ts'
import { type Route, route } from '../http/route.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { chainOf } from '../rights/chain.ts'
import { readSharingFacts } from '../rights/facts.ts'
import { sharingOf } from '../rights/sharing.ts'
import { stopSharing } from '../rights/stop-commands.ts'
import type { Chain, ReceiverView } from '../rights/views.ts'
import { actorOf, patientOf } from './me-caller.ts'

const mine = { dialect: 'native', auth: 'patient', method: 'GET', once: false } as const

/** `GET /v1/me/sharing`: `items` are a page of the artefacts as signed, of `size` in all; `receivers` is what a person reads. */
export type MySharing = { readonly receivers: readonly ReceiverView[] }

/** What a patient shares with whom, the picture of the chain, and stopping it. */
export function mySharingRoutes(): readonly Route[] {
  return [
    route({
      ...mine,
      path: '/v1/me/sharing',
      summary:
        'My consents by receiver, with what went, who confirmed what, and whether the receiver has erased its copy',
      query: z.object({ offset: z.coerce.number().int().min(0).max(1_000_000).default(0) }),
      answers: {
        200: { description: 'A page of artefacts from `offset` on, newest first; and by receiver, live first' },
      },
      handle: async ({ tx, caller, query: { offset } }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        const artefacts = await artefactsOf(tx, patient, { page: { limit: LIMITS.pageSizeMax, offset } })
        const receivers = sharingOf(await readSharingFacts(tx, patient))
        return { status: 200, body: { ...artefacts, receivers } satisfies MySharing & typeof artefacts }
      },
    }),
    route({
      ...mine,
      path: '/v1/me/sharing/:request',
      summary: 'What I allowed at one time: a consent request with a consent for each holder',
      answers: { 200: { description: 'The request' }, 404: { description: 'No such consent of mine' } },
      handle: async ({ tx, caller, params }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        const receivers = sharingOf(await readSharingFacts(tx, patient))
        const found = receivers.flatMap(({ requests }) => requests).find(({ id }) => id === params['request'])
        return found === undefined ? refuse('consent/unknown-request') : { status: 200, body: found }
      },
    }),
    route({
      ...mine,
      path: '/v1/me/chain',
      summary: 'Who holds my records, and who got them from whom under which consent',
      answers: { 200: { description: 'Nodes and edges; each consent names the events that prove it' } },
      handle: async ({ tx, caller }) => {
        const patient = patientOf(caller)
        if (isRefusal(patient)) return patient
        return { status: 200, body: chainOf(await readSharingFacts(tx, patient)) satisfies Chain }
      },
    }),
    route({
      dialect: 'native',
      auth: 'patient',
      method: 'POST',
      once: true,
      // Stopping is as easy as allowing, or easier (DPDP s.6(4)): no code, no passkey.
      path: '/v1/me/sharing/:what/stop',
      summary:
        'Stops sharing at once: one consent, all of one request, or all to one receiver, by the id of any of these. To a receiver, or with `standing`, standing approvals and news end, too',
      body: z.object({ standing: z.boolean().default(false) }).strict(),
      answers: {
        200: {
          description: 'What stopped now, standing approvals and subscriptions among it, and what was over already',
        },
        404: { description: 'No consent of mine has to do with this id' },
      },
      handle: async ({ tx, caller, params, body: { standing } }) => {
        const [patient, actor] = [patientOf(caller), actorOf(caller)]
        if (isRefusal(patient)) return patient
        if (isRefusal(actor)) return actor
        const stopped = await stopSharing(tx, { patient, actor, what: params['what'] ?? '', standing })
        return isRefusal(stopped) ? stopped : { status: 200, body: stopped }
      },
    }),
  ]
}

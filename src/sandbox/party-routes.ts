import { z } from 'zod'
import type { Tx } from '../db/tx.ts'
import { FAULT_KINDS, type Faults } from '../http/faults.ts'
import { readContent } from '../http/message-content.ts'
import { readMessage } from '../http/message-log.ts'
import { type Route, route } from '../http/route.ts'
import { hurryJobs, listOpenJobs } from '../jobs/queue.ts'
import { makeId, parseId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { askReplay } from './replay.ts'
import { readTextMessages } from './text-messages.ts'

const sandbox = { dialect: 'native', auth: 'operator', once: false } as const
const TEXTS_SHOWN = 20

export const replayInput = z.object({ message: z.uuid(), as: z.enum(['same', 'new']) }).meta({ id: 'Replay' })
export const faultInput = z
  .object({
    kind: z.enum(FAULT_KINDS),
    path: z.string().min(1).max(LIMITS.textCharsMax).optional(),
    times: z.number().int().min(1).max(1_000).optional(),
    minutes: z.number().int().min(1).max(LIMITS.faultMinutesMax).default(10),
    delayMs: z.number().int().min(100).max(LIMITS.faultDelayMsMax).default(12_000),
    status: z.union([z.literal(500), z.literal(503)]).default(503),
  })
  .meta({ id: 'Fault' })

/** What every party of the sandbox lets its operator do: see whole messages, send them again, break it and mend it. */
export function partySandboxRoutes(needs: { readonly faults: Faults }): readonly Route[] {
  return [stateRoute(needs), messageRoute(), replayRoute(), hurryRoute(), ...faultRoutes(needs)]
}

function stateRoute({ faults }: { readonly faults: Faults }): Route {
  return route({
    ...sandbox,
    method: 'GET',
    path: '/v1/sandbox/state',
    summary: 'How this party is broken on purpose, what waits to leave it, the newest text messages',
    answers: { 200: { description: 'The state now' } },
    handle: async ({ tx }) => ({
      status: 200,
      body: {
        faults: faults.list(tx.now),
        jobs: await listOpenJobs(tx, { limit: LIMITS.pageSizeMax }),
        texts: await readTextMessages(tx, undefined, TEXTS_SHOWN),
      },
    }),
  })
}

function messageRoute(): Route {
  return route({
    ...sandbox,
    method: 'GET',
    path: '/v1/sandbox/messages/:id',
    summary: 'One message of the delivery log with headers, body and answer',
    answers: { 200: { description: 'The message' }, 404: { description: 'No such message' } },
    handle: async ({ tx, params }) => {
      const id = parseId<'message'>(params['id'] ?? '')
      const message = id === undefined ? undefined : await readMessage(tx.db, id)
      if (message === undefined) return refuse('request/not-found', 'There is no message with this id.')
      return { status: 200, body: { message, content: await readContent(tx.db, message.id) } }
    },
  })
}

function replayRoute(): Route {
  return route({
    ...sandbox,
    method: 'POST',
    path: '/v1/sandbox/replays',
    summary: 'Sends a message of ours once more: the same, as a retry would, or as a new one',
    body: replayInput,
    answers: { 202: { description: 'It leaves at once; the delivery log names it by this job' } },
    handle: async ({ tx, body }) => {
      const asked = await askReplay(tx, body)
      return isRefusal(asked) ? asked : { status: 202, body: asked }
    },
  })
}

function hurryRoute(): Route {
  return route({
    ...sandbox,
    method: 'POST',
    path: '/v1/sandbox/jobs/hurry',
    summary: 'Lets everything that waits for another try leave now',
    answers: { 202: { description: 'How many leave' } },
    handle: async ({ tx }) => ({ status: 202, body: { jobs: await hurryJobs(tx) } }),
  })
}

function faultRoutes({ faults }: { readonly faults: Faults }): readonly Route[] {
  return [
    route({
      ...sandbox,
      method: 'POST',
      path: '/v1/sandbox/faults',
      summary: 'Breaks this party for its partners, until mended or for some minutes',
      body: faultInput,
      answers: { 201: { description: 'The fault in force' } },
      handle: async ({ tx, body }) => {
        if (faults.list(tx.now).length >= LIMITS.faultsMax)
          return refuse('request/too-many', `At most ${LIMITS.faultsMax} faults at once. Mend some first.`)
        return { status: 201, body: faults.add(idOf(tx), inputOf(body, tx.now)) }
      },
    }),
    route({
      ...sandbox,
      method: 'DELETE',
      path: '/v1/sandbox/faults',
      summary: 'Mends everything',
      answers: { 200: { description: 'How many faults there were' } },
      handle: async () => ({ status: 200, body: { mended: faults.mend() } }),
    }),
    route({
      ...sandbox,
      method: 'DELETE',
      path: '/v1/sandbox/faults/:id',
      summary: 'Mends one fault',
      answers: { 200: { description: 'Mended' }, 404: { description: 'No such fault' } },
      handle: async ({ params }) =>
        faults.mend(params['id'] ?? '') === 0
          ? refuse('request/not-found', 'This fault is mended already.')
          : { status: 200, body: { mended: 1 } },
    }),
  ]
}

const idOf = (tx: Tx): string => makeId<'fault'>(tx.now, tx.random, toBucket(0))

function inputOf(body: z.output<typeof faultInput>, now: Date): Parameters<Faults['add']>[1] {
  const { kind, path, times, minutes, delayMs, status } = body
  return {
    kind,
    delayMs,
    status,
    until: new Date(now.getTime() + minutes * 60_000),
    ...(path === undefined ? {} : { path }),
    ...(times === undefined ? {} : { times }),
  }
}

import { z } from 'zod'
import type { OwnLog, OwnWitness } from '../audit/log.ts'
import { vkeyOf } from '../audit/log.ts'
import { receiptFor, receiptsAbout } from '../audit/receipts.ts'
import { announce, record } from '../audit/record.ts'
import { formatVkey } from '../crypto/signed-note.ts'
import type { Tx } from '../db/tx.ts'
import { readMessages } from '../http/message-log.ts'
import { type Route, route } from '../http/route.ts'
import { listOpenJobs, redeliverJob } from '../jobs/queue.ts'
import { type Caller, operatorOf } from '../kernel/caller.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { existingPatientKey } from '../vault/data-keys.ts'

type Needs = {
  readonly party: { readonly role: string; readonly id: string; readonly name: string }
  readonly ownLog: OwnLog
  readonly ownWitness: OwnWitness
}

const native = { dialect: 'native', once: false } as const

/** What every party has: who it is, its delivery log, its dead letters. */
export function operatorRoutes(needs: Needs): readonly Route[] {
  return [partyRoute(needs), ...logReaders(needs), ...deliveryRoutes()]
}

function partyRoute(needs: Needs): Route {
  return route({
    ...native,
    method: 'GET',
    path: '/v1/party',
    summary: 'Who this party is, and the keys by which its log and its cosignatures are verified',
    auth: 'none',
    answers: { 200: { description: 'The party' } },
    handle: async () => ({
      status: 200,
      body: {
        role: needs.party.role,
        id: needs.party.id,
        name: needs.party.name,
        log: { origin: needs.ownLog.signer.key.name, vkey: vkeyOf(needs.ownLog) },
        witness: { vkey: formatVkey(needs.ownWitness.cosigner.key) },
      },
    }),
  })
}

function logReaders(needs: Needs): readonly Route[] {
  return [
    route({
      ...native,
      method: 'GET',
      path: '/v1/events',
      summary: 'What our log recorded about one patient, newest first',
      auth: 'operator',
      query: z.object({
        patient: z.string(),
        before: z.uuid().optional(),
        limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
      }),
      answers: { 200: { description: 'Events' } },
      handle: async ({ tx, caller, query }) => {
        const before = query.before === undefined ? {} : { before: query.before as Id<'event'> }
        const found = await receiptsAbout(tx, query.patient, { limit: query.limit, ...before })
        await recordRead(tx, caller, query.patient, 'events')
        return { status: 200, body: found }
      },
    }),
    route({
      ...native,
      method: 'GET',
      path: '/v1/receipts/:event',
      summary: 'The receipt of one event; of a patient’s event when the patient is named',
      auth: 'operator',
      query: z.object({ patient: z.string().optional() }),
      answers: {
        200: { description: 'The receipt' },
        404: { description: 'No such event' },
        503: { description: 'Not yet in a checkpoint; ask again in a second' },
      },
      handle: async ({ tx, caller, params, query }) => {
        const id = parseId<'event'>(params['event'] ?? '')
        if (id === undefined) return refuse('request/not-found')
        const receipt = await receiptFor(tx, needs.ownLog, id, query.patient)
        if (isRefusal(receipt)) return receipt
        if (query.patient !== undefined) await recordRead(tx, caller, query.patient, `receipts/${id}`)
        return { status: 200, body: receipt }
      },
    }),
  ]
}

/** Who reads the log of a patient stands in it, too. Somebody unknown here has none, and gets no key for being asked about. */
async function recordRead(tx: Tx, caller: Caller, patient: string, what: string): Promise<void> {
  if ((await existingPatientKey(tx, patient)) === undefined) return
  await announce(tx, await record(tx, { type: 'log.read', actor: operatorOf(caller), patient, query: what } as const))
}

/** `GET /v1/jobs`: all, or those behind the `seq` of the last one seen. */
export const jobsQuery = z.object({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeMax),
})

function deliveryRoutes(): readonly Route[] {
  return [
    route({
      ...native,
      method: 'GET',
      path: '/v1/messages',
      summary: 'The delivery log: every HTTP message between parties, the newest page or all after one',
      auth: 'operator',
      query: z.object({
        after: z.coerce.number().int().min(0).optional(),
        limit: z.coerce.number().int().min(1).max(1000).default(500),
      }),
      answers: { 200: { description: 'Messages, oldest first; go on after the `seq` of the last' } },
      handle: async ({ tx, query }) => ({ status: 200, body: await readMessages(tx.db, query.after, query.limit) }),
    }),
    route({
      ...native,
      method: 'GET',
      path: '/v1/jobs',
      summary: 'What waits to leave, and the dead letters',
      auth: 'operator',
      query: jobsQuery,
      answers: { 200: { description: 'Jobs, oldest first; go on after the `seq` of the last' } },
      handle: async ({ tx, query }) => ({ status: 200, body: await listOpenJobs(tx, query) }),
    }),
    route({
      ...native,
      method: 'POST',
      path: '/v1/jobs/:id/redeliver',
      summary: 'Puts a dead letter back into the queue; all its tries are new',
      auth: 'operator',
      answers: { 202: { description: 'It leaves at once' }, 404: { description: 'No such dead letter' } },
      handle: async ({ tx, params }) => {
        const id = parseId<'job'>(params['id'] ?? '')
        return id !== undefined && (await redeliverJob(tx, id))
          ? { status: 202 }
          : refuse('request/not-found', 'There is no dead letter with this id.')
      },
    }),
  ]
}

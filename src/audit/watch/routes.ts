import { z } from 'zod'
import { parseSignedCheckpoint } from '../../crypto/checkpoint.ts'
import { formatVkey } from '../../crypto/signed-note.ts'
import { type Answer, type Route, route } from '../../http/route.ts'
import { enqueue } from '../../jobs/queue.ts'
import { operatorOf } from '../../kernel/caller.ts'
import { type Id, parseId } from '../../kernel/id.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { isRefusal, refuse } from '../../kernel/refusal.ts'
import { type OwnLog, verifierOfConfigured } from '../log.ts'
import { checkSigned } from '../verify.ts'
import { acknowledgeAlarm, listAlarms } from './alarm.ts'
import { SIGHTING_JOB, type SightingPayload } from './jobs.ts'

const native = { dialect: 'native', once: false } as const

/** Alarms for the operator, and a door for whoever saw a checkpoint of a log of our network. */
export function watchRoutes(log: OwnLog): readonly Route[] {
  return [...alarmRoutes(), sightingRoute(log)]
}

function alarmRoutes(): readonly Route[] {
  return [
    route({
      ...native,
      method: 'GET',
      path: '/v1/alarms',
      summary: 'Logs of the network that forked, were rolled back or stand still, newest first',
      auth: 'operator',
      query: z.object({ all: z.enum(['true', 'false']).default('false') }),
      answers: { 200: { description: 'Alarms; with all=true also those that ended or were acknowledged' } },
      handle: async ({ tx, query }) => ({
        status: 200,
        body: { alarms: await listAlarms(tx.db, { open: query.all === 'false', limit: LIMITS.pageSizeMax }) },
      }),
    }),
    route({
      ...native,
      method: 'POST',
      path: '/v1/alarms/:id/acknowledge',
      grave: true,
      summary: 'Says, with the reason, why work goes on; it stands in the log',
      auth: 'operator',
      body: z.object({ reason: z.string().trim().min(10).max(LIMITS.questionCharsMax) }).strict(),
      answers: { 200: { description: 'Acknowledged' }, 404: { description: 'No such open alarm' } },
      handle: async ({ tx, params, body, caller }) => {
        const id = parseId<'alarm'>(params['id'] ?? '')
        if (id === undefined) return refuse('request/not-found')
        const done = await acknowledgeAlarm(tx, id as Id<'alarm'>, { actor: operatorOf(caller), reason: body.reason })
        return isRefusal(done) ? done : { status: 200, body: done }
      },
    }),
  ]
}

/** Gossip: a checkpoint that somebody saw, such as that of a receipt, is compared with the log as it is served now. */
function sightingRoute(log: OwnLog): Route {
  return route({
    ...native,
    method: 'POST',
    path: '/log/sightings',
    summary: 'Hands in a signed checkpoint of a log of this network, to be compared with that log',
    auth: 'none',
    bodyBytesMax: LIMITS.witnessBodyBytesMax,
    answers: {
      202: { description: 'It will be compared' },
      403: { description: 'Not signed by a log of this network' },
      429: { description: 'Many wait already' },
    },
    handle: async ({ tx, raw }): Promise<Answer | ReturnType<typeof refuse>> => {
      const note = new TextDecoder().decode(raw)
      const parsed = parseSignedCheckpoint(note)
      if (isRefusal(parsed)) return parsed
      const { origin } = parsed.checkpoint
      const vkey =
        origin === log.signer.key.name
          ? formatVkey(log.signer.key)
          : log.policy?.logs.find((known) => known.origin === origin)?.vkey
      if (vkey === undefined) return refuse('log/note-unverified', `${origin} is no log of this network.`)
      const signed = checkSigned(note, verifierOfConfigured(vkey))
      if (isRefusal(signed)) return signed
      const waiting = await tx.db
        .selectFrom('job')
        .select('id')
        .where('kind', '=', SIGHTING_JOB)
        .where('status', '=', 'waiting')
        .limit(LIMITS.sightingsWaitingMax)
        .execute()
      if (waiting.length >= LIMITS.sightingsWaitingMax) return refuse('request/too-many')
      await enqueue(tx, { kind: SIGHTING_JOB, payload: { note } satisfies SightingPayload })
      return { status: 202 }
    },
  })
}

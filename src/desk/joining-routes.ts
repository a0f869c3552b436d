import { z } from 'zod'
import type { Tx } from '../db/tx.ts'
import { parsedText } from '../http/parsed-text.ts'
import { type Route, route } from '../http/route.ts'
import { OUTCOMES } from '../incidents/emergency.ts'
import { staffOf } from '../kernel/caller.ts'
import { type FacilityId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { parsePlaceInParts } from '../kernel/list-place.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { readPatient } from '../records/commands.ts'
import { staffNames } from './colleagues.ts'
import type { Joining } from './joining.ts'
import { listJoinings, reviewJoining } from './joining-commands.ts'

/** `GET /v1/desk/joinings` */
const joiningsQuery = z.object({
  after: parsedText(
    (text) => parsePlaceInParts(text, (name) => parseId<'joining'>(name)),
    'must be the `next` of an answer',
  ).optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeMax),
})
/** `POST /v1/desk/joinings/:id/review` */
const joiningReview = z
  .object({ outcome: z.enum(OUTCOMES), words: z.string().trim().min(10).max(1_000) })
  .strict()
  .meta({ id: 'JoiningReview' })

const common = { dialect: 'native', auth: 'staff', act: 'emergency.review' } as const

/** Who joined the treatment of a patient by herself, and the reviews. */
export function joiningRoutes(needs: { readonly facility: { readonly id: FacilityId } }): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path: '/v1/desk/joinings',
      summary:
        'Who added herself to those who attend a patient: what waits for a review first, the most urgent on top.',
      once: false,
      query: joiningsQuery,
      answers: { 200: { description: 'Joinings; with `next`, ask again with it as `after`.' } },
      handle: async ({ tx, query }) => {
        const names = await staffNames(tx)
        const { joinings: rows, ...more } = await listJoinings(tx, query)
        const joinings: object[] = []
        for (const joining of rows) joinings.push(await show(tx, joining, names))
        return { status: 200, body: { joinings, ...more } }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/joinings/:id/review',
      summary: 'Writes down what the review found. Nobody reviews herself.',
      once: true,
      body: joiningReview,
      answers: {
        204: { description: 'Reviewed.' },
        403: { description: 'It is your own.' },
        404: { description: 'There is none.' },
        409: { description: 'It is reviewed already.' },
      },
      handle: async ({ tx, caller, params, body }) => {
        const id = parseId<'joining'>(params['id'] ?? '')
        if (id === undefined) return refuse('desk/unknown-joining')
        const reviewed = await reviewJoining(tx, needs, staffOf(caller), { id, ...body })
        return isRefusal(reviewed) ? reviewed : { status: 204 }
      },
    }),
  ]
}

/** Without clinical content: the reviewer reads who, when and why. */
async function show(tx: Tx, joining: Joining, names: Awaited<ReturnType<typeof staffNames>>): Promise<object> {
  const { id, patientReference: reference, status, words, joinedAt, reviewBy, review, name, role } = joining
  const patient = await readPatient(tx, reference)
  return {
    id,
    status,
    words,
    joinedAt,
    reviewBy,
    isOverdue: status === 'waiting' && reviewBy < tx.now,
    person: { name, role },
    patient: { reference, ...(isRefusal(patient) ? {} : { name: patient.name }) },
    ...(review === undefined ? {} : { review: { ...review, by: names.get(review.by)?.name ?? '' } }),
  }
}

import { z } from 'zod'
import { EMERGENCY_REASONS, type EmergencyReason } from '../consent/emergency.ts'
import type { Tx } from '../db/tx.ts'
import { parsedText } from '../http/parsed-text.ts'
import { type Route, route } from '../http/route.ts'
import {
  breakGlass,
  type EmergencyNeeds,
  endOwnEmergency,
  listEmergencies,
  openEmergencyOf,
  reviewEmergency,
} from '../incidents/commands.ts'
import { type EmergencyAccess, isOpen, OUTCOMES } from '../incidents/emergency.ts'
import { noteLetterSent } from '../incidents/tell-commands.ts'
import { type StaffCaller, staffOf } from '../kernel/caller.ts'
import { parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { parsePlaceInParts } from '../kernel/list-place.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { readPatient } from '../records/commands.ts'
import { staffNames } from './colleagues.ts'
import { type DeskConsent, readDeskConsent } from './consents.ts'

const common = { dialect: 'native', auth: 'staff' } as const
const words = z.string().trim().min(10).max(1_000)
const REASONS = Object.keys(EMERGENCY_REASONS) as [EmergencyReason, ...EmergencyReason[]]

/** `POST /v1/desk/patients/:reference/emergency` */
const emergencyOrder = z
  .object({ reason: z.enum(REASONS), words, stepUp: z.string() })
  .meta({ id: 'DeskEmergencyOrder' })
/** `GET /v1/desk/emergencies` */
const emergenciesQuery = z.object({
  after: parsedText(
    (text) => parsePlaceInParts(text, (name) => parseId<'emergency'>(name)),
    'must be the `next` of an answer',
  ).optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeMax),
})
/** `POST /v1/desk/emergencies/:id/review` */
const emergencyReview = z.object({ outcome: z.enum(OUTCOMES), words }).meta({ id: 'EmergencyReview' })

/** Breaking the glass at the desk, and its reviews. */
export function deskEmergencyRoutes(needs: EmergencyNeeds): readonly Route[] {
  return [...openingRoutes(needs), ...reviewRoutes(needs), letterRoute(needs)]
}

function openingRoutes(needs: EmergencyNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path: '/v1/desk/patients/:reference/emergency',
      act: 'emergency.open',
      summary:
        'The access to this patient that I opened in an emergency, while it is open; and what comes from other facilities.',
      once: false,
      answers: { 200: { description: 'The access, or nothing.' } },
      handle: async ({ tx, caller, params }) => {
        const open = await openEmergencyOf(tx, params['reference'] ?? '', staffOf(caller).id)
        if (open === undefined) return { status: 200, body: { emergency: null } }
        const others = await othersOf(tx, needs, staffOf(caller), open)
        return { status: 200, body: { emergency: showOwn(open), others } }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/patients/:reference/emergency',
      act: 'emergency.open',
      summary:
        'Breaks the glass: opens this patient to me for minutes. The patient is told at once; it will be reviewed.',
      once: true,
      body: emergencyOrder,
      stepUp: { act: 'emergency.open', subject: ({ params }) => params['reference'] ?? '' },
      answers: {
        201: { description: 'Open.' },
        403: { description: 'The step-up is missing or spent.' },
        404: { description: 'There is no such patient.' },
      },
      handle: async ({ tx, caller, params, body }) => {
        const order = { patient: params['reference'] ?? '', reason: body.reason, words: body.words }
        const opened = await breakGlass(tx, needs, staffOf(caller), order)
        return isRefusal(opened) ? opened : { status: 201, body: showOwn(opened) }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/emergencies/:id/end',
      act: 'emergency.open',
      summary: 'Ends my own access before its time.',
      once: true,
      answers: { 200: { description: 'Ended.' }, 404: { description: 'There is none of mine.' } },
      handle: async ({ tx, caller, params }) => {
        const id = parseId<'emergency'>(params['id'] ?? '')
        if (id === undefined) return refuse('incidents/unknown-emergency')
        const ended = await endOwnEmergency(tx, needs, staffOf(caller), id)
        return isRefusal(ended) ? ended : { status: 200, body: showOwn(ended) }
      },
    }),
  ]
}

function reviewRoutes(needs: EmergencyNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path: '/v1/desk/emergencies',
      act: 'emergency.review',
      summary: 'The review list: what waits first, the most urgent on top.',
      once: false,
      query: emergenciesQuery,
      answers: { 200: { description: 'Accesses in emergencies; with `next`, ask again with it as `after`.' } },
      handle: async ({ tx, query }) => {
        const names = await staffNames(tx)
        const { emergencies: rows, ...more } = await listEmergencies(tx, query)
        const emergencies = await Promise.all(
          rows.map(async (access) => ({
            ...showOwn(access),
            isOverdue: access.status !== 'reviewed' && access.reviewBy < tx.now,
            isOpen: isOpen(access, tx.now),
            person: { name: access.name, role: access.role },
            patient: await nameOf(tx, access.patientReference),
            ...(access.review === undefined
              ? {}
              : { review: { ...access.review, by: names.get(access.review.by)?.name ?? '' } }),
          })),
        )
        return { status: 200, body: { emergencies, ...more } }
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/v1/desk/emergencies/:id/review',
      act: 'emergency.review',
      summary: 'Writes down what the review found. Nobody reviews what they opened themselves.',
      once: true,
      body: emergencyReview,
      answers: {
        200: { description: 'Reviewed.' },
        403: { description: 'It is your own.' },
        404: { description: 'There is none.' },
        409: { description: 'It is still open, or reviewed already.' },
      },
      handle: async ({ tx, caller, params, body }) => {
        const id = parseId<'emergency'>(params['id'] ?? '')
        if (id === undefined) return refuse('incidents/unknown-emergency')
        const reviewed = await reviewEmergency(tx, needs, staffOf(caller), { id, ...body })
        return isRefusal(reviewed) ? reviewed : { status: 200, body: showOwn(reviewed) }
      },
    }),
  ]
}

function letterRoute(needs: EmergencyNeeds): Route {
  return route({
    ...common,
    method: 'POST',
    path: '/v1/desk/emergencies/:id/letter',
    act: 'emergency.review',
    summary: 'Says that the letter went out to a patient whom no text message reaches.',
    once: true,
    answers: {
      200: { description: 'Written down.' },
      404: { description: 'There is none.' },
      409: { description: 'The patient was told, or is told by another way.' },
    },
    handle: async ({ tx, caller, params }) => {
      const id = parseId<'emergency'>(params['id'] ?? '')
      if (id === undefined) return refuse('incidents/unknown-emergency')
      const noted = await noteLetterSent(tx, needs, staffOf(caller), id)
      return isRefusal(noted) ? noted : { status: 200, body: showOwn(noted) }
    },
  })
}

/** How far the request for records of others has come; null when nobody was asked. */
async function othersOf(
  tx: Tx,
  needs: EmergencyNeeds,
  staff: StaffCaller,
  { consent }: EmergencyAccess,
): Promise<DeskConsent | null> {
  if (consent === undefined) return null
  const found = await readDeskConsent(tx, needs, staff, consent)
  return isRefusal(found) ? null : found
}

/** Without clinical content: the reviewer reads who, when and why. */
function showOwn(access: EmergencyAccess): object {
  const { id, patientReference, reason, words: said, status, openedAt, until, endedAt, reviewBy } = access
  const { told, toldAt, onPaper } = access
  return {
    id,
    patientReference,
    reason,
    words: said,
    status,
    openedAt,
    until,
    endedAt,
    reviewBy,
    told,
    toldAt,
    onPaper,
  }
}

async function nameOf(tx: Tx, reference: string): Promise<{ readonly reference: string; readonly name?: string }> {
  const patient = await readPatient(tx, reference)
  return isRefusal(patient) ? { reference } : { reference, name: patient.name }
}

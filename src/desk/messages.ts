import { z } from 'zod'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { SERVED_FILTERS } from '../hip/store-served.ts'
import { parsedText } from '../http/parsed-text.ts'
import { parseFacilityId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { parsePlace } from '../kernel/list-place.ts'
import { PURPOSES, type PurposeCode } from '../policy/purpose.ts'
import { newPatient, patientReference } from '../records/messages.ts'
import { VISIT_KINDS } from './visit.ts'

/** What the desk's screens send. Who asks is never in a body: it is the person who signed in. */

export const patientSearch = z
  .object({ text: z.string().trim().min(1).max(LIMITS.textCharsMax) })
  .strict()
  .meta({ id: 'PatientSearch' })

/** Without `reference` the desk gives the next number. */
export const deskPatient = newPatient
  .extend({ reference: patientReference.optional() })
  .strict()
  .meta({ id: 'DeskPatient' })

/** What we know of a patient, anew; her number stays. */
export const patientChange = newPatient.omit({ reference: true }).strict().meta({ id: 'PatientChange' })

const attendant = z.string().min(1).max(60)

export const newVisit = z
  .object({
    patient: patientReference,
    kind: z.enum(VISIT_KINDS, `must be one of ${VISIT_KINDS.join(', ')}`).default('outpatient'),
    attendants: z.array(attendant).max(20).default([]),
  })
  .strict()
  .meta({ id: 'NewVisit' })

export const attendantsChange = z
  .object({
    add: z.array(attendant).max(20).default([]),
    remove: z.array(attendant).max(20).default([]),
    /** Why one adds oneself to those who attend somebody else's visit. */
    reason: z.string().trim().min(10).max(1_000).optional(),
  })
  .strict()
  .meta({ id: 'AttendantsChange' })

/** `GET /v1/desk/today` */
export const todayQuery = z.object({
  after: parsedText((text) => parseId<'visit'>(text), 'must be the id of a visit').optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeMax),
})

const days = z.number().int().min(1).max(20_000)

export const deskAsk = z
  .object({
    patient: patientReference,
    template: z.string().min(1).max(60),
    hiTypes: z.array(z.enum(HI_TYPES)).min(1).max(LIMITS.hiTypesMax).optional(),
    lookBackDays: days.optional(),
    keepDays: days.optional(),
    hip: z
      .object({
        id: parsedText(parseFacilityId, 'must be a facility id such as IN2710000011'),
        name: z.string().trim().min(1).max(LIMITS.textCharsMax).optional(),
      })
      .strict()
      .optional(),
  })
  .strict()
  .meta({ id: 'DeskAsk' })

export const consentsQuery = z.object({
  state: z.enum(['waiting', 'live', 'ended']).optional(),
  patient: patientReference.optional(),
})

const limit = z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault)
const place = parsedText(parsePlace, 'must be the `next` of an answer').optional()
export const heldQuery = z.object({
  before: z.uuid().optional(),
  status: z.enum(['GRANTED', 'REVOKED', 'EXPIRED']).optional(),
  limit,
})
export const servedQuery = z.object({
  what: z.enum(SERVED_FILTERS).default('all'),
  consent: z.uuid().optional(),
  before: place,
  limit,
})
export const erasedQuery = z.object({ before: place, limit })
/** The list goes forward in time. */
export const keptQuery = z.object({ after: place, limit })

/** Why somebody reads. Who reads, and in which role, is the person who signed in. */
const readingOrder = z
  .object({ purpose: z.enum(Object.keys(PURPOSES) as [PurposeCode, ...PurposeCode[]]) })
  .strict()
  .meta({ id: 'ReadingOrder' })

/** The same for one page: below a place in the list, of some kinds alone. */
export const pageOrder = readingOrder
  .extend({
    hiTypes: z.array(z.enum(HI_TYPES)).min(1).max(LIMITS.hiTypesMax).optional(),
    below: z
      .object({
        date: z.iso
          .datetime({ message: 'must be a date and time such as 2026-01-31T10:00:00Z' })
          .transform((text) => new Date(text)),
        id: z.uuid(),
      })
      .strict()
      .optional(),
  })
  .strict()
  .meta({ id: 'ReadingPageOrder' })

/** For what purpose the records of a patient leave as a file, and the proof of who takes them. */
export const exportOrder = readingOrder
  .extend({ stepUp: z.string().max(60).default('') })
  .strict()
  .meta({ id: 'ExportOrder' })

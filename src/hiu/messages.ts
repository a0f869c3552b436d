import { z } from 'zod'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { parsedText } from '../http/parsed-text.ts'
import { shownName } from '../http/shown-words.ts'
import { parseAbhaAddress, parseFacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { parsePlace } from '../kernel/list-place.ts'
import { PURPOSES, type PurposeCode } from '../policy/purpose.ts'

/** What staff and hospital software send to their own facility as user of records. */

const abhaAddress = parsedText(parseAbhaAddress, 'must be an ABHA address such as asha.rao@sbx')
const facilityId = parsedText(parseFacilityId, 'must be a facility id such as IN2710000011')
const text = z.string().trim().min(1).max(LIMITS.textCharsMax)
const name = shownName(LIMITS.textCharsMax)
const moment = z.iso
  .datetime({ offset: true, message: 'must be a date and time such as 2026-01-31T10:00:00Z' })
  .transform((written) => new Date(written))
const purpose = z.enum(
  Object.keys(PURPOSES) as [PurposeCode, ...PurposeCode[]],
  `must be one of ${Object.keys(PURPOSES).join(', ')}`,
)
const period = z
  .object({ from: moment, to: moment })
  .refine(({ from, to }) => from < to, { message: 'must begin before it ends', path: ['from'] })
/** As ABDM allows in careContextReference (protocol sheet 1.2 (2)). */
const reference = z
  .string()
  .min(1)
  .max(LIMITS.textCharsMax)
  .regex(/^[a-zA-Z0-9_\-@,().\\"/:| ]*$/, 'may hold letters, digits, blanks and _-@,().\\"/:| only')

/** `POST /v1/consent-requests`. */
export const newConsentRequest = z
  .object({
    patient: abhaAddress,
    purpose,
    hiTypes: z.array(z.enum(HI_TYPES)).min(1).max(LIMITS.hiTypesMax),
    from: moment,
    to: moment,
    dataEraseAt: moment,
    frequency: z
      .object({
        unit: z.enum(['HOUR', 'DAY', 'WEEK', 'MONTH', 'YEAR']),
        value: z.number().int().min(1).max(10_000),
        repeats: z.number().int().min(0).max(10_000),
      })
      .default({ unit: 'HOUR', value: 1, repeats: 1 }),
    accessMode: z.enum(['VIEW', 'STORE', 'QUERY', 'STREAM']).default('VIEW'),
    requester: z
      .object({ name, registrationNumber: text.optional(), registrationSystem: z.string().max(500).optional() })
      .strict(),
    hip: z.object({ id: facilityId, name: text.optional() }).strict().optional(),
    careContexts: z
      .array(z.object({ patientReference: reference, careContextReference: reference }).strict())
      .max(LIMITS.careContextsPerConsentMax)
      .default([]),
  })
  .strict()
  .refine(({ from, to }) => from < to, { message: 'must be before `to`', path: ['from'] })
  .meta({ id: 'NewConsentRequest' })

/** A place in a list by date, as an answer named it in `next`. */
const before = parsedText(parsePlace, 'must be the `next` of an answer').optional()

export const listQuery = z.object({
  patient: abhaAddress.optional(),
  before,
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
})

/** `GET /v1/copies/kept`: the list goes forward in time. */
export const keptQuery = listQuery.pick({ limit: true }).extend({ after: before })

export const recordsQuery = listQuery.extend({ patient: abhaAddress })

const person = z.object({ name, role: name }).strict()

/** `POST /v1/records/:id/view`: who looks, and what for. The patient will read it. */
export const viewOrder = z.object({ person, purpose }).strict().meta({ id: 'ViewOrder' })

/** `POST /v1/records/view`: everything of one patient, newest first, from below a place. */
export const viewAllOrder = z
  .object({ patient: abhaAddress, person, purpose, before })
  .strict()
  .meta({ id: 'ViewAllOrder' })

/** `POST /v1/consent-requests/:id/fetch`. Without `artefact`: of every artefact in force. */
export const fetchOrder = z.object({ artefact: z.uuid().optional() }).strict().meta({ id: 'FetchOrder' })

/** `POST /v1/subscriptions`. */
export const newSubscription = z
  .object({
    patient: abhaAddress,
    purpose,
    hips: z.array(facilityId).max(LIMITS.pageSizeMax).default([]),
    categories: z
      .array(z.enum(['LINK', 'DATA']))
      .min(1)
      .max(2),
    period,
  })
  .strict()
  .meta({ id: 'NewSubscription' })

/** A legal claim on a copy. `reference`: number of the case or file, no health data. */
export const claimOrder = z
  .object({
    until: z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
    reference: z.string().min(1).max(100),
  })
  .strict()

import { z } from 'zod'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { parseAbhaAddress, parseFacilityId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { PURPOSES, type PurposeCode } from '../policy/purpose.ts'

/** What software of partners asks on our own wire. */

function parsed<T>(parse: (text: string) => T | undefined, what: string) {
  return z.string().transform((text, ctx) => {
    const value = parse(text)
    if (value !== undefined) return value
    ctx.addIssue({ code: 'custom', message: `must be ${what}` })
    return z.NEVER
  })
}

const facility = parsed(parseFacilityId, 'a facility id')
const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text))
const uuid = parsed(parseId<'artefact'>, 'a UUID')

/** A page of a list, newest first; `before` is what the page before ended with. */
export const partnerPage = z.object({
  before: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
})

/** `POST /v1/decisions` at an exchange: may this be shared? One of the two facilities is the asker's own. */
export const decisionAsk = z
  .object({
    patient: parsed(parseAbhaAddress, 'an ABHA address'),
    /** Who would get it. */
    recipient: facility,
    /** Who has it. */
    holder: facility,
    purpose: z.enum(Object.keys(PURPOSES) as [PurposeCode, ...PurposeCode[]]),
    hiTypes: z.array(z.enum(HI_TYPES)).min(1).max(LIMITS.hiTypesMax),
    /** Dates of the records. */
    from: moment,
    to: moment,
  })
  .strict()
  .meta({ id: 'DecisionAsk' })

/** `POST /v1/decisions` at a facility: may this be shared with us under this consent? Without dates: all that it covers. */
export const sharingAsk = z
  .object({ consentId: uuid, from: moment.optional(), to: moment.optional() })
  .strict()
  .refine(({ from, to }) => (from === undefined) === (to === undefined), {
    path: ['to'],
    message: 'must be there exactly when from is',
  })
  .meta({ id: 'SharingAsk' })

export const receiptQuery = z.object({ patient: parsed(parseAbhaAddress, 'an ABHA address').optional() })

import { z } from 'zod'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { shownWords } from '../http/shown-words.ts'
import { parseFacilityId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { parseLanguage } from '../notices/languages.ts'
import { PURPOSES, type PurposeCode } from '../policy/purpose.ts'

/** What the patient app sends about requests and standing choices. */

const uuid = <Kind extends string>() =>
  z.string().transform((text, ctx) => {
    const id = parseId<Kind>(text)
    if (id !== undefined) return id
    ctx.addIssue({ code: 'custom', message: 'must be a UUID' })
    return z.NEVER
  })
const facility = z.string().transform((text, ctx) => {
  const id = parseFacilityId(text)
  if (id !== undefined) return id
  ctx.addIssue({ code: 'custom', message: 'must be the id of a facility' })
  return z.NEVER
})
const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text))
const hiTypes = z
  .array(z.enum(HI_TYPES))
  .min(1, 'must name at least one kind of record')
  .max(LIMITS.hiTypesMax)
  .transform((types) => [...new Set(types)])
const reference = z.string().min(1).max(LIMITS.textCharsMax)
/** Words of a person: without control characters, which no wire takes. */
const words = shownWords(LIMITS.textCharsMax).regex(/^[^\p{Cc}]*$/u, 'must be one line of text')
const period = z
  .object({ from: moment, to: moment })
  .refine(({ from, to }) => from < to, { message: 'must begin before it ends', path: ['from'] })

/** The proof anew; only a caller who came with a token, from an app that asks its own proof, may leave it out. */
const stepUp = z.string().max(100).default('')

/** Query of `GET /v1/me/requests`. */
export const requestsQuery = z.object({
  status: z.enum(['waiting', 'decided']).default('waiting'),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
  offset: z.coerce.number().int().min(0).max(100_000).default(0),
})

/** `GET /v1/me/subscriptions` */
export const subscriptionsQuery = requestsQuery.omit({ status: true })

/** `POST /v1/me/requests/:id/notice` */
export const noticeBody = z
  .object({
    language: z
      .string()
      .max(35)
      .transform((tag, ctx) => {
        const language = parseLanguage(tag)
        if (language !== undefined) return language
        ctx.addIssue({ code: 'custom', message: 'must be English or a language of the Eighth Schedule, such as hi' })
        return z.NEVER
      }),
  })
  .meta({ id: 'NoticeWanted' })

/** `POST /v1/me/requests/:id/allow`: one item for each provider. How often, and how, is as it was asked. */
export const allowBody = z
  .object({
    notice: uuid<'shown-notice'>(),
    stepUp,
    consents: z
      .array(
        z.object({
          hip: facility,
          hiTypes,
          careContexts: z
            .array(z.object({ patientReference: reference, careContextReference: reference }))
            .min(1, 'must name at least one visit or report')
            .max(LIMITS.careContextsPerConsentMax),
          period,
          eraseAt: moment,
        }),
      )
      .min(1, 'must hold at least one item; to give nothing, deny the request')
      .max(LIMITS.artefactsPerRequestMax),
  })
  .meta({ id: 'RequestAllowed' })

/** `POST /v1/me/requests/:id/deny`, and of subscriptions. */
export const denyBody = z.object({ reason: words.default('') }).meta({ id: 'RequestDenied' })

const purposeCodes = Object.keys(PURPOSES) as [PurposeCode, ...PurposeCode[]]

/** `POST /v1/me/policies`. Without `hips`: of every provider. */
export const policyBody = z
  .object({
    stepUp,
    hiu: facility,
    purpose: z.enum(purposeCodes),
    hiTypes,
    hips: z.array(facility).min(1).max(LIMITS.policySourcesMax).optional(),
    /** Dates of the records. */
    period,
  })
  .meta({ id: 'PolicyWanted' })

/** `POST /v1/me/policies/:id/enable` */
export const policyEnableBody = z.object({ stepUp }).meta({ id: 'PolicyEnabled' })

/** `POST /v1/me/subscriptions/:id/approve`. What it does not say is as it was asked. */
export const subscriptionBody = z
  .object({
    hips: z.array(facility).min(1).max(LIMITS.policySourcesMax).optional(),
    categories: z
      .array(z.enum(['LINK', 'DATA']))
      .min(1)
      .max(2)
      .optional(),
    until: moment.optional(),
    stepUp,
  })
  .meta({ id: 'SubscriptionApproved' })

/** `POST /v1/me/subscriptions/:id/enable` */
export const subscriptionEnableBody = z.object({ stepUp }).meta({ id: 'SubscriptionEnabled' })

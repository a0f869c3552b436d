import { z } from 'zod'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { parsedText } from '../http/parsed-text.ts'
import { parseFacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { ContextPlace } from '../linking/care-context.ts'
import { EXPORT_FORMS, OPENING_FAULTS } from '../transfer/own-fetch.ts'

/** Messages of the patient's own records at the exchange: what her page sends. */

const hip = z.string().transform((text, ctx) => {
  const id = parseFacilityId(text)
  if (id === undefined) {
    ctx.addIssue({ code: 'custom', message: 'must be a facility id' })
    return z.NEVER
  }
  return id
})
const day = z.iso.datetime().transform((text) => new Date(text))

/** `POST /v1/me/records/fetch`. */
export const ownFetchAsk = z
  .object({
    keyMaterial: z.object({
      cryptoAlg: z.literal('ECDH').optional(),
      curve: z.literal('Curve25519').optional(),
      dhPublicKey: z.object({ keyValue: z.string().min(1).max(LIMITS.keyValueCharsMax) }),
      nonce: z.string().min(1).max(50),
    }),
    hips: z.array(hip).min(1).max(LIMITS.artefactsPerRequestMax).optional(),
    hiTypes: z.array(z.enum(HI_TYPES)).min(1).max(LIMITS.hiTypesMax).optional(),
    range: z
      .object({ from: day, to: day })
      .refine(({ from, to }) => from < to, 'must begin before it ends')
      .optional(),
  })
  .meta({ id: 'OwnFetchAsk' })

/** `GET /v1/me/records/fetch/:id/pages`. */
export const pagesQuery = z.object({ after: z.coerce.number().int().min(0).max(1_000_000).default(0) })

/** `POST /v1/me/records/fetch/:id/opened`: no words of a document, only which one did not open. */
export const openedPages = z
  .object({
    pages: z
      .array(
        z.object({
          seq: z.number().int().min(1),
          entries: z
            .array(
              z.object({
                careContextReference: z.string().min(1).max(LIMITS.textCharsMax),
                fault: z.enum(OPENING_FAULTS).optional(),
              }),
            )
            .max(LIMITS.pushEntriesMax),
        }),
      )
      .min(1)
      .max(LIMITS.collectPagesMax),
  })
  .meta({ id: 'OpenedPages' })

/** `POST /v1/me/records/export` */
export const ownExport = z
  .object({ form: z.enum(EXPORT_FORMS), stepUp: z.string().max(100).default('') })
  .meta({ id: 'OwnExport' })

const text = z.string().trim().min(1).max(LIMITS.textCharsMax)

/** `POST /v1/me/linking`. */
export const linkingAsk = z
  .object({
    hip,
    identifiers: z
      .array(z.object({ type: z.literal('MR'), value: text }))
      .max(3)
      .default([]),
  })
  .meta({ id: 'LinkingAsk' })

/** `POST /v1/me/linking/:transaction/choose`. */
export const linkingChoice = z
  .object({
    chosen: z
      .array(
        z.object({
          patientReference: text,
          careContextReference: text,
          hiType: z.enum(HI_TYPES),
        }),
      )
      .min(1, 'must name at least one record')
      .max(LIMITS.careContextsFoundMax),
  })
  .meta({ id: 'LinkingChoice' })

/** `POST /v1/me/linking/:transaction/confirm`. */
export const linkingCode = z.object({ code: z.string().trim().min(1).max(20) }).meta({ id: 'LinkingCode' })

/** `POST /v1/me/shares`. */
export const shareAsk = z.object({ hip, counter: text }).meta({ id: 'ShareAsk' })

/** `GET /v1/me/hospitals`. */
export const hospitalsQuery = z.object({
  search: z.string().trim().max(100).optional(),
  after: parsedText(parseFacilityId, 'must be the `next` of an answer').optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeMax),
})

/** The place of a care context in the list of links, as one word of an address; only who wrote it reads it. */
export function linkPlaceWord({
  hip: facility,
  linkedAt,
  patientReference,
  careContextReference,
  hiType,
}: ContextPlace): string {
  const place = [facility, linkedAt.toISOString(), patientReference, careContextReference, hiType]
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

const reference = z.string().min(1).max(LIMITS.textCharsMax)
const linkPlace = z.tuple([hip, z.iso.datetime(), reference, reference, z.enum(HI_TYPES)])

function parseLinkPlace(word: string): ContextPlace | undefined {
  try {
    const parsed = linkPlace.safeParse(JSON.parse(Buffer.from(word, 'base64url').toString()))
    if (!parsed.success) return undefined
    const [facility, linkedAt, patientReference, careContextReference, hiType] = parsed.data
    return { hip: facility, linkedAt: new Date(linkedAt), patientReference, careContextReference, hiType }
  } catch {
    return undefined
  }
}

/** `GET /v1/me/links`. */
export const linksQuery = z.object({
  after: z
    .string()
    .max(LIMITS.placeCharsMax)
    .transform((word, ctx) => {
      const place = parseLinkPlace(word)
      if (place !== undefined) return place
      ctx.addIssue({ code: 'custom', message: 'must be the `next` of an answer' })
      return z.NEVER
    })
    .optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
})

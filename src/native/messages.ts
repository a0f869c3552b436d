import { z } from 'zod'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'

/** Messages of our own wire: what a facility tells an Amanat exchange beyond ABDM. */

const uuid = <Kind extends string>() =>
  z.string().transform((text, ctx) => {
    const id = parseId<Kind>(text)
    if (id === undefined) {
      ctx.addIssue({ code: 'custom', message: 'must be a UUID' })
      return z.NEVER
    }
    return id
  })
const text = z.string().min(1).max(LIMITS.textCharsMax)

/** `POST /v1/accesses`: a person looked at records received under a consent. */
export const accessReport = z
  .object({
    consentId: uuid<'artefact'>(),
    at: z.iso.datetime(),
    person: z.object({ name: text, role: text }),
    purpose: text,
    what: z
      .array(z.object({ hiType: z.enum(HI_TYPES), careContextReference: text }))
      .min(1)
      .max(500),
  })
  .meta({ id: 'AccessReport' })

/** `POST /v1/erasures`: the copy received under a consent is gone. */
export const erasureReport = z
  .object({
    consentId: uuid<'artefact'>(),
    erasedAt: z.iso.datetime(),
    reason: z.enum(['REVOKED', 'EXPIRED', 'DENIED']),
    documents: z.number().int().min(0),
    /** Hashes of the erased documents, so that it can be shown which copies are meant. */
    sha256: z.array(z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex')).max(10_000),
  })
  .meta({ id: 'ErasureReport' })

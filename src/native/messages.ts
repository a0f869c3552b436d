import { z } from 'zod'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { shownName, shownWords } from '../http/shown-words.ts'
import { parseAbhaAddress, parseId } from '../kernel/id.ts'
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
const abhaAddress = z.string().transform((value, ctx) => {
  const address = parseAbhaAddress(value)
  if (address === undefined) {
    ctx.addIssue({ code: 'custom', message: 'must be an ABHA address' })
    return z.NEVER
  }
  return address
})
const text = shownWords(LIMITS.textCharsMax).min(1)
const name = shownName(LIMITS.textCharsMax)

/**
 * `POST /v1/accesses`: a person looked at records. With `consentId`: at those received under a consent. With `patient` and `basis`: at
 * the facility's own, in treating the patient or in an emergency; with the basis `page` at the page of the patient and at no record, so
 * that there is neither a purpose nor what was read.
 */
export const accessReport = z
  .object({
    consentId: uuid<'artefact'>().optional(),
    patient: abhaAddress.optional(),
    basis: z.enum(['own-care', 'emergency', 'page']).optional(),
    /** Whether the person attended the patient then, or her unit worked for the patient: false when nothing but her own word says so. */
    attending: z.boolean().optional(),
    /** She added herself to those who attend. */
    joined: z.boolean().optional(),
    /** They were taken out as a file, not read on a screen. */
    asFile: z.boolean().optional(),
    at: z.iso.datetime(),
    person: z.object({ name, role: name }),
    purpose: text.optional(),
    what: z
      .array(z.object({ hiType: z.enum(HI_TYPES), careContextReference: text }))
      .min(1)
      .max(500)
      .optional(),
  })
  .refine(
    ({ consentId, patient, basis }) => (consentId === undefined) === (patient !== undefined && basis !== undefined),
    {
      path: ['consentId'],
      message: 'must be there, or patient and basis in its place',
    },
  )
  .refine(({ basis, purpose }) => (basis === 'page') === (purpose === undefined), {
    path: ['purpose'],
    message: 'must be there, but not for a page without records',
  })
  .refine(({ basis, what }) => (basis === 'page') === (what === undefined), {
    path: ['what'],
    message: 'must be there, but not for a page without records',
  })
  .meta({ id: 'AccessReport' })

/** `POST /v1/retentions`: a consent has ended, and a law keeps its copy, sealed and unread, until a day. */
export const retentionReport = z
  .object({
    consentId: uuid<'artefact'>(),
    until: z.iso.datetime(),
    reason: z.enum(['clinical-records', 'processing-records', 'legal-claim']),
    /** The law, as the patient may look it up. */
    law: z.string().min(1).max(255),
  })
  .meta({ id: 'RetentionReport' })

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

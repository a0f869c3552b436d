import { z } from 'zod'
import { documentInput } from '../fhir/build/inputs.ts'
import { parsedText } from '../http/parsed-text.ts'
import { shownName } from '../http/shown-words.ts'
import { parseAbhaAddress, parseAbhaNumber } from '../kernel/id.ts'
import { parseMobile } from './patient.ts'
import { isCareContextReference } from './record.ts'

/** The facility's own number for a patient; it travels as patientReference. */
export const patientReference = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.@/:-]{0,59}$/, 'letters, digits and _.@/:- only, at most 60')

/** `POST /v1/patients`. */
export const newPatient = z
  .object({
    reference: patientReference,
    name: shownName(200),
    gender: z.enum(['male', 'female', 'other', 'unknown']),
    birthDate: z.iso.date(),
    abhaAddress: parsedText(parseAbhaAddress, 'must be an ABHA address such as asha.rao@sbx').optional(),
    abhaNumber: parsedText(parseAbhaNumber, 'must be an ABHA number of 14 digits').optional(),
    mobile: parsedText(parseMobile, 'must be an Indian mobile number of ten digits').optional(),
    address: z
      .object({
        line: z.string().trim().min(1).max(200),
        district: z.string().trim().min(1).max(80),
        state: z.string().trim().min(1).max(80),
        pincode: z.string().regex(/^\d{6}$/, 'must have six digits'),
      })
      .optional(),
  })
  .meta({ id: 'NewFacilityPatient' })
export type NewPatient = z.output<typeof newPatient>

const careContextReference = z
  .string()
  .refine(isCareContextReference, 'letters, digits, blanks and _-@,().\\"/:| only, at most 200')
  .optional()

/** `POST /v1/patients/:reference/records`: facts of which we make the document, or the bytes (base64) of one made by others. */
export const newRecord = z
  .object({ careContextReference, input: documentInput.optional(), document: z.base64().min(1).optional() })
  .refine((body) => (body.input === undefined) !== (body.document === undefined), {
    message: 'is needed: facts of one of the eight record types; or document, a FHIR document in base64; not both',
    path: ['input'],
  })
  .meta({ id: 'NewRecord' })
export type NewRecord = z.output<typeof newRecord>

import { z } from 'zod'
import { shownName, toldName } from '../http/shown-words.ts'
import { LIMITS } from '../kernel/limits.ts'
import { abhaAddress, abhaNumber, facilityId, words } from './wire.ts'

/** What operators of an exchange send to admit bridges and enrol patients. */

const facilityName = toldName(LIMITS.facilityInTextCharsMax)
const roles = z
  .array(z.enum(['hip', 'hiu', 'health-locker', 'phr'], 'must be hip, hiu, health-locker or phr'))
  .min(1, 'must name at least one role')
/** What no bridge says of itself: words of a facility registry, such as Hospital, and whose it is. Left out, they stay as they are. */
const kind = { facilityTypes: z.array(words(100).min(1)).max(10).optional(), isGovernment: z.boolean().optional() }

/** `GET /v1/bridges`. */
export const bridgesQuery = z.object({
  after: z.string().max(LIMITS.textCharsMax).optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeMax),
})

/** `POST /v1/bridges`: a bridge with one facility. */
export const bridgeAdmission = z
  .object({ id: facilityId, name: facilityName, url: z.string().min(1).max(500), roles, ...kind })
  .meta({ id: 'BridgeAdmission' })

/** `POST /v1/facilities/:facility/confirm`: as the operator knows it; what is left out stays as its bridge named it. */
export const facilityConfirmation = z
  .object({ name: facilityName.optional(), roles: roles.optional(), ...kind })
  .meta({ id: 'FacilityConfirmation' })

/** `POST /v1/facilities/:facility/shut-out`: why, for the log. */
export const shutOutOrder = z.object({ reason: words(255).min(1) }).meta({ id: 'ShutOutOrder' })

export const bridgeCredentials = z.object({ clientId: z.string(), clientSecret: z.string() })

const mobile = z.string().regex(/^\d{10}$/, 'must be ten digits')

/** `POST /v1/patients`: who the patient is was proved to the operator. */
export const patientEnrolment = z
  .object({
    abhaAddress,
    abhaNumber,
    name: shownName(120),
    gender: z.enum(['M', 'F', 'O', 'D', 'T', 'U']),
    birthDate: z.iso.date(),
    mobile,
    email: z.email().optional(),
    address: z
      .object({
        line: words(),
        district: words(100),
        state: words(100),
        pincode: z.string().regex(/^\d{6}$/, 'must be six digits'),
      })
      .optional(),
    language: z.string().max(10).default('en'),
    guardian: abhaAddress.optional(),
    guardianBasis: z.enum(['parent', 'appointed']).optional(),
    /** Court or authority, number and date of the order. */
    guardianAppointment: words().optional(),
  })
  .refine((patient) => patient.guardianBasis !== 'appointed' || patient.guardianAppointment !== undefined, {
    message: 'must name the order by which the guardian was appointed',
    path: ['guardianAppointment'],
  })
  .meta({ id: 'PatientEnrolment' })

/** `PUT /v1/patients/:abhaAddress/mobile`: who the patient is was proved to the operator. */
export const mobileChange = z.object({ mobile }).meta({ id: 'MobileChange' })

import { z } from 'zod'
import { abhaAddress, abhaNumber, facilityId, words } from './wire.ts'

/** What operators of an exchange send to admit bridges and enrol patients. */

/** `POST /v1/bridges`: a bridge with one facility. */
export const bridgeAdmission = z
  .object({
    id: facilityId,
    name: words(120).min(1),
    url: z.string().min(1).max(500),
    roles: z
      .array(z.enum(['hip', 'hiu', 'health-locker', 'phr'], 'must be hip, hiu, health-locker or phr'))
      .min(1, 'must name at least one role'),
    /** Words of a facility registry, such as Hospital; left out, they stay as they are. */
    facilityTypes: z.array(words(100).min(1)).max(10).optional(),
  })
  .meta({ id: 'BridgeAdmission' })

export const bridgeCredentials = z.object({ clientId: z.string(), clientSecret: z.string() })

const mobile = z.string().regex(/^\d{10}$/, 'must be ten digits')

/** `POST /v1/patients`: who the patient is was proved to the operator. */
export const patientEnrolment = z
  .object({
    abhaAddress,
    abhaNumber,
    name: words(120).min(1),
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

import { z } from 'zod'
import { gender, year } from './linking-messages.ts'
import { abdmError, abhaAddress, abhaNumber, facilityId, responseRef, words } from './wire.ts'

/** Messages of scan and share (protocol sheet 2.3). Numbers come as numbers or as text, and leave as text that parses. */

const numeric = z
  .union([z.number(), z.string().max(40)])
  .transform((value) => String(value).trim())
  .pipe(z.string().regex(/^(-?\d{1,3}(\.\d{1,20})?)?$/, 'must be a number'))
const small = (max: number) =>
  z
    .union([z.number(), z.string().max(4)])
    .transform((value) => String(value).trim())
    .pipe(z.string().regex(/^\d{0,2}$/, `must be a number from 1 to ${max}`))
    .refine((text) => text === '' || (Number(text) >= 1 && Number(text) <= max), `must be a number from 1 to ${max}`)

/** One shape for the PHR app's call and for the callback to the HIP. */
export const profileShare = z
  .object({
    intent: z.literal('PROFILE_SHARE', 'must be PROFILE_SHARE'),
    metaData: z.object({
      hipId: facilityId,
      context: words(),
      hprId: words(100).nullish(),
      latitude: numeric.nullish(),
      longitude: numeric.nullish(),
    }),
    profile: z.object({
      patient: z.object({
        abhaNumber: z.union([z.literal(''), abhaNumber]).nullish(),
        abhaAddress,
        name: words().min(1),
        gender,
        dayOfBirth: small(31).nullish(),
        monthOfBirth: small(12).nullish(),
        yearOfBirth: year.nullish(),
        address: z
          .object({
            line: words().nullish(),
            district: words().nullish(),
            state: words().nullish(),
            pincode: z.union([z.number().int().transform(String), words(10)]).nullish(),
          })
          .nullish(),
        phoneNumber: z.union([z.number().int().transform(String), words(20)]).nullish(),
      }),
    }),
  })
  .meta({ id: 'ProfileShare' })

export const onShare = z
  .object({
    acknowledgement: z
      .object({
        abhaAddress,
        /** V0.5 writes FAILURE. */
        status: z
          .enum(['SUCCESS', 'FAILED', 'FAILURE'], 'must be SUCCESS or FAILED')
          .transform((status): 'SUCCESS' | 'FAILED' => (status === 'SUCCESS' ? 'SUCCESS' : 'FAILED')),
        profile: z
          .object({
            context: words().nullish(),
            tokenNumber: z.union([z.number().transform(String), words(50)]).nullish(),
            /** Seconds as number or text, or a date-time (no fixed form found; sheet 2.3). */
            expiry: z.union([z.number().nonnegative(), z.string().max(40)]).nullish(),
          })
          .nullish(),
      })
      .nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .refine((body) => body.error || body.acknowledgement, {
    message: 'is needed where no error is',
    path: ['acknowledgement'],
  })
  .meta({ id: 'OnShare' })

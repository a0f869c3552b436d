import { z } from 'zod'
import { LIMITS } from '../kernel/limits.ts'
import {
  abdmError,
  abhaAddress,
  abhaNumber,
  facilityId,
  hiType,
  hiTypes,
  isoDate,
  responseRef,
  uuid,
  words,
} from './wire.ts'

/** Messages of linking, both directions (protocol sheet 2.1 and 2.2). */

export const gender = z.enum(['M', 'F', 'O', 'D', 'T', 'U'], 'must be one of M, F, O, D, T, U')

/** A year as number or as text of four digits. */
export const year = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{4}$/, 'must be a year of four digits')
      .transform(Number),
  ])
  .pipe(z.number().int().min(1850, 'is too long ago').max(2200, 'is too far ahead'))

/** An id inside an object, or its older flat spelling beside it. */
const hipRef = z.object({ id: facilityId, name: words().nullish() })

// --- HIP-initiated linking (2.1) ---

export const generateToken = z
  .object({
    abhaNumber: z.union([z.literal(''), abhaNumber]).nullish(),
    abhaAddress: z.union([z.literal(''), abhaAddress]).nullish(),
    name: words().min(1, 'must not be empty'),
    gender,
    yearOfBirth: year,
  })
  .transform((body, ctx) => {
    const given = { abhaNumber: body.abhaNumber || undefined, abhaAddress: body.abhaAddress || undefined }
    if (given.abhaNumber === undefined && given.abhaAddress === undefined) {
      ctx.addIssue({ code: 'custom', message: 'is needed, or abhaNumber', path: ['abhaAddress'] })
      return z.NEVER
    }
    return { ...given, name: body.name, gender: body.gender, yearOfBirth: body.yearOfBirth }
  })
  .meta({ id: 'GenerateToken' })

export const onGenerateToken = z
  .object({
    abhaAddress: z.string().nullish(),
    linkToken: z.string().max(1_000).nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .meta({ id: 'OnGenerateToken' })

/** Blank and ill-formed references are refused later, with ABDM's own codes in the callback. */
const contextRef = z.object({ referenceNumber: words(500), display: words(500) })
const COUNT = 'Invalid count, must be 2 digit and ranges between 1 to 20'

export const linkCareContext = z
  .object({
    abhaNumber: z.union([z.literal(''), abhaNumber]).nullish(),
    abhaAddress,
    patient: z
      .array(
        z.object({
          referenceNumber: words(500),
          display: words(500),
          careContexts: z.array(contextRef).max(LIMITS.careContextsFoundMax),
          hiType,
          count: z.number(COUNT).int(COUNT).min(1, COUNT).max(LIMITS.careContextsPerMessageMax, COUNT),
        }),
      )
      .min(1)
      .max(LIMITS.careContextsPerMessageMax),
  })
  .meta({ id: 'LinkCareContext' })

/** Success and failure are told by prose (protocol sheet 2.1 (4)). */
export const LINK_STATUS = {
  linked: 'Successfully Linked care context',
  failed: 'Failed to link care context',
} as const
export const onLinkCareContext = z
  .object({
    abhaAddress: z.string().nullish(),
    status: z.string().nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .meta({ id: 'OnLinkCareContext' })

export const contextNotify = z
  .object({
    notification: z.object({
      patient: z.object({ id: abhaAddress }),
      careContext: z.object({ patientReference: words().min(1), careContextReference: words().min(1) }),
      hiTypes,
      date: isoDate,
      hip: hipRef,
    }),
  })
  .meta({ id: 'ContextNotify' })

export const contextOnNotify = z
  .object({
    acknowledgement: z.object({ status: z.string() }).nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .meta({ id: 'ContextOnNotify' })

export const smsNotify = z
  .object({
    notification: z.object({
      phoneNo: z.string().transform((text, ctx) => {
        const digits = text
          .replace(/[\s-]/g, '')
          .replace(/^\+?91(?=\d{10}$)/, '')
          .replace(/^0(?=\d{10}$)/, '')
        if (/^[1-9]\d{9}$/.test(digits)) return digits
        ctx.addIssue({ code: 'custom', message: 'must be an Indian mobile number such as +91-9999999999' })
        return z.NEVER
      }),
      hip: hipRef,
    }),
  })
  .meta({ id: 'SmsNotify' })

export const smsOnNotify = z
  .object({ status: z.string().nullish(), error: abdmError.nullish(), response: responseRef })
  .meta({ id: 'SmsOnNotify' })

export const linksQuery = z.object({
  limit: z.coerce.number().int().min(1).max(LIMITS.careContextsFoundMax).optional(),
})

// --- discovery and user-initiated linking (2.2) ---

const IDENTIFIER_ALIASES: Readonly<Record<string, string>> = {
  abhaAddress: 'ABHA_ADDRESS',
  abhaNumber: 'ABHA_NUMBER',
  HEALTH_ID: 'ABHA_ADDRESS',
  NDHM_HEALTH_NUMBER: 'ABHA_NUMBER',
}
export const identifierType = z
  .string()
  .transform((text) => IDENTIFIER_ALIASES[text] ?? text)
  .pipe(
    z.enum(
      ['MR', 'MOBILE', 'ABHA_NUMBER', 'ABHA_ADDRESS', 'EMAIL'],
      'must be one of MR, MOBILE, ABHA_NUMBER, ABHA_ADDRESS, EMAIL',
    ),
  )
const identifier = z.object({ type: identifierType, value: words() })
const identifiers = z.array(identifier).max(LIMITS.pageSizeDefault)

export const discover = z
  .object({
    hip: z.object({ id: facilityId }).nullish(),
    hipId: facilityId.nullish(),
    unverifiedIdentifiers: identifiers.nullish(),
  })
  .transform((body, ctx) => {
    const hip = body.hip?.id ?? body.hipId ?? undefined
    if (hip === undefined) {
      ctx.addIssue({ code: 'custom', message: 'is needed', path: ['hip', 'id'] })
      return z.NEVER
    }
    return { hip, unverifiedIdentifiers: body.unverifiedIdentifiers ?? [] }
  })
  .meta({ id: 'Discover' })

export const hipDiscover = z
  .object({
    transactionId: z.string().min(1).max(100),
    patient: z.object({
      id: abhaAddress,
      name: words(),
      gender,
      yearOfBirth: year,
      verifiedIdentifiers: identifiers.nullish(),
      unverifiedIdentifiers: identifiers.nullish(),
    }),
  })
  .meta({ id: 'HipDiscover' })

/** Contexts of one patient record and one HI type. `count` is what the sender says; the list is what counts. */
const foundGroup = z.object({
  referenceNumber: words().min(1),
  display: words(500).nullish(),
  careContexts: z
    .array(z.object({ referenceNumber: words().min(1), display: words(500).nullish() }))
    .max(LIMITS.careContextsFoundMax),
  hiType,
  count: z.number().int().min(0).nullish(),
})
const foundGroups = z.array(foundGroup).max(LIMITS.careContextsPerMessageMax * LIMITS.hiTypesMax)

export const onDiscover = z
  .object({
    transactionId: uuid<'linking-transaction'>(),
    patient: foundGroups.nullish(),
    matchedBy: z.array(identifierType).max(10).nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .refine((body) => body.error || (body.patient?.length ?? 0) > 0, {
    message: 'is needed where no error is',
    path: ['patient'],
  })
  .meta({ id: 'OnDiscover' })

export const linkInit = z
  .object({
    transactionId: uuid<'linking-transaction'>(),
    abhaAddress,
    patient: foundGroups.min(1, 'must name at least one record'),
  })
  .meta({ id: 'LinkInit' })

export const hipLinkInit = z
  .object({ transactionId: z.string().min(1).max(100), abhaAddress, patient: foundGroups.min(1) })
  .meta({ id: 'HipLinkInit' })

export const onInit = z
  .object({
    transactionId: uuid<'linking-transaction'>(),
    link: z
      .object({
        referenceNumber: words(100).min(1),
        authenticationType: z
          .enum(['DIRECT', 'MEDIATED', 'MEDIATE'], 'must be DIRECT or MEDIATED')
          .transform((type): 'DIRECT' | 'MEDIATED' => (type === 'DIRECT' ? 'DIRECT' : 'MEDIATED')),
        meta: z.object({
          communicationMedium: z.enum(['MOBILE', 'EMAIL'], 'must be MOBILE or EMAIL'),
          communicationHint: words().nullish(),
          communicationExpiry: isoDate,
        }),
      })
      .nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .refine((body) => body.error || body.link, { message: 'is needed where no error is', path: ['link'] })
  .meta({ id: 'OnInit' })

/** Some apps send digits as a number. */
const otp = z.union([z.string(), z.number().int().transform(String)]).pipe(z.string().min(1).max(20))
export const linkConfirm = z.object({ token: otp, linkRefNumber: words(100).min(1) }).meta({ id: 'LinkConfirm' })
export const hipLinkConfirm = z
  .object({ confirmation: z.object({ linkRefNumber: words(100).min(1), token: otp }) })
  .meta({ id: 'HipLinkConfirm' })

export const onConfirm = z
  .object({ patient: foundGroups.nullish(), error: abdmError.nullish(), response: responseRef })
  .refine((body) => body.error || (body.patient?.length ?? 0) > 0, {
    message: 'is needed where no error is',
    path: ['patient'],
  })
  .meta({ id: 'OnConfirm' })

// --- changed status of an account (2.1 (10); the V3 body was not captured: the V0.5 form) ---

export const patientStatus = z
  .object({
    notification: z.object({
      status: z.enum(['DEACTIVATED', 'REACTIVATED', 'DELETED']),
      patient: z.object({ id: abhaAddress }),
    }),
  })
  .meta({ id: 'PatientStatus' })

export const onPatientStatus = z
  .object({
    acknowledgement: z.object({ status: words(50) }).nullish(),
    error: abdmError.nullish(),
    response: responseRef.nullish(),
  })
  .meta({ id: 'OnPatientStatus' })

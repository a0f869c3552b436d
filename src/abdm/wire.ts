import { z } from 'zod'
import { HI_TYPES, parseHiType } from '../fhir/hi-type.ts'
import { shownWords } from '../http/shown-words.ts'
import { parseAbhaAddress, parseAbhaNumber, parseFacilityId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'

/** Shared pieces of ABDM messages. Lenient in what is read, strict in what is sent (protocol sheet 10). */

/** One of the eight HI types; older upper-case spellings are read too (protocol sheet 3.1). */
export const hiType = z
  .string()
  .transform((text, ctx) => {
    const type = parseHiType(text)
    if (type === undefined) {
      ctx.addIssue({ code: 'custom', message: `must be one of ${HI_TYPES.join(', ')}` })
      return z.NEVER
    }
    return type
  })
  .meta({ id: 'HiType' })

export const hiTypes = z
  .array(hiType)
  .min(1, 'must name at least one HI type')
  .max(LIMITS.hiTypesMax)
  .transform((types) => [...new Set(types)])

/** ISO 8601 text on the wire, `Date` inside. With or without fraction; a missing zone is read as UTC. */
export const isoDate = z
  .string()
  // Stops here: what follows, and rules that compare two dates, expect a Date.
  .max(40, { abort: true })
  .transform((text, ctx) => {
    const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(text) || /^\d{4}-\d\d-\d\d$/.test(text) ? text : `${text}Z`
    const date = new Date(zoned)
    if (Number.isNaN(date.getTime()) || !isDay(text.slice(0, 10))) {
      ctx.addIssue({ code: 'custom', message: 'must be a date and time such as 2026-01-31T10:00:00.000Z' })
      return z.NEVER
    }
    return date
  })

/** Whether there is such a day: JavaScript reads 30 February as 1 or 2 March, which would widen what was asked for. */
function isDay(text: string): boolean {
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined
  return day !== undefined && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

export const dateRange = z
  .object({ from: isoDate, to: isoDate })
  .refine((range) => range.from.getTime() < range.to.getTime(), {
    message: 'must begin before it ends',
    path: ['from'],
  })

export const facilityId = z.string().transform((text, ctx) => {
  const id = parseFacilityId(text.trim())
  if (id === undefined) {
    ctx.addIssue({ code: 'custom', message: 'must be a facility id such as IN2710000011' })
    return z.NEVER
  }
  return id
})

export const abhaAddress = z.string().transform((text, ctx) => {
  const address = parseAbhaAddress(text)
  if (address === undefined) {
    ctx.addIssue({ code: 'custom', message: 'must be an ABHA address such as asha.rao@sbx' })
    return z.NEVER
  }
  return address
})

/** Fourteen digits, as text with or without dashes, or as a number. */
export const abhaNumber = z.union([z.string(), z.number()]).transform((value, ctx) => {
  const number = parseAbhaNumber(value)
  if (number === undefined) {
    ctx.addIssue({ code: 'custom', message: 'must be an ABHA number of 14 digits' })
    return z.NEVER
  }
  return number
})

/** A UUID of the named kind. */
export function uuid<Kind extends string>() {
  return z.string().transform((text, ctx) => {
    const id = parseId<Kind>(text)
    if (id === undefined) {
      ctx.addIssue({ code: 'custom', message: 'must be a UUID' })
      return z.NEVER
    }
    return id
  })
}

/** Free reference of a HIP: printable, of limited length (protocol sheet 1.2 (2)). */
export const reference = z
  .string()
  .min(1)
  .max(LIMITS.textCharsMax)
  .regex(/^[a-zA-Z0-9_\-@,().\\"/:| ]*$/, 'may hold letters, digits, blanks and _-@,().\\"/:| only')

/** Words for people: limited, without control characters or marks that turn the order of what is read. */
export const words = (charsMax: number = LIMITS.textCharsMax) => shownWords(charsMax)

export const careContext = z.object({ patientReference: reference, careContextReference: reference })

export const purpose = z.object({
  text: words().nullish(),
  code: z.string().max(20),
  refUri: words(500).nullish(),
})

/** `{unit: HOUR, value: 24, repeats: 2}`: at most 2 data requests within 24 hours (docs/decisions, frequency). */
export const frequency = z.object({
  unit: z.enum(['HOUR', 'DAY', 'WEEK', 'MONTH', 'YEAR'], 'must be HOUR, DAY, WEEK, MONTH or YEAR'),
  value: z.number().int().min(1, 'must be at least 1').max(10_000),
  repeats: z.number().int().min(0, 'must not be negative').max(10_000),
})

export const permission = z.object({
  accessMode: z.enum(['VIEW', 'STORE', 'QUERY', 'STREAM'], 'must be VIEW, STORE, QUERY or STREAM'),
  dateRange,
  dataEraseAt: isoDate,
  frequency,
})

export const keyMaterial = z.object({
  cryptoAlg: z.string().max(40),
  curve: z.string().max(40),
  dhPublicKey: z.object({
    expiry: isoDate,
    parameters: z.string().max(100).nullish(),
    keyValue: z.string().min(1).max(500),
  }),
  nonce: z.string().min(1).max(50),
})

export const responseRef = z.object({ requestId: z.string().max(100) })
export const abdmError = z.object({
  code: z.union([z.string(), z.number()]).transform(String),
  message: z.string().max(2_000),
})

/** ABDM dates as clients demand them: UTC with milliseconds (protocol sheet 2.9). */
export function wireDate(date: Date): string {
  return date.toISOString()
}

import { z } from 'zod'

/**
 * What the two known V3 clients demand of callbacks (protocol sheet 2.9 and 4.1), written from the protocol's text: what CARE answers
 * with 400, and what the wrapper cannot handle. Unknown fields are ignored by both.
 */
export type Personality = 'care' | 'wrapper'

const CARE_TYPES = [
  'OPConsultation',
  'Prescription',
  'DischargeSummary',
  'DiagnosticReport',
  'ImmunizationRecord',
  'HealthDocumentRecord',
  'WellnessRecord',
] as const
const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, 'is not a UUID')
const careDate = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z$/, 'is not a date with fraction and Z')
const anyDate = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'is not a date')
const error = z.object({ code: z.string(), message: z.string() })
const response = z.object({ requestId: z.string().min(1) })

type Words = {
  readonly id: z.ZodType
  readonly date: z.ZodType
  readonly hiType: z.ZodType
  readonly signature: z.ZodType
}
const WORDS: Readonly<Record<Personality, Words>> = {
  care: { id: uuid, date: careDate, hiType: z.enum(CARE_TYPES), signature: z.string().min(1).max(500) },
  wrapper: { id: z.string().min(1), date: anyDate, hiType: z.string(), signature: z.string() },
}

/** Either the result or an error, with the request that it answers. `error: null` beside a result counts as absent. */
function answered(result: z.ZodRawShape): z.ZodType {
  return z.object({ ...result, error: error.nullish(), response }).or(z.object({ error, response }))
}

function detailOf(who: Personality): z.ZodType {
  const { id, date, hiType } = WORDS[who]
  return z.object({
    consentId: id,
    createdAt: anyDate,
    patient: z.object({ id: z.string() }),
    careContexts: z.array(z.object({ patientReference: z.string(), careContextReference: z.string() })),
    purpose: z.object({ text: z.string(), code: z.string(), refUri: z.string().nullable() }),
    hip: z.object({ id: z.string(), name: z.string().max(who === 'care' ? 50 : 200) }),
    hiTypes: z.array(hiType),
    permission: z.object({
      accessMode: z.enum(['VIEW', 'STORE', 'QUERY', 'STREAM']),
      dateRange: z.object({ from: date, to: date }),
      dataEraseAt: date,
      frequency: z.object({
        unit: z.enum(['HOUR', 'DAY', 'WEEK', 'MONTH', 'YEAR']),
        value: z.number(),
        repeats: z.number(),
      }),
    }),
  })
}

function keyMaterialOf(who: Personality): z.ZodType {
  const [keyValue, nonce] = who === 'care' ? [z.string().max(500), z.string().max(50)] : [z.string(), z.string()]
  const dhPublicKey = z.object({ expiry: anyDate, parameters: z.string(), keyValue })
  return z.object({ cryptoAlg: z.literal('ECDH'), curve: z.string().regex(/^curve25519$/i), dhPublicKey, nonce })
}

function callbacksOf(who: Personality): Readonly<Record<string, z.ZodType>> {
  const { id, date, hiType, signature } = WORDS[who]
  const context = z.object({ referenceNumber: z.string(), display: z.string().optional() })
  const group = z.object({
    referenceNumber: z.string(),
    careContexts: z.array(context),
    hiType,
    ...(who === 'care' ? { count: z.number().int() } : {}),
  })
  const found = z.object({
    referenceNumber: z.string(),
    display: z.string(),
    careContexts: z.array(context),
    hiType: z.string(),
    count: z.number(),
  })
  const gender = who === 'care' ? z.enum(['M', 'F', 'O']) : z.string()
  const identifier = z.object({
    type: z.enum(['MR', 'MOBILE', 'ABHA_NUMBER', 'ABHA_ADDRESS', 'EMAIL']),
    value: z.string(),
  })
  const hiRequest = z.object({
    consent: z.object({ id }),
    dateRange: z.object({ from: date, to: date }),
    dataPushUrl: z.url(),
    keyMaterial: keyMaterialOf(who),
  })
  const shared = z.object({
    abhaNumber: z.string(),
    abhaAddress: z.string(),
    name: z.string(),
    gender,
    dayOfBirth: z.coerce.number().int(),
    monthOfBirth: z.coerce.number().int(),
    yearOfBirth: z.coerce.number().int(),
    phoneNumber: z.string(),
  })
  const metaData = z.object({
    hipId: z.string(),
    context: z.string(),
    hprId: z.string(),
    latitude: z.coerce.number(),
    longitude: z.coerce.number(),
  })
  return {
    '/api/v3/hip/token/on-generate-token': answered({
      abhaAddress: z.string(),
      linkToken: z
        .string()
        .min(1)
        .max(who === 'care' ? 1000 : 5000),
    }),
    '/api/v3/link/on_carecontext': z.object({
      abhaAddress: z.string(),
      status: z.enum(['Successfully Linked care context', 'Failed to link care context']),
      error: error.nullish(),
      response,
    }),
    '/api/v3/links/context/on-notify': z.object({
      acknowledgement: z.object({ status: z.enum(['SUCCESS', 'ERRORED']) }),
      error: error.nullish(),
      response,
    }),
    '/api/v3/patients/sms/on-notify': z.object({
      status: z.enum(['ACKNOWLEDGED', 'ERRORED']),
      error: error.nullish(),
      response,
    }),
    '/api/v3/hip/patient/care-context/discover': z.object({
      transactionId: id,
      patient: z.object({
        id: z.string(),
        name: z.string(),
        gender,
        yearOfBirth: z.number().int(),
        verifiedIdentifiers: z.array(identifier),
        unverifiedIdentifiers: z.array(identifier).nullish(),
      }),
    }),
    '/api/v3/hip/link/care-context/init': z.object({
      transactionId: id,
      abhaAddress: z.string(),
      patient: z.array(group).min(1),
    }),
    '/api/v3/hip/link/care-context/confirm': z.object({
      confirmation: z.object({ linkRefNumber: z.string().max(50), token: z.string() }),
    }),
    '/api/v3/hip/patient/share': z.object({
      intent: z.literal('PROFILE_SHARE'),
      metaData,
      profile: z.object({ patient: shared }),
    }),
    '/api/v3/consent/request/hip/notify': z.object({
      notification: z.object({
        status: z.enum(['GRANTED', 'REVOKED', 'EXPIRED']),
        consentId: id,
        consentDetail: detailOf(who),
        signature,
        grantAcknowledgement: z.boolean().optional(),
      }),
    }),
    '/api/v3/hip/health-information/request': z.object({ transactionId: id, hiRequest }),
    '/api/v3/hiu/patient/care-context/on-discover': answered({ transactionId: id, patient: z.array(found) }),
    '/api/v3/hiu/patient/care-context/on-init': answered({
      transactionId: id,
      link: z.object({
        referenceNumber: z.string(),
        authenticationType: z.string(),
        meta: z.object({ communicationMedium: z.string(), communicationExpiry: anyDate }),
      }),
    }),
    '/api/v3/hiu/patient/care-context/on-confirm': answered({ patient: z.array(found) }),
    '/api/v3/hiu/patient/on-share': z.object({
      acknowledgement: z.object({ abhaAddress: z.string(), status: z.string() }).nullish(),
      error: error.nullish(),
      response,
    }),
    '/api/v3/hiu/consent/request/on-init': answered({ consentRequest: z.object({ id }) }),
    '/api/v3/hiu/consent/request/on-status': answered({
      consentRequest: z.object({ id, status: z.string(), consentArtefacts: z.array(z.object({ id })) }),
    }),
    '/api/v3/hiu/consent/request/notify': z.object({
      notification: z.object({
        consentRequestId: id,
        status: z.enum(['GRANTED', 'DENIED', 'EXPIRED', 'REVOKED']),
        consentArtefacts: z.array(z.object({ id })).nullish(),
      }),
    }),
    '/api/v3/hiu/consent/on-fetch': answered({
      consent: z.object({ status: z.string(), consentDetail: detailOf(who), signature }),
    }),
    '/api/v3/hiu/health-information/on-request': answered({
      hiRequest: z.object({ transactionId: id, sessionStatus: z.literal('REQUESTED') }),
    }),
    '/api/v3/hiu/hiecm/subscription-requests/on-init': answered({ subscriptionRequest: z.object({ id }) }),
    '/api/v3/hiu/subscription-requests/hiu/notify': z.object({
      notification: z.object({ subscriptionRequestId: id, status: z.string() }),
    }),
    '/api/v3/hiu/subscription/notify': z.object({
      event: z.object({
        id,
        category: z.enum(['LINK', 'DATA']),
        subscriptionId: id,
        content: z.object({ patient: z.object({ id: z.string() }), hip: z.object({ id: z.string() }) }),
      }),
    }),
  }
}

const CALLBACKS = { care: callbacksOf('care'), wrapper: callbacksOf('wrapper') }

/** What the client would find wrong with a callback's headers and body; empty when nothing. */
export function faultsOfCallback(
  who: Personality,
  path: string,
  headers: Readonly<Record<string, unknown>>,
  body: unknown,
): readonly string[] {
  const schema = CALLBACKS[who][path]
  if (schema === undefined) return [`${path} is not a path of this client`]
  const faults: string[] = []
  if (!uuid.safeParse(headers['request-id']).success) faults.push('REQUEST-ID is not a UUID')
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(String(headers['timestamp'])))
    faults.push(`TIMESTAMP is ${String(headers['timestamp'])}`)
  const side = path.startsWith('/api/v3/hiu/') ? 'x-hiu-id' : 'x-hip-id'
  if (typeof headers[side] !== 'string') faults.push(`${side} is missing`)
  if (!/^application\/json\b/.test(String(headers['content-type'])))
    faults.push(`Content-Type is ${String(headers['content-type'])}`)
  const parsed = schema.safeParse(body)
  if (!parsed.success) faults.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`))
  return faults.map((fault) => `${path} ${fault}`)
}

export type PushPage = {
  readonly pageNumber?: number
  readonly pageCount?: number
  readonly transactionId: string
  readonly entries: readonly {
    readonly content?: string
    readonly media: string
    readonly checksum: string
    readonly careContextReference: string
  }[]
  readonly keyMaterial: {
    readonly dhPublicKey: { readonly expiry: string; readonly keyValue: string }
    readonly nonce: string
  }
}

/** The page of a data push, as a HIU of that kind reads it; a list of faults when it cannot. */
export function readPushPage(who: Personality, body: unknown): PushPage | readonly string[] {
  const entry = z.object({
    content: z.base64(),
    media: z.literal('application/fhir+json'),
    checksum: z.string(),
    careContextReference: z.string(),
  })
  const page = z.object({
    pageNumber: z.number().int(),
    pageCount: z.number().int(),
    transactionId: WORDS[who].id,
    entries: z.array(entry).min(1),
    keyMaterial: keyMaterialOf(who),
  })
  const parsed = page.safeParse(body)
  return parsed.success
    ? (parsed.data as PushPage)
    : parsed.error.issues.map((issue) => `push ${issue.path.join('.')}: ${issue.message}`)
}

export function isPage(page: PushPage | readonly string[]): page is PushPage {
  return !Array.isArray(page)
}

import { z } from 'zod'
import { LIMITS } from '../kernel/limits.ts'
import { isGiven } from './consent-messages.ts'
import { abdmError, dateRange, facilityId, isoDate, keyMaterial, responseRef, uuid, words } from './wire.ts'

/** Messages of the data flow, both directions, and the data push itself (protocol sheet 2.5). */

/** ABDM's own rule for the address (protocol sheet 1.2 (3)), and what we add: an absolute http(s) URL without credentials. */
export const dataPushUrl = z
  .string()
  .max(LIMITS.textCharsMax)
  .regex(/^[a-zA-Z0-9_\-@,. ":=?/&]*$/, 'may hold letters, digits and _-@,. ":=?/& only')
  .refine(isHttpUrl, 'must be an absolute http or https URL without user name and password')

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  return /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}

const hiRequest = z.object({ consent: z.object({ id: uuid<'artefact'>() }), dateRange, dataPushUrl, keyMaterial })

/** HIU → CM `data-flow/v3/health-information/request`. An absent date range means the artefact's. */
export const dataRequest = z
  .object({ hiRequest: hiRequest.extend({ dateRange: dateRange.nullish() }) })
  .meta({ id: 'HealthInformationRequest' })

/** CM → HIU `hiu/health-information/on-request`. */
export const dataOnRequest = z
  .object({
    hiRequest: z.object({ transactionId: uuid<'transaction'>(), sessionStatus: words(40) }).nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .meta({ id: 'HealthInformationOnRequest' })

/** CM → HIP `hip/health-information/request`. */
export const hipDataRequest = z
  .object({ transactionId: uuid<'transaction'>(), hiRequest })
  .meta({ id: 'HipHealthInformationRequest' })

/** HIP → CM `data-flow/v3/health-information/hip/on-request`. */
export const hipDataOnRequest = z
  .object({
    hiRequest: z.object({ transactionId: uuid<'transaction'>(), sessionStatus: words(40) }).nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .meta({ id: 'HipHealthInformationOnRequest' })

const entry = z
  .object({
    /** Ciphertext, base64. Which of `content` and `link` is there is checked below. */
    content: z.string().nullish(),
    /** Where to GET the ciphertext. */
    link: z.string().max(2_000).nullish(),
    media: words(100).nullish(),
    checksum: z.string().max(200).nullish(),
    careContextReference: z.string().min(1).max(LIMITS.textCharsMax),
  })
  .refine(({ content, link }) => isGiven(content) !== isGiven(link), {
    message: 'must have either content or link',
    path: ['content'],
  })

const page = z.number().int().min(0).max(LIMITS.pushPagesMax)

/** HIP → HIU: one page of a data push. Absent numbers mean a single page; both page bases are met. */
export const dataPush = z
  .object({
    pageNumber: page.nullish(),
    pageCount: page.nullish(),
    transactionId: uuid<'transaction'>(),
    entries: z
      .array(entry)
      .max(LIMITS.pushEntriesMax)
      .refine((entries) => entries.filter(({ link }) => isGiven(link)).length <= LIMITS.pushLinksMax, {
        message: `must have at most ${LIMITS.pushLinksMax} links; send more pages`,
      }),
    keyMaterial,
  })
  .meta({ id: 'DataPush' })
export type DataPushBody = z.input<typeof dataPush>

const SESSION_STATUSES = ['TRANSFERRED', 'PARTIAL_TRANSFERRED', 'RECEIVED', 'FAILED'] as const
const sessionStatus = z.preprocess(
  (text) => (typeof text === 'string' ? text.toUpperCase() : text),
  z.enum(SESSION_STATUSES, `must be one of ${SESSION_STATUSES.join(', ')}`),
)
const notifierType = z.preprocess(
  (text) => (typeof text === 'string' ? text.toUpperCase() : text),
  z.enum(['HIP', 'HIU']),
)

const contextStatus = z.object({
  careContextReference: z.string().min(1).max(LIMITS.textCharsMax),
  /** `DELIVERED`, `OK`, `ERRORED`; care_abdm also sends `FAILED`. */
  hiStatus: words(40).transform((text) => text.toUpperCase()),
  description: words(1_000).nullish(),
})
const contextStatuses = z.array(contextStatus).max(LIMITS.careContextsPerConsentMax).nullish()

/** HIP → CM and HIU → CM `data-flow/v3/health-information/notify`: how the transfer ended at this side. */
export const dataNotify = z
  .object({
    notification: z.object({
      consentId: uuid<'artefact'>(),
      transactionId: uuid<'transaction'>(),
      doneAt: isoDate,
      notifier: z.object({ type: notifierType, id: facilityId }),
      statusNotification: z.object({
        sessionStatus,
        hipId: facilityId.nullish(),
        statusResponses: contextStatuses,
      }),
    }),
  })
  .meta({ id: 'HealthInformationNotify' })
export type DataNotifyBody = z.input<typeof dataNotify>

const sideStatus = z.object({
  id: words().nullish(),
  sessionStatus: words(40).transform((text) => text.toUpperCase()),
  at: words(40).nullish(),
  statusResponses: contextStatuses,
})

/** Answer of CM to `GET data-flow/v3/health-information/request/status/{transaction-id}`; no source shows one, so this is our own. */
export const dataStatus = z
  .object({
    hiRequest: z.object({
      transactionId: uuid<'transaction'>(),
      consent: z.object({ id: words(100) }).nullish(),
      dateRange: z.object({ from: words(40), to: words(40) }).nullish(),
      requestedAt: words(40).nullish(),
      /** The provider's, as under `hip`. */
      sessionStatus: words(40).nullish(),
      hip: sideStatus,
      hiu: sideStatus.nullish(),
    }),
    error: abdmError.nullish(),
  })
  .meta({ id: 'HealthInformationStatus' })

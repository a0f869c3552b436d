import { z } from 'zod'
import type { Heard } from '../consent/emergency.ts'
import { shownName } from '../http/shown-words.ts'
import { LIMITS } from '../kernel/limits.ts'
import {
  abdmError,
  abhaAddress,
  careContext,
  facilityId,
  hiTypes,
  isoDate,
  permission,
  purpose,
  responseRef,
  uuid,
  words,
} from './wire.ts'

/**
 * Messages about consent, both directions (protocol sheet 2.4 and 2.6). What we send is typed by `z.input`, what we read by `z.output`;
 * fields we do not know are accepted and dropped.
 */

/** Peers write `null` for what is not there. */
export function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null
}

const upperCase = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.preprocess((text) => (typeof text === 'string' ? text.toUpperCase() : text), z.enum(values))

const requestStatus = upperCase(['REQUESTED', 'GRANTED', 'DENIED', 'EXPIRED', 'REVOKED'])
const artefactStatus = upperCase(['GRANTED', 'REVOKED', 'EXPIRED'])

const party = z.object({ id: facilityId, name: words().nullish(), type: words(40).nullish() })
const requester = z.object({
  name: shownName(LIMITS.textCharsMax),
  identifier: z.object({ value: words(), type: words(40).nullish(), system: words(500).nullish() }).nullish(),
})
const careContexts = z.array(careContext).max(LIMITS.careContextsPerConsentMax)
const artefactIds = z.array(z.object({ id: uuid<'artefact'>() })).max(LIMITS.artefactsPerRequestMax)

/** HIU → CM `consent/v3/request/init`. */
export const consentInit = z
  .object({
    consent: z.object({
      purpose,
      patient: z.object({ id: abhaAddress }),
      hip: party.nullish(),
      hiu: party,
      careContexts: careContexts.nullish(),
      requester,
      hiTypes,
      permission,
    }),
  })
  .meta({ id: 'ConsentInit' })

/** CM → HIU `hiu/consent/request/on-init`. */
export const consentOnInit = z
  .object({
    consentRequest: z.object({ id: uuid<'consent-request'>() }).nullish(),
    error: abdmError.nullish(),
    /**
     * Beyond ABDM, in answers to `POST /v1/emergencies` only: whether the exchange told the patient of it by text message. `false` may
     * come later, too, when the message could not be delivered.
     */
    patientTold: z.boolean().nullish(),
    /** Beside `patientTold: false`: no number is known that is hers, and one that the facility knows may be the same. */
    onlyOnPaper: z.boolean().nullish(),
    response: responseRef,
  })
  .meta({ id: 'ConsentOnInit' })

/** The fields beyond ABDM of an answer to an emergency. */
export function toldFields(heard: Heard): {
  readonly patientTold: boolean
  readonly onlyOnPaper?: true
} {
  return { patientTold: heard === 'told', ...(heard === 'only-on-paper' ? { onlyOnPaper: true } : {}) }
}

/** HIU → CM `consent/v3/request/status`. */
export const consentStatus = z.object({ consentRequestId: uuid<'consent-request'>() }).meta({ id: 'ConsentStatus' })

/** CM → HIU `hiu/consent/request/on-status`. */
export const consentOnStatus = z
  .object({
    consentRequest: z
      .object({ id: uuid<'consent-request'>(), status: requestStatus, consentArtefacts: artefactIds.nullish() })
      .nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .meta({ id: 'ConsentOnStatus' })

/** CM → HIU `hiu/consent/request/notify`. */
export const hiuConsentNotify = z
  .object({
    notification: z.object({
      consentRequestId: uuid<'consent-request'>(),
      status: upperCase(['GRANTED', 'DENIED', 'EXPIRED', 'REVOKED']),
      reason: words().nullish(),
      consentArtefacts: artefactIds.nullish(),
    }),
  })
  .meta({ id: 'HiuConsentNotify' })

const acknowledgement = z.object({
  status: words(40).transform((text) => text.toUpperCase()),
  consentId: uuid<'artefact'>(),
})
const oneOrMany = z
  .union([acknowledgement.transform((one) => [one]), z.array(acknowledgement).max(LIMITS.artefactsPerRequestMax)])
  .nullish()
  .transform((acknowledgements) => acknowledgements ?? [])

/**
 * HIU → CM `hiu/on-notify` (an array on the wire) and HIP → CM `hip/on-notify` (an object): both forms are read on both, in any
 * case of `OK`, since peers mix them up (protocol sheet 7, no. 26).
 */
export const consentOnNotify = z
  .object({ acknowledgement: oneOrMany, error: abdmError.nullish(), response: responseRef })
  .meta({ id: 'ConsentOnNotify' })

/** What an HIU acknowledges with: an array. */
export type HiuOnNotifyBody = {
  readonly acknowledgement: readonly { readonly status: 'OK'; readonly consentId: string }[]
  readonly response: { readonly requestId: string }
}

/** `dataEraseAt` and `frequency` beside `permission` in place of inside it (NHA's on-fetch example): moved to where they belong. */
function gatherPermission(detail: unknown): unknown {
  if (typeof detail !== 'object' || detail === null || !('permission' in detail)) return detail
  const { permission: inner } = detail
  if (typeof inner !== 'object' || inner === null) return detail
  const outer = detail as { readonly dataEraseAt?: unknown; readonly frequency?: unknown }
  const missing = {
    ...('dataEraseAt' in inner || outer.dataEraseAt === undefined ? {} : { dataEraseAt: outer.dataEraseAt }),
    ...('frequency' in inner || outer.frequency === undefined ? {} : { frequency: outer.frequency }),
  }
  return { ...detail, permission: { ...inner, ...missing } }
}

/** An artefact's detail, whichever exchange sent it. Ours: see `consent/artefact.ts`. */
export const consentDetail = z
  .preprocess(
    gatherPermission,
    z.object({
      schemaVersion: words(20).nullish(),
      consentId: uuid<'artefact'>(),
      createdAt: isoDate,
      lastUpdated: isoDate.nullish(),
      patient: z.object({ id: abhaAddress }),
      careContexts,
      purpose,
      hip: party,
      hiu: party.nullish(),
      consentManager: z.object({ id: words(100) }).nullish(),
      requester: requester.nullish(),
      hiTypes,
      permission,
    }),
  )
  .meta({ id: 'ConsentDetail' })
export type ReceivedDetail = z.output<typeof consentDetail>

/**
 * A detail as received: `raw` is the JSON value that was signed, for the signature check (docs/artefact.md); `detail` is the same, read.
 */
const signedDetail = z.record(z.string(), z.unknown()).transform((raw, ctx) => {
  const parsed = consentDetail.safeParse(raw)
  if (parsed.success) return { raw, detail: parsed.data }
  for (const issue of parsed.error.issues)
    ctx.addIssue({ code: 'custom', message: issue.message, path: [...issue.path] })
  return z.NEVER
})

const signature = z.string().max(1_000)

/** CM → HIP `consent/request/hip/notify`. We always send detail and signature; others leave them out on REVOKED and EXPIRED. */
export const hipConsentNotify = z
  .object({
    notification: z.object({
      status: artefactStatus,
      consentId: uuid<'artefact'>(),
      consentDetail: signedDetail.nullish(),
      signature: signature.nullish(),
      grantAcknowledgement: z.boolean().nullish(),
    }),
  })
  .meta({ id: 'HipConsentNotify' })

/** HIU → CM `consent/v3/fetch`. */
export const consentFetch = z.object({ consentId: uuid<'artefact'>() }).meta({ id: 'ConsentFetch' })

/** CM → HIU `hiu/consent/on-fetch`. */
export const consentOnFetch = z
  .object({
    consent: z
      .object({ status: requestStatus, consentDetail: signedDetail.nullish(), signature: signature.nullish() })
      .nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .meta({ id: 'ConsentOnFetch' })

/** PHR → CM `consent/v3/request/{id}/approve`: one item for each HIP. */
export const consentApprove = z
  .object({
    consents: z
      .array(
        z.object({
          hiTypes,
          hip: party,
          careContexts: careContexts.min(1, 'must name at least one care context'),
          permission,
        }),
      )
      .min(1, 'must hold at least one consent; to give none, deny the request')
      .max(LIMITS.artefactsPerRequestMax),
  })
  .meta({ id: 'ConsentApprove' })

/** PHR → CM `consent/v3/request/{id}/deny`. */
export const consentDeny = z
  .object({ reason: words().min(1, 'must say why, in 1 to 255 characters') })
  .meta({ id: 'ConsentDeny' })

/** PHR → CM `consent/v3/revoke`. */
export const consentRevoke = z
  .object({
    consents: z.array(uuid<'artefact'>()).min(1, 'must name at least one consent').max(LIMITS.artefactsPerRequestMax),
  })
  .meta({ id: 'ConsentRevoke' })

const period = z
  .object({ from: isoDate, to: isoDate })
  .refine(({ from, to }) => from < to, { message: 'must begin before it ends', path: ['from'] })
const includedSource = z.object({ hiTypes, purpose, hip: party.nullish(), period })
const excludedSource = z.object({
  hiTypes: hiTypes.nullish(),
  purpose: purpose.nullish(),
  hip: party.nullish(),
  period: period.nullish(),
})

/** PHR → CM `consent/v3/auto/approve`. */
export const autoApprove = z
  .object({
    isApplicableForAllHIPs: z.boolean(),
    hiu: party,
    includedSources: z.array(includedSource).min(1, 'must hold at least one source').max(LIMITS.policySourcesMax),
    excludedSources: z.array(excludedSource).max(LIMITS.policySourcesMax).nullish(),
  })
  .meta({ id: 'AutoApprove' })

/** Query of the PHR side's lists. */
export const listQuery = z
  .object({
    limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
    offset: z.coerce.number().int().min(0).max(100_000).default(0),
    status: upperCase(['ALL', 'REQUESTED', 'GRANTED', 'DENIED', 'EXPIRED', 'REVOKED']).default('ALL'),
  })
  .meta({ id: 'ConsentListQuery' })

const pageLimit = z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault)
const pageOffset = z.coerce.number().int().min(0).max(100_000).default(0)

/** Query of `patients/requests`: one page of each kind. */
export const inboxQuery = z
  .object({
    consentLimit: pageLimit,
    consentOffset: pageOffset,
    subscriptionLimit: pageLimit,
    subscriptionOffset: pageOffset,
    status: listQuery.shape.status,
  })
  .meta({ id: 'PatientRequestsQuery' })

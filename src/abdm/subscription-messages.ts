import { z } from 'zod'
import { LIMITS } from '../kernel/limits.ts'
import {
  abdmError,
  abhaAddress,
  careContext,
  dateRange,
  facilityId,
  hiType,
  hiTypes,
  isoDate,
  purpose,
  responseRef,
  uuid,
  words,
} from './wire.ts'

/** Messages of subscriptions and lockers (protocol sheet 2.7). */

export const category = z.enum(['LINK', 'DATA'], 'must be LINK or DATA')
const categories = z
  .array(category)
  .min(1, 'must name LINK, DATA or both')
  .max(10)
  .transform((list) => [...new Set(list)])
const party = z.object({ id: facilityId, name: words().nullish(), type: words(50).nullish() })

export const subscriptionInit = z
  .object({
    subscription: z.object({
      purpose,
      patient: z.object({ id: abhaAddress }),
      hiu: party,
      hips: z.array(party).max(LIMITS.pageSizeMax).nullish(),
      categories,
      period: dateRange,
    }),
  })
  .meta({ id: 'SubscriptionInit' })

export const subscriptionOnInit = z
  .object({
    subscriptionRequest: z.object({ id: z.string() }).nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .meta({ id: 'SubscriptionOnInit' })

export const subscriptionNotify = z
  .object({
    notification: z.object({
      subscriptionRequestId: z.string(),
      status: z.enum(['GRANTED', 'DENIED', 'REVOKED']),
      reason: words().nullish(),
      subscription: z
        .object({
          id: z.string(),
          patient: z.object({ id: abhaAddress }),
          hiu: party,
          sources: z.array(z.object({ hip: party.nullish(), categories, period: dateRange })),
        })
        .nullish(),
    }),
  })
  .meta({ id: 'SubscriptionNotify' })

export const subscriptionOnNotify = z
  .object({
    acknowledgement: z.object({ status: words(50), subscriptionRequestId: uuid<'subscription'>() }).nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .meta({ id: 'SubscriptionOnNotify' })

export const subscriptionEvent = z
  .object({
    event: z.object({
      id: z.string().min(1).max(100),
      published: isoDate,
      category,
      subscriptionId: z.string().min(1).max(100),
      content: z.object({
        patient: z.object({ id: abhaAddress }),
        hip: party,
        contexts: z
          .array(z.object({ careContexts: z.array(careContext).max(LIMITS.careContextsFoundMax), hiType }))
          .max(LIMITS.pageSizeMax),
      }),
    }),
  })
  .meta({ id: 'SubscriptionEvent' })

export const subscriptionEventOnNotify = z
  .object({
    acknowledgement: z.object({ status: words(50), eventId: uuid<'subscription-event'>() }).nullish(),
    error: abdmError.nullish(),
    response: responseRef,
  })
  .meta({ id: 'SubscriptionEventOnNotify' })

const source = z.object({
  hiTypes: hiTypes.nullish(),
  purpose: purpose.nullish(),
  hip: party.nullish(),
  categories: categories.nullish(),
  period: dateRange.nullish(),
  status: words(20).nullish(),
})

export const subscriptionApprove = z
  .object({
    isApplicableForAllHIPs: z.boolean().nullish(),
    includedSources: z.array(source).max(LIMITS.pageSizeMax).nullish(),
    excludedSources: z.array(source).max(LIMITS.pageSizeMax).nullish(),
  })
  .meta({ id: 'SubscriptionApprove' })

export const subscriptionDeny = z.object({ reason: words().nullish() }).meta({ id: 'SubscriptionDeny' })

/** One PHR client names the inner object `subscription` (protocol sheet 2.7 (10)). */
export const subscriptionEdit = z
  .object({
    hiuId: facilityId.nullish(),
    subscriptionEditAndApprovalRequest: subscriptionApprove.nullish(),
    subscription: subscriptionApprove.nullish(),
  })
  .transform((body, ctx) => {
    const terms = body.subscriptionEditAndApprovalRequest ?? body.subscription
    if (terms) return { hiuId: body.hiuId ?? undefined, terms }
    ctx.addIssue({ code: 'custom', message: 'is needed', path: ['subscriptionEditAndApprovalRequest'] })
    return z.NEVER
  })
  .meta({ id: 'SubscriptionEdit' })

/** A locker set up by the patient: a subscription and, where wanted, automatic consent (V0.5 `locker-requests/approve`). */
export const setupLocker = z
  .object({
    subscription: subscriptionApprove.nullish(),
    autoApproval: subscriptionApprove.nullish(),
    purpose: purpose.nullish(),
  })
  .meta({ id: 'SetupLocker' })

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
  offset: z.coerce.number().int().min(0).max(100_000).default(0),
  status: z.string().max(20).default('ALL'),
})

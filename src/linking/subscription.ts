import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import type { ContextKey } from './events.ts'

export type Category = 'LINK' | 'DATA'
export type Period = { readonly from: Date; readonly to: Date }

/** What a subscriber asked for. No `hips` means any. */
export type SubscriptionRequest = {
  readonly purpose: { readonly code: PurposeCode; readonly text: string }
  readonly hips: readonly FacilityId[]
  readonly categories: readonly Category[]
  readonly period: Period
}

/** One line of what the patient allowed, or left out. Without `hip` it is about all; without `hiTypes` about all types. */
export type Source = {
  readonly hip?: FacilityId
  readonly hiTypes: readonly HiType[]
  readonly categories: readonly Category[]
  readonly period: Period
}
export type Terms = { readonly included: readonly Source[]; readonly excluded: readonly Source[] }

export type Subscription = {
  readonly id: Id<'subscription'>
  readonly patient: AbhaAddress
  readonly hiu: FacilityId
  readonly request: SubscriptionRequest
  readonly requestedAt: Date
  readonly acknowledgedAt?: Date
} & (
  | { readonly status: 'requested' }
  | {
      readonly status: 'granted' | 'revoked'
      readonly terms: Terms
      readonly decidedAt: Date
      /** Who decided it last in the patient's place. */
      readonly guardian?: AbhaAddress
    }
  | { readonly status: 'denied'; readonly reason: string; readonly decidedAt: Date }
)

/** `isUnconfirmed`: granted, but somebody else decided it for a patient who decides alone now. Nobody is told until she resumes it. */
export type KnownSubscription = Subscription & { readonly isUnconfirmed: boolean }

export type SubscriptionStatus = Subscription['status']

export const SUBSCRIPTION_MOVES = {
  requested: { grant: 'granted', deny: 'denied' },
  granted: { change: 'granted', revoke: 'revoked' },
  revoked: { change: 'revoked', resume: 'granted' },
  denied: {},
} as const satisfies Record<SubscriptionStatus, Readonly<Record<string, SubscriptionStatus>>>

export type SubscriptionVerb = 'grant' | 'deny' | 'change' | 'revoke' | 'resume'

/** The status after `verb`, or undefined when a subscription in this status does not take it. */
export function moveSubscription(status: SubscriptionStatus, verb: SubscriptionVerb): SubscriptionStatus | undefined {
  const moves: Readonly<Record<string, SubscriptionStatus>> = SUBSCRIPTION_MOVES[status]
  return moves[verb]
}

/** The news of a subscriber. What seemed lost may be acknowledged all the same. */
export const EVENT_MOVES = {
  published: ['acknowledged', 'failed'],
  acknowledged: [],
  failed: ['acknowledged'],
} as const satisfies Record<string, readonly string[]>

export type EventStatus = keyof typeof EVENT_MOVES

/** What the patient answered; what a source does not say is as it was asked. */
export type Answer = {
  /** True: every HIP that the request covers, so that a `hip` in an included source does not narrow it. */
  readonly isForAllHips: boolean
  readonly included: readonly Partial<Source>[]
  readonly excluded: readonly Partial<Source>[]
}

/** Completes the patient's answer by the request and checks that it grants no more than was asked (HIPs, categories, period). */
export function makeTerms(request: SubscriptionRequest, answer: Answer, now: Date): Terms | Refusal {
  const complete = (source: Partial<Source>): Source => ({
    ...(source.hip === undefined ? {} : { hip: source.hip }),
    hiTypes: source.hiTypes ?? [],
    categories: source.categories ?? request.categories,
    period: source.period ?? request.period,
  })
  const given = answer.included.length === 0 ? (answer.isForAllHips ? [{}] : []) : answer.included
  if (given.length === 0)
    return refuse(
      'request/invalid-field',
      'includedSources: name at least one source, or set isApplicableForAllHIPs.',
      'includedSources',
    )
  const included = given.flatMap((source) => forEachHip(complete(source), request, answer.isForAllHips))
  const tooWide = included.map((source) => widerThan(source, request)).find((field) => field !== undefined)
  if (tooWide !== undefined) return refuse('linking/subscription-too-wide', undefined, `includedSources.${tooWide}`)
  if (included.every((source) => source.period.to <= now))
    return refuse('linking/period-over', undefined, 'includedSources.period')
  return { included, excluded: answer.excluded.map(complete) }
}

/** A source about all HIPs means, where the request names some, these. */
function forEachHip(source: Source, request: SubscriptionRequest, isForAllHips: boolean): readonly Source[] {
  const { hip, ...rest } = source
  if (!isForAllHips && hip !== undefined) return [source]
  return request.hips.length === 0 ? [rest] : request.hips.map((each) => ({ ...rest, hip: each }))
}

function widerThan(source: Source, request: SubscriptionRequest): 'hip' | 'categories' | 'period' | undefined {
  if (source.hip !== undefined && request.hips.length > 0 && !request.hips.includes(source.hip)) return 'hip'
  if (source.categories.some((category) => !request.categories.includes(category))) return 'categories'
  return source.period.from < request.period.from || source.period.to > request.period.to ? 'period' : undefined
}

/** The contexts of which the subscriber is told at `now`; a matching exclusion wins. */
export function contextsToTell(
  subscription: Subscription,
  news: { readonly hip: FacilityId; readonly category: Category; readonly contexts: readonly ContextKey[] },
  now: Date,
): readonly ContextKey[] {
  if (subscription.status !== 'granted') return []
  const { included, excluded } = subscription.terms
  const isCovered = (source: Source, type: HiType): boolean =>
    (source.hip === undefined || source.hip === news.hip) &&
    source.categories.includes(news.category) &&
    (source.hiTypes.length === 0 || source.hiTypes.includes(type)) &&
    source.period.from <= now &&
    now < source.period.to
  return news.contexts.filter(
    ({ hiType }) =>
      included.some((source) => isCovered(source, hiType)) && !excluded.some((source) => isCovered(source, hiType)),
  )
}

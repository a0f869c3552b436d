import type { HiType } from '../../../src/fhir/hi-type.ts'
import type { ContextView, ProviderView, RequestView } from '../../../src/native/me-request-view.ts'

/** What the person chooses of a request; never more than was asked. */
export type Choice = {
  readonly types: readonly HiType[]
  /** Keys of single visits or reports that are left out. */
  readonly leftOut: readonly string[]
  /** Days in the person's time zone, `YYYY-MM-DD`; both belong to it. */
  readonly from: string
  readonly to: string
  readonly until: string
}

/** One item of `POST /v1/me/requests/:id/allow`. */
export type AllowItem = {
  readonly hip: string
  readonly hiTypes: readonly HiType[]
  readonly careContexts: readonly { readonly patientReference: string; readonly careContextReference: string }[]
  readonly period: { readonly from: string; readonly to: string }
  readonly eraseAt: string
}

const DAY_MS = 86_400_000
/** Records, and the people they are about, live by Indian days. */
const INDIA_OFFSET_MS = 5.5 * 3_600_000

/** The Indian day of a moment. */
export function dayOf(at: string | Date): string {
  return new Date(new Date(at).getTime() + INDIA_OFFSET_MS).toISOString().slice(0, 10)
}

/** The first moment of an Indian day. */
export function startOf(day: string): Date {
  return new Date(Date.parse(`${day}T00:00:00.000Z`) - INDIA_OFFSET_MS)
}

/** The last moment of an Indian day. */
export function endOf(day: string): Date {
  return new Date(startOf(day).getTime() + DAY_MS - 1)
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS)
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10)
}

export function keyOf(provider: Pick<ProviderView, 'id'>, context: ContextView): string {
  return JSON.stringify([provider.id, context.patientReference, context.careContextReference])
}

/** Exactly what was asked: where every choice begins. */
export function wholeChoice({ hiTypes, permission }: RequestView): Choice {
  return {
    types: hiTypes,
    leftOut: [],
    from: dayOf(permission.dateRange.from),
    to: dayOf(permission.dateRange.to),
    until: dayOf(permission.dataEraseAt),
  }
}

/** Whether the person gives less than was asked. */
export function isLess(request: RequestView, choice: Choice): boolean {
  const whole = wholeChoice(request)
  return (
    choice.types.length < whole.types.length ||
    choice.leftOut.length > 0 ||
    choice.from > whole.from ||
    choice.to < whole.to ||
    choice.until < whole.until
  )
}

/** Whether a visit lies within the chosen days and kinds; one whose day is not known counts as within. */
export function isWithin(context: ContextView, choice: Choice): boolean {
  const isInTime = context.day === undefined || (choice.from <= context.day && context.day <= choice.to)
  return context.isInRange && isInTime && context.hiTypes.some((type) => choice.types.includes(type))
}

/** The visits and reports of a provider that the choice gives. */
export function chosenOf(provider: ProviderView, choice: Choice): readonly ContextView[] {
  return provider.isActive
    ? provider.contexts.filter(
        (context) => isWithin(context, choice) && !choice.leftOut.includes(keyOf(provider, context)),
      )
    : []
}

const later = (a: string, b: string): string => (a > b ? a : b)
const earlier = (a: string, b: string): string => (a < b ? a : b)

/** What is sent: one item for each provider of which something is given; empty when the choice gives nothing. */
export function itemsOf(request: RequestView, choice: Choice): readonly AllowItem[] {
  const { dateRange, dataEraseAt } = request.permission
  const period = {
    from: later(startOf(choice.from).toISOString(), dateRange.from),
    to: earlier(endOf(choice.to).toISOString(), dateRange.to),
  }
  const eraseAt = earlier(endOf(choice.until).toISOString(), dataEraseAt)
  return request.providers.flatMap((provider): AllowItem[] => {
    const contexts = chosenOf(provider, choice)
    if (contexts.length === 0) return []
    return [
      {
        hip: provider.id,
        hiTypes: choice.types.filter((type) => contexts.some(({ hiTypes }) => hiTypes.includes(type))),
        careContexts: contexts.map(({ patientReference, careContextReference }) => ({
          patientReference,
          careContextReference,
        })),
        period,
        eraseAt,
      },
    ]
  })
}

/** How many visits and reports the choice gives. */
export function countChosen(request: RequestView, choice: Choice): number {
  return request.providers.reduce((sum, provider) => sum + chosenOf(provider, choice).length, 0)
}

/** How many of one kind exist within the chosen days. */
export function countOfType(request: RequestView, choice: Choice, type: HiType): number {
  const ofType = { ...choice, types: [type] }
  return request.providers
    .filter(({ isActive }) => isActive)
    .reduce((sum, { contexts }) => sum + contexts.filter((context) => isWithin(context, ofType)).length, 0)
}

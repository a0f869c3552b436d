import type { HiType } from '../fhir/hi-type.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { isInside, overlap, type Period } from '../policy/period.ts'
import type { CareContextRef, ConsentAsk, GrantItem } from './consent.ts'
import { isSame } from './rules.ts'

/** One kind of request that is approved beforehand. Without `hip`: of any provider, if the policy says so for all. */
export type IncludedSource = {
  readonly hiTypes: readonly HiType[]
  readonly purpose: string
  readonly hip?: FacilityId
  /** Dates of the records. */
  readonly period: Period
}

/** What is not approved beforehand; an absent field means any. It wins over what is included. */
export type ExcludedSource = {
  readonly hiTypes?: readonly HiType[]
  readonly purpose?: string
  readonly hip?: FacilityId
  readonly period?: Period
}

export type ApprovalTerms = {
  readonly isApplicableForAllHIPs: boolean
  readonly includedSources: readonly IncludedSource[]
  readonly excludedSources: readonly ExcludedSource[]
  /** When it ends, and whatever it grants with it. Absent when none was chosen: ABDM's own message cannot say it. */
  readonly until?: Date
}

/** A patient's standing decision to grant what one HIU asks for. */
export type ApprovalPolicy = {
  readonly id: Id<'approval-policy'>
  readonly patient: AbhaAddress
  readonly hiu: FacilityId
  readonly enabled: boolean
  readonly terms: ApprovalTerms
  /** Who decided it in the patient's place, the last time it was switched on. */
  readonly guardian?: AbhaAddress
  readonly createdAt: Date
  readonly changedAt: Date
}

/** `isUnconfirmed`: it is on, but somebody else decided it for a patient who decides alone now. It grants nothing until she switches it on. */
export type KnownPolicy = ApprovalPolicy & { readonly isUnconfirmed: boolean }

type StoredPeriod = { readonly from: string; readonly to: string }
export type StoredTerms = {
  readonly isApplicableForAllHIPs: boolean
  readonly includedSources: readonly (Omit<IncludedSource, 'period'> & { readonly period: StoredPeriod })[]
  readonly excludedSources: readonly (Omit<ExcludedSource, 'period'> & { readonly period?: StoredPeriod })[]
  readonly until?: string
}

function periodJson({ from, to }: Period): StoredPeriod {
  return { from: from.toISOString(), to: to.toISOString() }
}

function readPeriod({ from, to }: StoredPeriod): Period {
  return { from: new Date(from), to: new Date(to) }
}

/** The terms as JSON: for the store, the log, and the wire. */
export function termsJson(terms: ApprovalTerms): StoredTerms {
  return {
    isApplicableForAllHIPs: terms.isApplicableForAllHIPs,
    includedSources: terms.includedSources.map((source) => ({ ...source, period: periodJson(source.period) })),
    excludedSources: terms.excludedSources.map(({ period, ...source }) =>
      period === undefined ? source : { ...source, period: periodJson(period) },
    ),
    ...(terms.until === undefined ? {} : { until: terms.until.toISOString() }),
  }
}

/** What {@link termsJson} wrote. */
export function readTerms(stored: StoredTerms): ApprovalTerms {
  return {
    isApplicableForAllHIPs: stored.isApplicableForAllHIPs,
    includedSources: stored.includedSources.map((source) => ({ ...source, period: readPeriod(source.period) })),
    excludedSources: stored.excludedSources.map(({ period, ...source }) =>
      period === undefined ? source : { ...source, period: readPeriod(period) },
    ),
    ...(stored.until === undefined ? {} : { until: new Date(stored.until) }),
  }
}

/**
 * What the policy grants of a request: whole items for the providers that it covers, undefined when it covers none and the patient
 * decides. Never wider than the policy, and never cut to fit it: the request's purpose, types, dates and end must lie inside whole
 * (docs/decisions/0013-auto-approval.md).
 */
export function applyPolicy(
  policy: Pick<ApprovalPolicy, 'patient' | 'hiu' | 'enabled' | 'terms'>,
  asked: ConsentAsk,
  linked: ReadonlyMap<FacilityId, readonly CareContextRef[]>,
  now: Date,
): readonly GrantItem[] | undefined {
  if (!policy.enabled || policy.hiu !== asked.hiu || policy.patient !== asked.patient) return undefined
  const { until } = policy.terms
  if (until !== undefined && (until <= now || asked.permission.dataEraseAt > until)) return undefined
  const items: GrantItem[] = []
  for (const [hip, contexts] of linked) {
    if (asked.hip !== undefined && asked.hip !== hip) continue
    if (!coversProvider(policy.terms, asked, hip)) continue
    const wanted =
      asked.careContexts.length === 0
        ? contexts
        : contexts.filter((own) => asked.careContexts.some((other) => isSame(own, other)))
    const careContexts = wanted.map(({ patientReference, careContextReference }) => ({
      patientReference,
      careContextReference,
    }))
    if (careContexts.length > 0) items.push({ hip, hiTypes: asked.hiTypes, careContexts, permission: asked.permission })
  }
  return items.length > 0 ? items : undefined
}

function coversProvider(terms: ApprovalTerms, asked: ConsentAsk, hip: FacilityId): boolean {
  if (terms.excludedSources.some((source) => touches(source, asked, hip))) return false
  const sources = terms.includedSources.filter(
    (source) =>
      (source.hip === undefined ? terms.isApplicableForAllHIPs : source.hip === hip) &&
      source.purpose === asked.purpose.code &&
      isInside(asked.permission.dateRange, source.period),
  )
  return asked.hiTypes.every((type) => sources.some((source) => source.hiTypes.includes(type)))
}

function touches(source: ExcludedSource, asked: ConsentAsk, hip: FacilityId): boolean {
  return (
    (source.hip === undefined || source.hip === hip) &&
    (source.purpose === undefined || source.purpose === asked.purpose.code) &&
    (source.hiTypes === undefined || source.hiTypes.some((type) => asked.hiTypes.includes(type))) &&
    (source.period === undefined || overlap(source.period, asked.permission.dateRange) !== undefined)
  )
}

import { type FacilityId } from '../kernel/id.ts'
import type { ProblemCode } from '../kernel/problems.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { isNoMoreOften } from '../policy/frequency.ts'
import type { PurposeCode } from '../policy/purpose.ts'
import type { AccessMode, CareContextRef, ConsentAsk, GrantItem } from './consent.ts'

type Violation = { readonly code: ProblemCode; readonly field: string; readonly says: string }

/**
 * How long a consent may be valid and copies be kept, in years from now, by purpose. ABDM sets no limit; ours only refuses what no purpose
 * needs: a lifetime, or an emergency of years.
 */
export const KEPT_YEARS_MAX: Readonly<Record<PurposeCode, number>> = {
  CAREMGT: 10,
  BTG: 1,
  PUBHLTH: 10,
  HPAYMT: 10,
  DSRCH: 10,
  PATRQT: 10,
}

/** Whether what a HIU asks for can be: its dates. (Types, purpose and form are checked where it is read.) */
export function checkAsk(asked: ConsentAsk, now: Date): Refusal | undefined {
  const { dateRange, dataEraseAt } = asked.permission
  if (dataEraseAt <= now) {
    return refuse(
      'consent/invalid-dates',
      'dataEraseAt must lie in the future: the consent ends then.',
      'consent.permission.dataEraseAt',
    )
  }
  const years = KEPT_YEARS_MAX[asked.purpose.code]
  const latest = new Date(now)
  latest.setUTCFullYear(now.getUTCFullYear() + years)
  if (dataEraseAt > latest) {
    return refuse(
      'consent/kept-too-long',
      `For the purpose ${asked.purpose.code} dataEraseAt may lie ${years} year(s) ahead: not after ${latest.toISOString()}.`,
      'consent.permission.dataEraseAt',
    )
  }
  if (dateRange.from >= dateRange.to) {
    return refuse(
      'consent/invalid-dates',
      'The date range must begin before it ends.',
      'consent.permission.dateRange.from',
    )
  }
  return undefined
}

const INDIA_OFFSET_MS = 5.5 * 3_600_000

/** The same request for records since the patient's birth: nobody decides about years in which she was not there. */
export function sinceBirth(asked: ConsentAsk, birthDate: string): ConsentAsk | Refusal {
  const { permission } = asked
  const born = new Date(Date.parse(`${birthDate}T00:00:00.000Z`) - INDIA_OFFSET_MS)
  if (permission.dateRange.from >= born) return asked
  if (permission.dateRange.to <= born)
    return refuse(
      'consent/invalid-dates',
      'The date range ends before the patient was born.',
      'consent.permission.dateRange.to',
    )
  return { ...asked, permission: { ...permission, dateRange: { ...permission.dateRange, from: born } } }
}

/**
 * Whether a grant lies within the request: provider, care contexts (asked for, and linked for this patient at that provider), HI
 * types, dates, end, frequency, access mode. A grant that does not is refused, never cut; the refusal names every violation.
 */
export function checkGrant(
  asked: ConsentAsk,
  items: readonly GrantItem[],
  linked: ReadonlyMap<FacilityId, readonly CareContextRef[]>,
  now: Date,
): Refusal | undefined {
  const violations = items.flatMap((item, i) => [
    ...violationsOfProvider(asked, items, i),
    ...violationsOfContexts(asked, item, linked.get(item.hip) ?? [], `consents[${i}].careContexts`),
    ...violationsOfScope(asked, item, `consents[${i}]`, now),
  ])
  const [first] = violations
  if (first === undefined) return undefined
  return refuse(first.code, violations.map(({ field, says }) => `${field} ${says}`).join('; '), first.field)
}

function violationsOfProvider(asked: ConsentAsk, items: readonly GrantItem[], index: number): readonly Violation[] {
  const field = `consents[${index}].hip.id`
  const hip = items[index]?.hip
  const found: Violation[] = []
  if (asked.hip !== undefined && asked.hip !== hip) {
    found.push({ code: 'consent/wider-provider', field, says: 'is not the provider that was asked for' })
  }
  if (items.findIndex((item) => item.hip === hip) < index) {
    found.push({ code: 'request/invalid-field', field, says: 'is named twice; put all of one provider into one item' })
  }
  return found
}

function violationsOfContexts(
  asked: ConsentAsk,
  item: GrantItem,
  linked: readonly CareContextRef[],
  field: string,
): readonly Violation[] {
  return item.careContexts.flatMap((context, i): readonly Violation[] => {
    if (!linked.some((other) => isSame(context, other))) {
      return [
        {
          code: 'consent/unknown-context',
          field: `${field}[${i}]`,
          says: 'is not linked for this patient at this provider',
        },
      ]
    }
    if (asked.careContexts.length > 0 && !asked.careContexts.some((other) => isSame(context, other))) {
      return [{ code: 'consent/wider-contexts', field: `${field}[${i}]`, says: 'was not asked for' }]
    }
    return []
  })
}

export function isSame(a: CareContextRef, b: CareContextRef): boolean {
  return a.patientReference === b.patientReference && a.careContextReference === b.careContextReference
}

function violationsOfScope(asked: ConsentAsk, item: GrantItem, at: string, now: Date): readonly Violation[] {
  const { permission } = item
  const limit = asked.permission
  const found: Violation[] = []
  const add = (code: ProblemCode, field: string, says: string): void => {
    found.push({ code, field: `${at}.${field}`, says })
  }
  const extra = item.hiTypes.filter((type) => !asked.hiTypes.includes(type))
  if (extra.length > 0) add('consent/wider-types', 'hiTypes', `holds ${extra.join(', ')}, which was not asked for`)
  const { from, to } = permission.dateRange
  if (from < limit.dateRange.from)
    add('consent/wider-range', 'permission.dateRange.from', `is before ${limit.dateRange.from.toISOString()}`)
  if (to > limit.dateRange.to)
    add('consent/wider-range', 'permission.dateRange.to', `is after ${limit.dateRange.to.toISOString()}`)
  if (from >= to) add('consent/invalid-dates', 'permission.dateRange.from', 'is not before the end')
  if (permission.dataEraseAt > limit.dataEraseAt) {
    add('consent/wider-permission', 'permission.dataEraseAt', `is later than ${limit.dataEraseAt.toISOString()}`)
  }
  if (permission.dataEraseAt <= now) add('consent/invalid-dates', 'permission.dataEraseAt', 'is not in the future')
  if (!isNoMoreOften(permission.frequency, limit.frequency)) {
    const { unit, value, repeats } = limit.frequency
    add(
      'consent/wider-permission',
      'permission.frequency',
      `permits more than ${Math.max(1, repeats)} request(s) in ${value} ${unit}`,
    )
  }
  if (!isNarrowerMode(permission.accessMode, limit.accessMode)) {
    add(
      'consent/wider-permission',
      'permission.accessMode',
      `must be ${limit.accessMode}${limit.accessMode === 'VIEW' ? '' : ' or VIEW'}`,
    )
  }
  return found
}

/** VIEW gives less than every other mode; the others cannot be compared. */
function isNarrowerMode(granted: AccessMode, asked: AccessMode): boolean {
  return granted === asked || granted === 'VIEW'
}

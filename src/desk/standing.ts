import type { Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import type { Standing } from '../records/rules.ts'
import { attendsNow, isJoining, type Unit, type Visit } from './visit.ts'

type Seen = Pick<Visit, 'kind' | 'status' | 'startedAt' | 'endedAt' | 'startedBy' | 'presence' | 'confirmedAt'> &
  Pick<Visit, 'attendants'>

/** How a doctor or nurse stands to a patient whose latest visit this is; undefined when she does not attend. */
export function standingOfPerson(visit: Seen | undefined, staff: Id<'staff'>, now: Date): Standing | undefined {
  if (visit === undefined || !attendsNow(visit, staff, now)) return undefined
  const hasBegun = visit.startedBy === staff
  if (hasBegun && visit.presence === undefined) return 'no-visit'
  const own = visit.attendants.find(({ attendant }) => attendant === staff)
  if (own?.addedBy !== staff) return 'attending'
  const isAnew = !hasBegun || own.from > visit.startedAt
  return isAnew && isJoining(visit, hasBegun) ? 'joined' : 'attending'
}

/** How long after a visit the work of a unit for that patient goes on. */
const WORK_AFTER_MS: Readonly<Record<Unit, number>> = {
  lab: LIMITS.labAfterVisitMs,
  pharmacy: LIMITS.pharmacyAfterVisitMs,
  billing: LIMITS.billingAfterVisitMs,
}

/**
 * How a unit stands to a patient: there are no orders here, so a visit counts that is open, or ended not longer ago than the unit's work
 * takes. One that the reader began herself counts only with a sign that the patient was here; `isHereToday` is such a sign by itself.
 */
export function standingOfUnit(
  visits: readonly Seen[],
  reader: { readonly id: Id<'staff'>; readonly unit: Unit },
  isHereToday: boolean,
  now: Date,
): Standing {
  const since = now.getTime() - WORK_AFTER_MS[reader.unit]
  const counts = visits.some(
    ({ endedAt, startedBy, presence }) =>
      (endedAt === undefined || endedAt.getTime() >= since) && (startedBy !== reader.id || presence !== undefined),
  )
  return counts || isHereToday ? 'attending' : 'no-visit'
}

/** What a unit's role is called when it attends; undefined for a role that is no unit. */
export function unitOf(role: StaffRole): Unit | undefined {
  return role === 'lab' || role === 'pharmacy' || role === 'billing' ? role : undefined
}

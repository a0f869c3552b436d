import type { Id } from '../kernel/id.ts'
import type { StaffRole } from '../kernel/staff-role.ts'

export const VISIT_KINDS = ['outpatient', 'inpatient', 'emergency'] as const
export type VisitKind = (typeof VISIT_KINDS)[number]

/** Units that attend as a whole: whoever works there today. */
export const UNITS = ['lab', 'pharmacy', 'billing'] as const satisfies readonly StaffRole[]
export type Unit = (typeof UNITS)[number]

/** The id of a doctor or nurse, or a unit. */
export type Attendant = Id<'staff'> | Unit

export type Attendance = {
  readonly attendant: Attendant
  readonly from: Date
  readonly until?: Date
  /** The person of the staff who named the attendant; absent for software. */
  readonly addedBy?: Id<'staff'>
}

/** What says that the patient is here, beyond a click of who began the visit. */
export type Presence = 'desk' | 'software' | 'counter' | 'registered'

/** A patient's stay at this facility, from the front desk to the door: the ground on which staff read records. */
export type Visit = {
  readonly id: Id<'visit'>
  readonly patientReference: string
  readonly kind: VisitKind
  readonly status: VisitStatus
  readonly queueNumber?: number
  readonly startedAt: Date
  readonly endedAt?: Date
  /** The person of the staff who began it; absent for software. */
  readonly startedBy?: Id<'staff'>
  readonly presence?: Presence
  /** Of a stay: when somebody last said that the patient is still here. */
  readonly confirmedAt?: Date
  readonly attendants: readonly Attendance[]
}

export type VisitStatus = 'open' | 'ended'

export const VISIT_MOVES = {
  none: ['open'],
  open: ['ended'],
  ended: [],
} as const satisfies Record<VisitStatus | 'none', readonly VisitStatus[]>

const HOUR_MS = 3_600_000
/** A visit that nobody ended ends by itself: nobody goes on reading because a click was forgotten. A stay goes on, and who attends in it is confirmed. */
const LONGEST_MS: Readonly<Record<Exclude<VisitKind, 'inpatient'>, number>> = {
  outpatient: 24 * HOUR_MS,
  emergency: 72 * HOUR_MS,
}

/** When an open visit ends by itself; undefined for a stay. */
export function endsBy({ kind, startedAt }: Pick<Visit, 'kind' | 'startedAt'>): Date | undefined {
  return kind === 'inpatient' ? undefined : new Date(startedAt.getTime() + LONGEST_MS[kind])
}

/** In a stay one attends this long from when one was named, or from when somebody confirmed that the patient is still here. */
export const STAY_CONFIRMED_MS = 7 * 24 * HOUR_MS

/**
 * Whether who adds herself to a visit joins somebody else's: then she says why, and is reviewed. To a stay also who began it comes back as
 * one who joins: else she would attend for another week each time, and nobody else would ever say that the patient is here.
 */
export function isJoining({ kind }: Pick<Visit, 'kind'>, hasBegun: boolean): boolean {
  return !hasBegun || kind === 'inpatient'
}

/** Until when somebody attends in a stay that nobody confirms again. */
export function attendsUntil({ confirmedAt }: Pick<Visit, 'confirmedAt'>, { from }: Pick<Attendance, 'from'>): Date {
  return new Date(Math.max(from.getTime(), confirmedAt?.getTime() ?? 0) + STAY_CONFIRMED_MS)
}

/** Whether somebody attends in this visit now. */
export function attendsNow(
  visit: Pick<Visit, 'kind' | 'status' | 'startedAt' | 'attendants' | 'confirmedAt'>,
  attendant: string,
  now: Date,
): boolean {
  const end = endsBy(visit)
  if (visit.status !== 'open' || (end !== undefined && end <= now)) return false
  return visit.attendants.some(
    ({ attendant: who, from, until }) =>
      who === attendant &&
      from <= now &&
      (until === undefined || until > now) &&
      (visit.kind !== 'inpatient' || attendsUntil(visit, { from }) > now),
  )
}

export const EVENTS = {
  'visit.started': 'A visit of a patient began, and these people and units attend it.',
  'visit.attendants-changed': 'Other people or units attend a visit from now on.',
  'visit.confirmed': 'Somebody confirmed that a patient is still here; who attends the stay goes on doing so.',
  'visit.ended': 'A visit of a patient ended; nobody attends it any more.',
  'desk.patients-searched': 'A person of the staff searched for patients; what was typed is not kept.',
  'desk.patient-opened': 'A person of the staff opened the page of a patient.',
  'desk.list-opened': 'A person of the staff opened a list that names patients.',
} as const

import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { readQueueNumber } from '../hip/share-commands.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type Actor, type StaffCaller, staffActor } from '../kernel/caller.ts'
import { type FacilityId, type Id, makeId, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { canMove } from '../kernel/moves.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { isPatientSince, readPatient } from '../records/commands.ts'
import type { FacilityPatient } from '../records/patient.ts'
import type { Standing } from '../records/rules.ts'
import { attendingStaff } from './colleagues.ts'
import { listForReview } from './joining-commands.ts'
import { attendantOf, todayScope } from './rules.ts'
import { standingOfPerson, standingOfUnit, unitOf } from './standing.ts'
import {
  type Attendant,
  attendsNow,
  endsBy,
  isJoining,
  type Presence,
  UNITS,
  VISIT_MOVES,
  type Visit,
  type VisitKind,
} from './visit.ts'
import * as store from './visit-store.ts'

/** Who begins, changes or ends a visit: a person of the staff, or software of the hospital. */
export type VisitActor = {
  readonly actor: Actor
  /** The person, absent for software. */
  readonly staff?: StaffCaller
  /** As whom she attends what she begins. */
  readonly own?: string
}

/** A person of the staff as {@link VisitActor}. */
export function asVisitActor(
  needs: { readonly facility: { readonly id: FacilityId } },
  staff: StaffCaller,
): VisitActor {
  const own = attendantOf(staff)
  return { actor: staffActor(needs.facility.id, staff), staff, ...(own === undefined ? {} : { own }) }
}

export type NewVisit = {
  readonly patient: string
  readonly kind: VisitKind
  /** Ids of doctors and nurses, and names of units. */
  readonly attendants: readonly string[]
}

/**
 * Starts a visit. A doctor or nurse who starts one attends it. A patient has one open visit at a time: who else is to attend is added to
 * it.
 */
export async function startVisit(tx: Tx, by: VisitActor, input: NewVisit): Promise<Id<'visit'> | Refusal> {
  const { actor, own, staff } = by
  const patient = await readPatient(tx, input.patient)
  if (isRefusal(patient)) return patient
  const attendants = await readAttendants(tx, own === undefined ? input.attendants : [...input.attendants, own])
  if (isRefusal(attendants)) return attendants
  const [latest] = await store.visitsOf(tx, patient.reference, 1)
  if (latest?.status === 'open') return refuse('desk/visit-open')
  const id = makeId<'visit'>(tx.now, tx.random, bucketOf(patient.reference))
  const queueNumber =
    patient.abhaAddress === undefined ? undefined : await readQueueNumber(tx, patient.abhaAddress, startOfDay(tx.now))
  const presence = await presenceOf(tx, by, patient, latest)
  const recorded = await record(tx, {
    type: 'visit.started',
    actor,
    patient: patient.reference,
    subject: id,
    kind: input.kind,
    attendants,
    ...(presence === undefined ? {} : { presence }),
  })
  const visit = {
    id,
    patientReference: patient.reference,
    kind: input.kind,
    ...(staff === undefined ? {} : { startedBy: staff.id }),
    ...(presence === undefined ? {} : { presence }),
  }
  await store.insertVisit(tx, recorded, queueNumber === undefined ? visit : { ...visit, queueNumber }, attendants)
  await announce(tx, recorded)
  return id
}

/**
 * What says that the patient is here. The front desk and the hospital's software see her, or keep her appointment; a profile shared at the
 * counter and a registration count for one visit of that day: a second one is the word of who begins it.
 */
async function presenceOf(
  tx: Tx,
  { staff }: VisitActor,
  { reference, abhaAddress }: FacilityPatient,
  latest: Visit | undefined,
): Promise<Presence | undefined> {
  if (staff === undefined) return 'software'
  if (staff.role === 'front-desk') return 'desk'
  const today = startOfDay(tx.now)
  if (latest !== undefined && latest.startedAt >= today) return undefined
  if (abhaAddress !== undefined && (await readQueueNumber(tx, abhaAddress, today)) !== undefined) return 'counter'
  return (await isPatientSince(tx, reference, today)) ? 'registered' : undefined
}

/**
 * Lets others attend an open visit, or no longer. Who adds herself to somebody else's, or anew to a stay that she began, says why:
 * `desk/joining-unexplained`.
 */
export async function changeAttendants(
  tx: Tx,
  by: VisitActor,
  id: string,
  change: { readonly add: readonly string[]; readonly remove: readonly string[]; readonly reason?: string | undefined },
): Promise<true | Refusal> {
  const visit = await lockOpen(tx, id)
  if (isRefusal(visit)) return visit
  const added = await readAttendants(tx, change.add)
  if (isRefusal(added)) return added
  const removed = visit.attendants.flatMap(({ attendant, until }) =>
    until === undefined && change.remove.includes(attendant) && !added.includes(attendant) ? [attendant] : [],
  )
  const present = new Set(visit.attendants.flatMap(({ attendant, until }) => (until === undefined ? [attendant] : [])))
  const fresh = added.filter((attendant) => !present.has(attendant))
  if (fresh.length === 0 && removed.length === 0) return true
  const { staff } = by
  const joins = staff !== undefined && fresh.includes(staff.id) && isJoining(visit, visit.startedBy === staff.id)
  const { reason } = change
  if (joins && reason === undefined) return refuse('desk/joining-unexplained', undefined, 'reason')
  const recorded = await record(tx, {
    type: 'visit.attendants-changed',
    actor: by.actor,
    patient: visit.patientReference,
    subject: visit.id,
    added: fresh,
    removed,
    ...(joins ? { joined: staff.id, words: reason } : {}),
  })
  await store.addAttendants(tx, recorded, visit.id, fresh, staff?.id)
  if (joins && reason !== undefined) await listForReview(tx, recorded, visit, staff, reason)
  if (removed.length > 0) await store.endAttendance(tx, recorded, visit.id, removed)
  await announce(tx, recorded)
  return true
}

/** Ends a visit: nobody attends it any more. */
export async function endVisit(tx: Tx, { actor }: VisitActor, id: string): Promise<true | Refusal> {
  const visit = await lockOpen(tx, id)
  if (isRefusal(visit)) return visit
  await end(tx, actor, visit)
  return true
}

async function end(tx: Tx, actor: Actor, visit: Visit): Promise<void> {
  const recorded = await record(tx, {
    type: 'visit.ended',
    actor,
    patient: visit.patientReference,
    subject: visit.id,
  })
  await store.endVisit(tx, recorded, visit)
  await announce(tx, recorded)
}

/** Locks a visit that is open. */
export async function lockOpen(tx: Tx, text: string): Promise<Visit | Refusal> {
  const id = parseId<'visit'>(text)
  const visit = id && (await store.lockVisit(tx, id))
  if (visit === undefined) return refuse('desk/unknown-visit')
  return canMove(VISIT_MOVES, visit.status, 'ended') ? visit : refuse('desk/visit-ended')
}

/** Ends what nobody ended in time. Returns how many. */
export async function endForgottenVisits(tx: Tx): Promise<number> {
  let ended = 0
  for (const kind of ['outpatient', 'emergency'] as const) {
    const longestMs = (endsBy({ kind, startedAt: tx.now })?.getTime() ?? 0) - tx.now.getTime()
    const before = new Date(tx.now.getTime() - longestMs)
    for (const id of await store.visitsToEnd(tx, kind, before, LIMITS.expiryBatchMax)) {
      const visit = await store.lockVisit(tx, id)
      if (visit?.status !== 'open') continue
      await end(tx, { kind: 'system', id: 'visits' }, visit)
      ended++
    }
  }
  return ended
}

async function readAttendants(tx: Tx, wanted: readonly string[]): Promise<readonly Attendant[] | Refusal> {
  const people = await attendingStaff(tx)
  const found: Attendant[] = []
  for (const text of new Set(wanted)) {
    const attendant = UNITS.find((unit) => unit === text) ?? people.find(({ id }) => id === text)?.id
    if (attendant === undefined) return refuse('desk/unknown-attendant', undefined, 'attendants')
    found.push(attendant)
  }
  return found
}

/**
 * Whether a person of the staff attends a patient now: by name, or as the unit where she works. `who` is her id, or the name of the
 * unit.
 */
export async function isAttending(tx: Tx, patientReference: string, who: string): Promise<boolean> {
  const [latest] = await store.visitsOf(tx, patientReference, 1)
  return latest !== undefined && attendsNow(latest, who, tx.now)
}

/** What the ground of somebody who looks at this patient rests on; undefined for who neither attends nor is of a unit. */
export async function readStanding(
  tx: Tx,
  { reference, abhaAddress }: FacilityPatient,
  { id, role }: StaffCaller,
): Promise<Standing | undefined> {
  const visits = await store.visitsOf(tx, reference, LIMITS.pageSizeDefault)
  const unit = unitOf(role)
  if (unit === undefined) return standingOfPerson(visits[0], id, tx.now)
  const today = startOfDay(tx.now)
  const isHereToday =
    (await isPatientSince(tx, reference, today)) ||
    (abhaAddress !== undefined && (await readQueueNumber(tx, abhaAddress, today)) !== undefined)
  return standingOfUnit(visits, { id, unit }, isHereToday, tx.now)
}

/** Visits of one patient, latest first. */
export async function listVisits(tx: Tx, patientReference: string): Promise<readonly Visit[]> {
  return store.visitsOf(tx, patientReference, LIMITS.pageSizeDefault)
}

/** A page of today's visits that somebody sees by her role, behind the visit `after`: those that began today, then stays. */
export async function listToday(
  tx: Tx,
  staff: StaffCaller,
  { after, limit }: { readonly after: Id<'visit'> | undefined; readonly limit: number },
): Promise<{ readonly visits: readonly Visit[]; readonly next?: Id<'visit'> }> {
  const scope = todayScope(staff)
  if (scope === 'none') return { visits: [] }
  const found = await store.todaysVisits(tx, startOfDay(tx.now), scope, { after, limit: limit + 1 })
  const visits = found.slice(0, limit)
  const last = visits.at(-1)
  return found.length > limit && last !== undefined ? { visits, next: last.id } : { visits }
}

const INDIA_OFFSET_MS = 330 * 60_000
const DAY_MS = 86_400_000

/** Midnight in India before `now`. */
export function startOfDay(now: Date): Date {
  const inIndia = now.getTime() + INDIA_OFFSET_MS
  return new Date(inIndia - (inIndia % DAY_MS) - INDIA_OFFSET_MS)
}

import { announce, record } from '../audit/record.ts'
import type { EmergencyReason } from '../consent/emergency.ts'
import type { Tx } from '../db/tx.ts'
import { HI_TYPES } from '../fhir/hi-type.ts'
import { askConsent, type ConsentNeeds } from '../hiu/commands.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type StaffCaller, staffActor } from '../kernel/caller.ts'
import type { FacilityId } from '../kernel/id.ts'
import { type Id, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { firstWith, type PlaceInParts, wordInParts } from '../kernel/list-place.ts'
import { canMove } from '../kernel/moves.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { mayDo } from '../people/rules.ts'
import { type RecordsNeeds, readPatient } from '../records/commands.ts'
import type { FacilityPatient } from '../records/patient.ts'
import { EMERGENCY_MOVES, type EmergencyAccess, type EmergencyEvent, type Outcome } from './emergency.ts'
import * as store from './store.ts'
import { sendText, type TellNeeds, wayToTell } from './tell.ts'
import { tellWhenUnanswered } from './tell-commands.ts'

export type EmergencyNeeds = ConsentNeeds &
  RecordsNeeds & {
    /** Whether the exchange takes emergencies: a national gateway does not, then only our own records open. */
    readonly reportsToExchange: boolean
  } & TellNeeds

const LOOK_BACK_MS = 10 * 365 * 86_400_000

/**
 * Breaks the glass for one person and one patient: what we hold opens to that person until `LIMITS.emergencyMs` from now, and what others
 * hold is asked of the exchange with purpose BTG. Works while the exchange is down: the request waits in the queue, what we hold opens.
 * A second time while the first is open answers the first.
 */
export async function breakGlass(
  tx: Tx,
  needs: EmergencyNeeds,
  staff: StaffCaller,
  input: { readonly patient: string; readonly reason: EmergencyReason; readonly words: string },
): Promise<EmergencyAccess | Refusal> {
  const patient = await readPatient(tx, input.patient)
  if (isRefusal(patient)) return patient
  const already = await store.findOpen(tx, patient.reference, staff.id)
  if (already !== undefined) return already
  const consent = await askOthers(tx, needs, staff, patient, input)
  if (isRefusal(consent)) return consent
  const access: EmergencyAccess = {
    id: makeId<'emergency'>(tx.now, tx.random, bucketOf(patient.reference)),
    patientReference: patient.reference,
    staff: staff.id,
    role: staff.role,
    name: staff.name,
    reason: input.reason,
    words: input.words,
    status: 'open',
    openedAt: tx.now,
    until: new Date(tx.now.getTime() + LIMITS.emergencyMs),
    reviewBy: new Date(tx.now.getTime() + LIMITS.emergencyReviewMs),
    ...(consent === undefined ? await wayToTell(tx, patient) : { consent, told: 'exchange' }),
  }
  const recorded = await record<EmergencyEvent>(tx, {
    ...about(needs, staff, access),
    type: 'emergency.opened',
    reason: input.reason,
    words: input.words,
    until: access.until.toISOString(),
    told: access.told,
    ...(access.onPaper === undefined ? {} : { onPaper: access.onPaper }),
  })
  await store.insertEmergency(tx, recorded, access)
  if (access.told === 'text') await sendText(tx, needs, patient, access)
  await announce(tx, recorded)
  return access
}

const about = (
  needs: { readonly facility: { readonly id: FacilityId } },
  staff: StaffCaller,
  access: Pick<EmergencyAccess, 'id' | 'patientReference'>,
) => ({ actor: staffActor(needs.facility.id, staff), patient: access.patientReference, subject: access.id })

/** Asks the exchange to open what other facilities hold; undefined when there is no exchange that does, or no ABHA address. */
async function askOthers(
  tx: Tx,
  needs: EmergencyNeeds,
  staff: StaffCaller,
  patient: FacilityPatient,
  input: { readonly reason: EmergencyReason; readonly words: string },
): Promise<Id<'hiu-consent'> | Refusal | undefined> {
  if (!needs.reportsToExchange || patient.abhaAddress === undefined) return undefined
  const terms = {
    patient: patient.abhaAddress,
    purpose: 'BTG',
    hiTypes: HI_TYPES,
    range: { from: new Date(tx.now.getTime() - LOOK_BACK_MS), to: tx.now },
    dataEraseAt: new Date(tx.now.getTime() + LIMITS.emergencyMs),
    frequency: { unit: 'HOUR', value: 1, repeats: 1 },
    accessMode: 'VIEW',
    careContexts: [],
    requester: {
      name: staff.name,
      ...(staff.registration === undefined ? {} : { registrationNumber: staff.registration }),
    },
  } as const
  const { reason, words } = input
  return askConsent(tx, needs, terms, {
    staff: staff.id,
    role: staff.role,
    template: 'emergency',
    emergency: { reason, words },
  })
}

/** The open access of this person to this patient, if there is one: what the gate for our own records asks. */
export async function openEmergencyOf(
  tx: Tx,
  patientReference: string,
  staff: Id<'staff'>,
): Promise<EmergencyAccess | undefined> {
  return store.findOpen(tx, patientReference, staff)
}

/** Ends one's own access before its time. */
export async function endOwnEmergency(
  tx: Tx,
  needs: EmergencyNeeds,
  staff: StaffCaller,
  id: Id<'emergency'>,
): Promise<EmergencyAccess | Refusal> {
  const access = await store.lockEmergency(tx, id)
  if (access === undefined || access.staff !== staff.id) return refuse('incidents/unknown-emergency')
  if (!canMove(EMERGENCY_MOVES, access.status, 'ended')) return access
  const recorded = await record<EmergencyEvent>(tx, {
    ...about(needs, staff, access),
    type: 'emergency.ended',
    how: 'by hand',
  })
  await store.endEmergencyRow(tx, recorded, access)
  await announce(tx, recorded)
  await tellWhenUnanswered(tx, needs, access)
  return { ...access, status: 'ended', endedAt: tx.now }
}

/** Ends everything whose time is over; the gate has not let it in since. What the exchange has said nothing of is told by us. */
export async function endDueEmergencies(
  tx: Tx,
  needs: TellNeeds & { readonly facility: { readonly id: FacilityId } },
): Promise<number> {
  const due = await store.findDue(tx, LIMITS.expiryBatchMax)
  for (const id of due) {
    const access = await store.lockEmergency(tx, id)
    if (access === undefined || !canMove(EMERGENCY_MOVES, access.status, 'ended')) continue
    const recorded = await record<EmergencyEvent>(tx, {
      type: 'emergency.ended',
      actor: { kind: 'facility', id: needs.facility.id },
      patient: access.patientReference,
      subject: access.id,
      how: 'time over',
    })
    await store.endEmergencyRow(tx, recorded, access)
    await announce(tx, recorded)
    await tellWhenUnanswered(tx, needs, access)
  }
  return due.length
}

/** Ids of accesses whose review, or whose letter to the patient, is overdue. */
export async function overdueEmergencies(
  tx: Pick<Tx, 'db' | 'now'>,
  what: 'review' | 'letter',
  limit: number,
): Promise<readonly string[]> {
  return store.overdueIds(tx, what, limit)
}

/** A page of the review list; `next` is where the following one begins. The caller's route has checked the act `emergency.review`. */
export async function listEmergencies(
  tx: Tx,
  { after, limit }: { readonly after?: PlaceInParts<Id<'emergency'>> | undefined; readonly limit: number },
): Promise<{ readonly emergencies: readonly EmergencyAccess[]; readonly next?: string }> {
  const found = await store.listEmergencies(tx, { after, limit: limit + 1 })
  const { items, ...more } = firstWith(found, limit, (access) => {
    const isSettled = access.status === 'reviewed' && (access.told !== 'letter' || access.toldAt !== undefined)
    return wordInParts({ isSettled, date: isSettled ? access.openedAt : access.reviewBy, id: access.id })
  })
  return { emergencies: items, ...more }
}

/**
 * Writes down what the review found. Nobody reviews what they opened themselves: `incidents/own-review`. Before its end there is nothing
 * to review: `incidents/not-ended`; twice is `incidents/reviewed-already`.
 */
export async function reviewEmergency(
  tx: Tx,
  needs: EmergencyNeeds,
  staff: StaffCaller,
  input: { readonly id: Id<'emergency'>; readonly outcome: Outcome; readonly words: string },
): Promise<EmergencyAccess | Refusal> {
  if (!mayDo(staff.role, 'emergency.review')) return refuse('auth/forbidden')
  const access = await store.lockEmergency(tx, input.id)
  if (access === undefined) return refuse('incidents/unknown-emergency')
  if (access.staff === staff.id) return refuse('incidents/own-review')
  if (!canMove(EMERGENCY_MOVES, access.status, 'reviewed'))
    return refuse(access.status === 'open' ? 'incidents/not-ended' : 'incidents/reviewed-already')
  const { outcome, words } = input
  const recorded = await record<EmergencyEvent>(tx, {
    ...about(needs, staff, access),
    type: 'emergency.reviewed',
    outcome,
    words,
  })
  await store.reviewEmergencyRow(tx, recorded, access, { outcome, words, by: staff.id })
  await announce(tx, recorded)
  return { ...access, status: 'reviewed', review: { outcome, words, by: staff.id, at: tx.now } }
}

import { type AuditEvent, announce, type Recorded, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Outcome } from '../incidents/emergency.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type StaffCaller, staffActor } from '../kernel/caller.ts'
import { type FacilityId, type Id, makeId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { firstWith, type PlaceInParts, wordInParts } from '../kernel/list-place.ts'
import { canMove } from '../kernel/moves.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { JOINING_MOVES, type Joining } from './joining.ts'
import * as store from './joining-store.ts'
import type { Visit } from './visit.ts'

/** Puts somebody who added herself to those who attend on the list of reviews, as part of the recorded change. */
export async function listForReview(
  tx: Tx,
  recorded: Recorded<AuditEvent>,
  { id: visit, patientReference }: Pick<Visit, 'id' | 'patientReference'>,
  { id: staff, role, name }: StaffCaller,
  words: string,
): Promise<void> {
  await store.insertJoining(tx, recorded, {
    id: makeId<'joining'>(tx.now, tx.random, bucketOf(patientReference)),
    patientReference,
    visit,
    staff,
    role,
    name,
    words,
    status: 'waiting',
    joinedAt: tx.now,
    reviewBy: new Date(tx.now.getTime() + LIMITS.joiningReviewMs),
  })
}

/** A page of the review list; `next` is where the following one begins. The caller's route has checked the act `emergency.review`. */
export async function listJoinings(
  tx: Tx,
  { after, limit }: { readonly after?: PlaceInParts<Id<'joining'>> | undefined; readonly limit: number },
): Promise<{ readonly joinings: readonly Joining[]; readonly next?: string }> {
  const found = await store.listJoinings(tx, { after, limit: limit + 1 })
  const { items, ...more } = firstWith(found, limit, ({ id, status, joinedAt, reviewBy }) => {
    const isSettled = status === 'reviewed'
    return wordInParts({ isSettled, date: isSettled ? joinedAt : reviewBy, id })
  })
  return { joinings: items, ...more }
}

/** Writes down what the review found; nobody reviews herself (`incidents/own-review`), nobody twice (`incidents/reviewed-already`). */
export async function reviewJoining(
  tx: Tx,
  needs: { readonly facility: { readonly id: FacilityId } },
  staff: StaffCaller,
  input: { readonly id: Id<'joining'>; readonly outcome: Outcome; readonly words: string },
): Promise<Joining | Refusal> {
  const joining = await store.lockJoining(tx, input.id)
  if (joining === undefined) return refuse('desk/unknown-joining')
  if (joining.staff === staff.id) return refuse('incidents/own-review')
  if (!canMove(JOINING_MOVES, joining.status, 'reviewed')) return refuse('incidents/reviewed-already')
  const { outcome, words } = input
  const recorded = await record(tx, {
    type: 'joining.reviewed',
    actor: staffActor(needs.facility.id, staff),
    patient: joining.patientReference,
    subject: joining.id,
    outcome,
    words,
  })
  await store.reviewJoiningRow(tx, recorded, joining, { outcome, words, by: staff.id })
  await announce(tx, recorded)
  return { ...joining, status: 'reviewed', review: { outcome, words, by: staff.id, at: tx.now } }
}

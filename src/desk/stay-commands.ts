import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { lockOpen, type VisitActor } from './commands.ts'
import { attendsUntil, STAY_CONFIRMED_MS, type Visit } from './visit.ts'
import * as store from './visit-store.ts'

/**
 * Says that the patient of a stay is still here: who attends goes on for `STAY_CONFIRMED_MS`. Refuses who began the stay or added herself
 * to it (`desk/own-stay`): her word alone would keep the records open to her for ever.
 */
export async function confirmStay(tx: Tx, { actor, staff }: VisitActor, id: string): Promise<true | Refusal> {
  const visit = await lockOpen(tx, id)
  if (isRefusal(visit)) return visit
  if (visit.kind !== 'inpatient') return refuse('desk/not-a-stay')
  if (staff !== undefined && !mayConfirm(visit, staff)) return refuse('desk/own-stay')
  const recorded = await record(tx, {
    type: 'visit.confirmed',
    actor,
    patient: visit.patientReference,
    subject: visit.id,
  })
  await store.confirmStay(tx, recorded, visit.id)
  await announce(tx, recorded)
  return true
}

/** Whether somebody's word counts for a stay: she did not begin it, and did not add herself. The front desk sees who comes and goes. */
export function mayConfirm(
  { startedBy, attendants }: Pick<Visit, 'startedBy' | 'attendants'>,
  { id, role }: { readonly id: string; readonly role: string },
): boolean {
  if (role === 'front-desk') return true
  return startedBy !== id && !attendants.some(({ attendant, addedBy }) => attendant === id && addedBy === id)
}

/** Nobody attends any more by a confirmation that is too old: the stay stays open, and who attends is named anew. Returns how many stays. */
export async function endUnconfirmedAttending(tx: Tx): Promise<number> {
  const before = new Date(tx.now.getTime() - STAY_CONFIRMED_MS)
  let ended = 0
  for (const id of await store.staysToConfirm(tx, before, LIMITS.expiryBatchMax)) {
    const visit = await store.lockVisit(tx, id)
    if (visit?.status !== 'open') continue
    const removed = visit.attendants
      .filter((one) => one.until === undefined && attendsUntil(visit, one) <= tx.now)
      .map(({ attendant }) => attendant)
    if (removed.length === 0) continue
    const recorded = await record(tx, {
      type: 'visit.attendants-changed',
      actor: { kind: 'system', id: 'stays' },
      patient: visit.patientReference,
      subject: visit.id,
      added: [],
      removed,
    })
    await store.endAttendance(tx, recorded, visit.id, removed)
    await announce(tx, recorded)
    ended++
  }
  return ended
}

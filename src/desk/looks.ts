import { record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type StaffCaller, staffActor } from '../kernel/caller.ts'
import type { FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import * as store from './look-store.ts'

type LookNeeds = { readonly facility: { readonly id: FacilityId } }

/**
 * Records that somebody opened a patient's page. Looking again within `LIMITS.deskLookMs` is the same look: a screen that follows live
 * updates asks every few moments.
 */
export async function lookAtPatient(tx: Tx, needs: LookNeeds, staff: StaffCaller, reference: string): Promise<void> {
  const look = { bucket: bucketOf(reference), staff: staff.id, what: `patient:${reference}` }
  if (await isSameLook(tx, look)) return
  const actor = staffActor(needs.facility.id, staff)
  const recorded = await record(tx, {
    type: 'desk.patient-opened',
    actor,
    patient: reference,
    subject: reference,
  })
  await store.saveLook(tx, recorded, look)
}

/** Records that somebody opened a list that names patients: which list, and how many it named. */
export async function lookAtList(
  tx: Tx,
  needs: LookNeeds,
  staff: StaffCaller,
  list: string,
  found: number,
): Promise<void> {
  const look = { bucket: bucketOf(staff.id), staff: staff.id, what: `list:${list}` }
  if (await isSameLook(tx, look)) return
  const actor = staffActor(needs.facility.id, staff)
  const recorded = await record(tx, { type: 'desk.list-opened', actor, list, found })
  await store.saveLook(tx, recorded, look)
}

async function isSameLook(tx: Tx, look: Parameters<typeof store.lastLook>[1]): Promise<boolean> {
  const last = await store.lastLook(tx, look)
  return last !== undefined && tx.now.getTime() - last.getTime() < LIMITS.deskLookMs
}

import { type AuditEvent, announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type StaffCaller, staffActor } from '../kernel/caller.ts'
import type { AbhaAddress, FacilityId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { readPatient } from '../records/commands.ts'
import * as store from './look-store.ts'

type LookNeeds = { readonly facility: { readonly id: FacilityId } }

/** Somebody opened the page of a patient: who she is, how to reach her, when she was here; no record. The patient is told of it. */
export type PatientOpened = AuditEvent & {
  readonly type: 'desk.patient-opened'
  /** The facility's own reference. */
  readonly patient: string
  readonly subject: string
  readonly abhaAddress?: AbhaAddress
  readonly person: { readonly name: string; readonly role: string }
  readonly at: string
}

/**
 * Records that somebody opened a patient's page. Looking again within `LIMITS.deskLookMs` is the same look: a screen that follows live
 * updates asks every few moments.
 */
export async function lookAtPatient(tx: Tx, needs: LookNeeds, staff: StaffCaller, reference: string): Promise<void> {
  const look = { bucket: bucketOf(reference), staff: staff.id, what: `patient:${reference}` }
  if (await isSameLook(tx, look)) return
  const actor = staffActor(needs.facility.id, staff)
  const patient = await readPatient(tx, reference)
  const abhaAddress = isRefusal(patient) ? undefined : patient.abhaAddress
  const recorded = await record<PatientOpened>(tx, {
    type: 'desk.patient-opened',
    actor,
    patient: reference,
    subject: reference,
    ...(abhaAddress === undefined ? {} : { abhaAddress }),
    person: { name: staff.name, role: staff.role },
    at: tx.now.toISOString(),
  })
  await store.saveLook(tx, recorded, look)
  await announce(tx, recorded)
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

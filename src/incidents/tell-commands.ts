import { announce, record } from '../audit/record.ts'
import type { Reaction, Tx } from '../db/tx.ts'
import { type Actor, type StaffCaller, staffActor } from '../kernel/caller.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { readPatient } from '../records/commands.ts'
import type { EmergencyAccess, EmergencyEvent } from './emergency.ts'
import * as store from './store.ts'
import { sendText, type TellNeeds, wayToTell } from './tell.ts'

type Needs = TellNeeds & { readonly facility: { readonly id: FacilityId } }
type Failed = { readonly type: string; readonly subject: Id<'hiu-consent'>; readonly isPatientTold?: true }

/**
 * The exchange did not take an emergency: then the facility tells the patient, unless the exchange says that it told her. No error code
 * says so: one code stands for `nothing is linked elsewhere` and for `nobody has this address`.
 */
export function emergencyReactions(needs: Needs): readonly (readonly [type: string, reaction: Reaction])[] {
  return [['hiu.consent-failed', (tx: Tx, event: Failed) => tellInstead(tx, needs, event)]]
}

async function tellInstead(tx: Tx, needs: Needs, { subject, isPatientTold }: Failed): Promise<void> {
  if (isPatientTold === true) return
  const id = await store.findByConsent(tx, subject)
  const access = id && (await store.lockEmergency(tx, id))
  if (access === undefined || access.told !== 'exchange') return
  const patient = await readPatient(tx, access.patientReference)
  const told = isRefusal(patient) ? ({ told: 'letter' } as const) : wayToTell(tx, patient)
  await save(tx, { kind: 'facility', id: needs.facility.id }, access, told)
  if (!isRefusal(patient)) await sendText(tx, needs, patient, access)
}

async function save(
  tx: Tx,
  actor: Actor,
  access: EmergencyAccess,
  told: Pick<EmergencyAccess, 'told' | 'toldAt'>,
): Promise<void> {
  const recorded = await record<EmergencyEvent>(tx, {
    type: 'emergency.patient-told',
    actor,
    patient: access.patientReference,
    subject: access.id,
    told: told.told,
  })
  await store.updateTold(tx, recorded, access.id, told)
  await announce(tx, recorded)
}

/** The letter to a patient whose mobile nobody knows went out. The caller's route has checked the act `emergency.review`. */
export async function noteLetterSent(
  tx: Tx,
  needs: { readonly facility: { readonly id: FacilityId } },
  staff: StaffCaller,
  id: Id<'emergency'>,
): Promise<EmergencyAccess | Refusal> {
  const access = await store.lockEmergency(tx, id)
  if (access === undefined) return refuse('incidents/unknown-emergency')
  if (access.told !== 'letter' || access.toldAt !== undefined) return refuse('incidents/told-already')
  const told = { told: 'letter', toldAt: tx.now } as const
  await save(tx, staffActor(needs.facility.id, staff), access, told)
  return { ...access, ...told }
}

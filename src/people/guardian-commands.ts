import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { IndexNeeds } from './commands.ts'
import { checkGuardianOf } from './guardian.ts'
import type { Patient, PatientEvent } from './patient.ts'
import { deleteIndex, findPatientOrClosed, insertIndex, lockPatient, updateProfile } from './store.ts'
import { textFor } from './texts.ts'

/** `exchange`: as whom the text messages speak. */
export type GuardianNeeds = IndexNeeds & { readonly exchange: { readonly name: string } }

/** What an operator did it on: both stand, sealed under the patient's key, in the event alone. */
export type Grounds = {
  /** Why: the parent died, a court ordered it. */
  readonly reason: string
  /** What was looked at: of a parent, identity and age (DPDP Rules r.10); of one who was appointed, the order of court or authority (r.11). */
  readonly evidence: string
}

type Acts = Grounds & { readonly patient: AbhaAddress; readonly actor: Actor }

export type GuardianEvent = PatientEvent & {
  readonly type: 'people.guardian-named' | 'people.guardian-ended'
  readonly before?: AbhaAddress
  readonly guardian?: AbhaAddress
  readonly basis?: 'parent' | 'appointed'
  readonly appointment?: string
} & Grounds

const TEXT_JOB = 'text-message'

/**
 * Names who decides for a child, or for a person with disability, in place of whoever did before: that person's acting ends at once. What
 * was decided stays, for the new guardian to end. Naming the same again changes nothing.
 */
export async function nameGuardian(
  tx: Tx,
  needs: GuardianNeeds,
  input: Acts & Pick<Patient, 'guardianBasis' | 'guardianAppointment'> & { readonly guardian: AbhaAddress },
): Promise<Refusal | undefined> {
  const { patient, actor, guardian, guardianBasis: basis = 'parent', guardianAppointment, reason, evidence } = input
  const found = await lockPatient(tx, patient)
  if (found === undefined) return refuse('people/unknown-patient')
  const { status: _status, enrolledAt: _enrolledAt, guardianAppointment: _before, ...profile } = found
  const appointment = guardianAppointment === undefined ? {} : { guardianAppointment }
  const named = { ...profile, ...appointment, guardian, guardianBasis: basis }
  const fault = await checkGuardianOf(tx, named)
  if (fault) return fault
  const { guardian: before, guardianBasis = 'parent' } = found
  if (before === guardian && guardianBasis === basis && found.guardianAppointment === guardianAppointment)
    return undefined
  const recorded = await record<GuardianEvent>(tx, {
    type: 'people.guardian-named',
    actor,
    patient,
    guardian,
    basis,
    reason,
    evidence,
    ...(before === undefined ? {} : { before }),
    ...(guardianAppointment === undefined ? {} : { appointment: guardianAppointment }),
  })
  await updateProfile(tx, recorded, named)
  if (before !== undefined) await deleteIndex(tx, recorded, needs.indexKey, 'guardian', before)
  await insertIndex(tx, recorded, needs.indexKey, 'guardian', guardian)
  if (before !== undefined && before !== guardian) await tell(tx, needs, found, 'guardian.ended', before, [before])
  await tell(tx, needs, found, 'guardian.named', guardian, [patient, guardian])
  await announce(tx, recorded)
  return undefined
}

/** Ends who decides for a patient: for a child nobody does until another guardian is named. `people/no-guardian` when there was none. */
export async function endGuardian(tx: Tx, needs: GuardianNeeds, input: Acts): Promise<Refusal | undefined> {
  const { patient, actor, reason, evidence } = input
  const found = await lockPatient(tx, patient)
  if (found === undefined) return refuse('people/unknown-patient')
  const { status: _s, enrolledAt: _e, guardian, guardianBasis: _b, guardianAppointment: _a, ...profile } = found
  if (guardian === undefined) return refuse('people/no-guardian')
  const event = { type: 'people.guardian-ended', actor, patient, before: guardian, reason, evidence } as const
  const recorded = await record<GuardianEvent>(tx, event)
  await updateProfile(tx, recorded, profile)
  await deleteIndex(tx, recorded, needs.indexKey, 'guardian', guardian)
  await tell(tx, needs, found, 'guardian.ended', guardian, [patient, guardian])
  await announce(tx, recorded)
  return undefined
}

/** Tells each of them by text message, in their own language; on one phone, once. */
async function tell(
  tx: Tx,
  { exchange }: GuardianNeeds,
  { name }: Patient,
  key: 'guardian.named' | 'guardian.ended',
  guardian: AbhaAddress,
  whom: readonly AbhaAddress[],
): Promise<void> {
  const about = await findPatientOrClosed(tx, guardian)
  const phones = new Map<string, string>()
  for (const one of whom) {
    const reader = await findPatientOrClosed(tx, one)
    if (reader !== undefined) phones.set(reader.mobile, reader.language)
  }
  const values = { service: exchange.name, guardian: about?.name ?? guardian, patient: name }
  for (const [mobile, language] of phones)
    await enqueue(tx, { kind: TEXT_JOB, payload: { mobile, text: textFor(language, key, values) } })
}

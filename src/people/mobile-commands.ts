import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { IndexNeeds } from './commands.ts'
import { removePasskeysOf } from './passkey-commands.ts'
import { isChild, isNumberHers, type Patient, type PatientEvent } from './patient.ts'
import { endSessionsOf } from './session-commands.ts'
import { deleteSignInsOf } from './sign-in-store.ts'
import { deleteIndex, findPatient, insertIndex, updateProfile } from './store.ts'

/**
 * Writes down another mobile number of a patient: who calls this has proved who she is. Sessions, passkeys and codes that were sent end,
 * since the old phone may be in other hands. The same number again changes nothing, unless she has come of age since it was given: then it
 * says that the number is her own. `people/guardians-number` for one that still is her parent's.
 */
export async function changeMobile(
  tx: Tx,
  needs: IndexNeeds,
  input: { readonly patient: AbhaAddress; readonly mobile: string; readonly actor: Actor },
): Promise<Refusal | undefined> {
  const { patient, mobile, actor } = input
  const found = await findPatient(tx, patient)
  if (found === undefined) return refuse('people/unknown-patient')
  if (found.mobile === mobile && isNumberHers(found, tx.now)) return undefined
  const fault = await checkOwnNumber(tx, found, mobile)
  if (fault) return fault
  const recorded = await record(tx, { type: 'people.mobile-changed', actor, patient } satisfies PatientEvent)
  const { status: _status, enrolledAt: _enrolledAt, ...profile } = found
  await updateProfile(tx, recorded, { ...profile, mobile, mobileChangedAt: tx.now.toISOString() })
  await deleteIndex(tx, recorded, needs.indexKey, 'mobile', found.mobile)
  await insertIndex(tx, recorded, needs.indexKey, 'mobile', mobile)
  await endSessionsOf(tx, recorded, { kind: 'patient', person: patient })
  await removePasskeysOf(tx, recorded, { kind: 'patient', person: patient })
  await deleteSignInsOf(tx, recorded, patient)
  await announce(tx, recorded)
  return undefined
}

/** Codes to a parent's phone do not prove a grown-up: it would go on deciding for her. */
async function checkOwnNumber(tx: Tx, patient: Patient, mobile: string): Promise<Refusal | undefined> {
  const { birthDate, guardian, guardianBasis } = patient
  if (guardian === undefined || guardianBasis === 'appointed' || isChild(birthDate, tx.now)) return undefined
  const parent = await findPatient(tx, guardian)
  return parent?.mobile === mobile ? refuse('people/guardians-number', undefined, 'mobile') : undefined
}

import type { Tx } from '../db/tx.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { isChild, type Profile } from './patient.ts'
import { findPatient } from './store.ts'

type Guarded = Pick<Profile, 'abhaAddress' | 'birthDate' | 'guardian' | 'guardianBasis'>

/**
 * Whether this person has the guardian that she needs: a child has one (DPDP s.9(1)), and who is named is enrolled, grown up, decides for
 * herself, and is somebody else. A parent decides for a child only, unless `isEnrolment`: an account is taken as its papers say.
 */
export async function checkGuardianOf(tx: Tx, patient: Guarded, isEnrolment = false): Promise<Refusal | undefined> {
  const { abhaAddress, birthDate, guardian, guardianBasis } = patient
  const child = isChild(birthDate, tx.now)
  if (guardian === undefined) return child ? refuse('people/needs-guardian', undefined, 'guardian') : undefined
  if (!child && guardianBasis !== 'appointed' && !isEnrolment)
    return refuse('people/not-guardian', 'A parent decides for a child only; for an adult, who was appointed.', 'basis')
  const found = guardian === abhaAddress ? undefined : await findPatient(tx, guardian)
  const decides = found?.status === 'active' && !isChild(found.birthDate, tx.now)
  if (!decides || found.guardianBasis === 'appointed')
    return refuse('people/not-guardian', 'The guardian must be an adult with an account here.', 'guardian')
  return undefined
}

import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { IndexNeeds } from './commands.ts'
import { removePasskeysOf } from './passkey-commands.ts'
import { isChild, isNumberHers, type Patient, type PatientEvent } from './patient.ts'
import { endSessionsOf } from './session-commands.ts'
import { deleteSignInsOf } from './sign-in-store.ts'
import { deleteIndex, findPatient, insertIndex, lockPatient, updateProfile } from './store.ts'
import { textFor } from './texts.ts'

/** `exchange`: as whom the text messages speak. */
export type MobileNeeds = IndexNeeds & { readonly exchange: { readonly name: string } }

const TEXT_JOB = 'text-message'

/**
 * Writes down another mobile number of a patient: who calls this has proved who she is. Sessions, passkeys and codes that were sent end,
 * since the old phone may be in other hands; both numbers are told, since the new one may be, too ({@link checkSettledNumber}). The same number again changes nothing, unless she has come of age since it was given: then it
 * says that the number is her own. `people/guardians-number` for one that still is her parent's.
 */
export async function changeMobile(
  tx: Tx,
  needs: MobileNeeds,
  input: { readonly patient: AbhaAddress; readonly mobile: string; readonly actor: Actor },
): Promise<Refusal | undefined> {
  const { patient, mobile, actor } = input
  const found = await lockPatient(tx, patient)
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
  const text = textFor(found.language, 'mobile.changed', { service: needs.exchange.name })
  for (const phone of new Set([found.mobile, mobile]))
    await enqueue(tx, { kind: TEXT_JOB, payload: { mobile: phone, text } })
  await announce(tx, recorded)
  return undefined
}

/**
 * Whether the number of the person who acts has been hers for long enough to do what cannot be undone, or goes on without her:
 * `people/number-too-new` for a day after a change. Who got somebody else's account by the help desk has only that number, since all
 * passkeys ended with the change; meanwhile the old number was told. What takes something back is never held up, and an operator closes
 * the account of who asks for it on paper.
 */
export async function checkSettledNumber(tx: Tx, actor: Actor): Promise<Refusal | undefined> {
  if (actor.kind !== 'patient') return undefined
  const person = await findPatient(tx, actor.guardian ?? actor.id)
  if (person?.mobileChangedAt === undefined) return undefined
  const settles = new Date(Date.parse(person.mobileChangedAt) + LIMITS.mobileSettlesMs)
  return settles > tx.now ? refuse('people/number-too-new', `Possible from ${settles.toISOString()}.`) : undefined
}

/** Codes to a parent's phone do not prove a grown-up: it would go on deciding for her. */
async function checkOwnNumber(tx: Tx, patient: Patient, mobile: string): Promise<Refusal | undefined> {
  const { birthDate, guardian, guardianBasis } = patient
  if (guardian === undefined || guardianBasis === 'appointed' || isChild(birthDate, tx.now)) return undefined
  const parent = await findPatient(tx, guardian)
  return parent?.mobile === mobile ? refuse('people/guardians-number', undefined, 'mobile') : undefined
}

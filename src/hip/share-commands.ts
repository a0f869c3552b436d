import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type Id, parseAbhaNumber } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { addPatient, findPatients, type RecordsNeeds } from '../records/commands.ts'
import { newPatient } from '../records/messages.ts'
import { type FacilityPatient, parseMobile } from '../records/patient.ts'
import * as store from './store-shares.ts'

/** Profiles shared since a time that wait for the desk. */
export async function listWaitingShares(tx: Tx, since: Date, limit: number): Promise<readonly store.ShownProfile[]> {
  return store.waitingShares(tx, since, limit)
}

/** The newest place in a queue that a patient got since a time. */
export async function readQueueNumber(tx: Tx, abhaAddress: AbhaAddress, since: Date): Promise<number | undefined> {
  return store.queueNumberOf(tx, abhaAddress, since)
}

export type Registered = { readonly patient: FacilityPatient; readonly isNew: boolean }

/**
 * Takes a shared profile: our patient with that ABHA address, or a new one under the number that `makeReference` gives, with what the
 * exchange vouched for. Taken once; again it answers the same patient's reference with `desk/share-taken`.
 */
export async function registerShare(
  tx: Tx,
  needs: RecordsNeeds,
  actor: Actor,
  id: Id<'share'>,
  makeReference: () => Promise<string>,
): Promise<Registered | Refusal> {
  const share = await store.lockShare(tx, id)
  if (share === undefined) return refuse('hip/unknown-share')
  if (share.patientReference !== undefined)
    return refuse('hip/share-taken', `This profile was taken already: patient ${share.patientReference}.`)
  const [known] = await findPatients(tx, needs, 'abha-address', share.abhaAddress)
  const patient = known ?? (await addFromProfile(tx, needs, actor, share, await makeReference()))
  if (isRefusal(patient)) return patient
  const recorded = await record(tx, {
    type: 'hip.profile-taken',
    actor,
    patient: share.abhaAddress,
    subject: id,
    patientReference: patient.reference,
  })
  await store.takeShare(tx, recorded, id, patient.reference)
  await announce(tx, recorded)
  return { patient, isNew: known === undefined }
}

async function addFromProfile(
  tx: Tx,
  needs: RecordsNeeds,
  actor: Actor,
  share: store.ShownProfile,
  reference: string,
): Promise<FacilityPatient | Refusal> {
  const facts = newPatient.safeParse({ reference, ...patientOf(share.abhaAddress, share.profile) })
  if (!facts.success)
    return refuse('hip/share-incomplete', 'Register the patient by hand: the profile has no full date of birth.')
  const saved = await addPatient(tx, needs, actor, facts.data)
  return isRefusal(saved) ? saved : saved.patient
}

type ProfileText = {
  readonly name?: string
  readonly gender?: string
  readonly abhaNumber?: string | null
  readonly dayOfBirth?: string | number | null
  readonly monthOfBirth?: string | number | null
  readonly yearOfBirth?: string | number | null
  readonly phoneNumber?: string | null
  readonly address?: Readonly<Record<'line' | 'district' | 'state' | 'pincode', string | null | undefined>> | null
}

const GENDERS: Readonly<Record<string, FacilityPatient['gender']>> = {
  M: 'male',
  F: 'female',
  O: 'other',
  D: 'other',
  T: 'other',
}

/** What a shared profile says, in the words of our own register; parts that are empty or cannot be are left out. */
export function patientOf(
  abhaAddress: AbhaAddress,
  profile: unknown,
): Partial<Omit<FacilityPatient, 'reference'>> & Pick<FacilityPatient, 'abhaAddress'> {
  const said = profile as ProfileText
  const day = [said.yearOfBirth, said.monthOfBirth, said.dayOfBirth]
    .map((part, i) => (part ? String(part).padStart(i === 0 ? 4 : 2, '0') : ''))
    .join('-')
  const abhaNumber = parseAbhaNumber(said.abhaNumber ?? '')
  const mobile = parseMobile(said.phoneNumber ?? '')
  const address = newPatient.shape.address.safeParse(said.address)
  return {
    abhaAddress,
    ...(said.name === undefined ? {} : { name: said.name }),
    gender: GENDERS[said.gender ?? ''] ?? 'unknown',
    ...(/^\d{4}-\d{2}-\d{2}$/.test(day) ? { birthDate: day } : {}),
    ...(abhaNumber === undefined ? {} : { abhaNumber }),
    ...(mobile === undefined ? {} : { mobile }),
    ...(address.success && address.data !== undefined ? { address: address.data } : {}),
  }
}

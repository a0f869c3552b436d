import { record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { listWaitingShares, patientOf, registerShare } from '../hip/share-commands.ts'
import { type StaffCaller, staffActor } from '../kernel/caller.ts'
import { type Id, parseAbhaAddress, parseAbhaNumber } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { addPatient, findPatients, findPatientsByName, type RecordsNeeds, readPatient } from '../records/commands.ts'
import type { NewPatient } from '../records/messages.ts'
import { type FacilityPatient, parseMobile } from '../records/patient.ts'
import { nextNumber } from './look-store.ts'

export type Found = {
  readonly patients: readonly FacilityPatient[]
  /** By what was searched: one number, or words of a name. */
  readonly by: 'abha-address' | 'abha-number' | 'mobile' | 'reference' | 'name'
  readonly hasMore: boolean
}

/**
 * Finds patients by ABHA address or number, mobile, our own number, or beginnings of words of their name. The log keeps who searched,
 * by what, and how many were found; not what was typed. Refuses `desk/search-too-short`.
 */
export async function searchPatients(
  tx: Tx,
  needs: RecordsNeeds,
  staff: StaffCaller,
  text: string,
): Promise<Found | Refusal> {
  const found = (await byNumber(tx, needs, text.trim())) ?? (await byName(tx, needs, text))
  if (isRefusal(found)) return found
  await record(tx, {
    type: 'desk.patients-searched',
    actor: staffActor(needs.facility.id, staff),
    by: found.by,
    found: found.patients.length,
  })
  return found
}

/** Undefined when the text is no number of any kind that we know. */
async function byNumber(tx: Tx, needs: RecordsNeeds, text: string): Promise<Found | undefined> {
  const known = [
    ['abha-address', parseAbhaAddress(text)],
    ['abha-number', parseAbhaNumber(text)],
    ['mobile', parseMobile(text)],
  ] as const
  for (const [by, value] of known) {
    if (value === undefined) continue
    const patients = await findPatients(tx, needs, by, value)
    return {
      by,
      patients: patients.slice(0, LIMITS.deskFoundMax),
      hasMore: patients.length > LIMITS.deskFoundMax,
    }
  }
  const patient = text === '' ? undefined : await readPatient(tx, text)
  return patient === undefined || isRefusal(patient)
    ? undefined
    : { by: 'reference', patients: [patient], hasMore: false }
}

async function byName(tx: Tx, needs: RecordsNeeds, text: string): Promise<Found | Refusal> {
  const found = await findPatientsByName(tx, needs, text, LIMITS.deskFoundMax)
  return found === undefined ? refuse('desk/search-too-short', undefined, 'text') : { by: 'name', ...found }
}

/**
 * Registers a patient whom somebody typed in; without a reference the desk gives the next number. Refuses `desk/number-taken` and
 * `records/abha-taken`.
 */
export async function registerPatient(
  tx: Tx,
  needs: RecordsNeeds,
  staff: StaffCaller,
  input: Omit<NewPatient, 'reference'> & { readonly reference?: string | undefined },
): Promise<FacilityPatient | Refusal> {
  const reference = input.reference ?? (await makeReference(tx))
  if (!isRefusal(await readPatient(tx, reference))) return refuse('desk/number-taken', undefined, 'reference')
  const saved = await addPatient(tx, needs, staffActor(needs.facility.id, staff), { ...input, reference })
  return isRefusal(saved) ? saved : saved.patient
}

/** Changes what we know of a patient: all of it is given anew. */
export async function changePatient(
  tx: Tx,
  needs: RecordsNeeds,
  staff: StaffCaller,
  reference: string,
  input: Omit<NewPatient, 'reference'>,
): Promise<FacilityPatient | Refusal> {
  const known = await readPatient(tx, reference)
  if (isRefusal(known)) return known
  const saved = await addPatient(tx, needs, staffActor(needs.facility.id, staff), { ...input, reference })
  return isRefusal(saved) ? saved : saved.patient
}

/** `26-00017`: the year, and a number of its own. One that was given by hand is passed over. */
async function makeReference(tx: Tx): Promise<string> {
  const year = tx.now.getUTCFullYear()
  for (;;) {
    const reference = `${String(year).slice(2)}-${String(await nextNumber(tx, year)).padStart(5, '0')}`
    if (isRefusal(await readPatient(tx, reference))) return reference
  }
}

/** A shared profile that waits at a counter, as the desk shows it. */
export type WaitingShare = {
  readonly id: Id<'share'>
  readonly counter: string
  readonly queueNumber: number
  readonly sharedAt: Date
  readonly expiresAt: Date
  readonly name: string
  readonly abhaAddress: string
  readonly birthDate?: string
  readonly gender?: string
  /** Our number for the patient, when we know her already. */
  readonly patient?: string
}

/** Profiles shared today that nobody at the desk has taken. */
export async function listShares(tx: Tx, needs: RecordsNeeds): Promise<readonly WaitingShare[]> {
  const since = new Date(tx.now.getTime() - LIMITS.deskShareShownMs)
  const waiting = await listWaitingShares(tx, since, LIMITS.deskListMax)
  const shown: WaitingShare[] = []
  for (const share of waiting) {
    const { name = '', birthDate, gender } = patientOf(share.abhaAddress, share.profile)
    const [known] = await findPatients(tx, needs, 'abha-address', share.abhaAddress)
    shown.push({
      id: share.id,
      counter: share.counter,
      queueNumber: share.tokenNumber,
      sharedAt: share.sharedAt,
      expiresAt: share.expiresAt,
      name,
      abhaAddress: share.abhaAddress,
      ...(birthDate === undefined ? {} : { birthDate }),
      ...(gender === undefined ? {} : { gender }),
      ...(known === undefined ? {} : { patient: known.reference }),
    })
  }
  return shown
}

/** Registers the patient of a shared profile with one tap. */
export async function takeShare(
  tx: Tx,
  needs: RecordsNeeds,
  staff: StaffCaller,
  id: Id<'share'>,
): Promise<{ readonly patient: FacilityPatient; readonly isNew: boolean } | Refusal> {
  return registerShare(tx, needs, staffActor(needs.facility.id, staff), id, () => makeReference(tx))
}

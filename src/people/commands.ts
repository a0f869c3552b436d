import { announce, record } from '../audit/record.ts'
import type { SigningKey } from '../crypto/signature.ts'
import { StaleRow, type Tx } from '../db/tx.ts'
import type { Actor, Caller } from '../kernel/caller.ts'
import { isBirthDate } from '../kernel/civil-day.ts'
import { type AbhaAddress, type AbhaNumber, parseAbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { signToken, verifyToken } from '../vault/token.ts'
import { checkGuardianOf } from './guardian.ts'
import { removePasskeysOf } from './passkey-commands.ts'
import { isChild, mayActFor, type Patient, type PatientEvent, type PatientStatus, type Profile } from './patient.ts'
import { endSessionsOf } from './session-commands.ts'
import { deleteSignInsOf } from './sign-in-store.ts'
import {
  findAllPatients,
  findIndexed,
  findPatient,
  findPatientOrClosed,
  insertIndex,
  insertPatient,
  lockPatient,
  updatePatientStatus,
  updateProfile,
} from './store.ts'

export type IndexNeeds = { readonly indexKey: Uint8Array }
export type TokenNeeds = { readonly exchange: { readonly id: string }; readonly signingKey: SigningKey }

/**
 * Gives a patient an account. Refuses a taken ABHA address or number, and a child without a guardian who is enrolled and adult.
 * The refusals leave nothing behind: they are decided before anything is written.
 */
export async function enrolPatient(
  tx: Tx,
  needs: IndexNeeds,
  input: { readonly profile: Profile; readonly actor: Actor },
): Promise<Patient | Refusal> {
  const { profile, actor } = input
  if ((await findPatientOrClosed(tx, profile.abhaAddress)) !== undefined)
    return refuse('people/already-enrolled', undefined, 'abhaAddress')
  if ((await findIndexed(tx, needs.indexKey, 'abha-number', profile.abhaNumber)).length > 0)
    return refuse('people/already-enrolled', 'This ABHA number is enrolled already.', 'abhaNumber')
  if (!isBirthDate(profile.birthDate, tx.now))
    return refuse('request/invalid-field', 'Nobody who lives was born on this day.', 'birthDate')
  const guardianFault = await checkGuardianOf(tx, profile, true)
  if (guardianFault) return guardianFault
  const recorded = await record(tx, {
    type: 'people.enrolled',
    actor,
    patient: profile.abhaAddress,
  } satisfies PatientEvent)
  const isNew = await insertPatient(tx, recorded, profile)
  const isNumberNew = await insertIndex(tx, recorded, needs.indexKey, 'abha-number', profile.abhaNumber)
  // Somebody enrolled the same person between our look and our write: start anew, and refuse then.
  if (!isNew || !isNumberNew) throw new StaleRow('enrolled meanwhile')
  await insertIndex(tx, recorded, needs.indexKey, 'mobile', profile.mobile)
  if (profile.guardian !== undefined) await insertIndex(tx, recorded, needs.indexKey, 'guardian', profile.guardian)
  await announce(tx, recorded)
  return { ...profile, status: 'active', enrolledAt: tx.now }
}

/** The patient with their demographics; undefined when unknown here or erased. */
export async function readPatient(tx: Tx, abhaAddress: AbhaAddress): Promise<Patient | undefined> {
  return findPatient(tx, abhaAddress)
}

export async function readPatientByAbhaNumber(
  tx: Tx,
  needs: IndexNeeds,
  number: AbhaNumber,
): Promise<Patient | undefined> {
  const [address] = await findIndexed(tx, needs.indexKey, 'abha-number', number)
  return address === undefined ? undefined : findPatient(tx, address)
}

/** Everybody who gave this mobile number: families share one. */
export async function readPatientsByMobile(tx: Tx, needs: IndexNeeds, mobile: string): Promise<readonly Patient[]> {
  const patients: Patient[] = []
  for (const address of await findIndexed(tx, needs.indexKey, 'mobile', mobile)) {
    const patient = await findPatient(tx, address)
    if (patient !== undefined) patients.push(patient)
  }
  return patients
}

/** The active patients for whom this person decides now. */
export async function dependantsOf(tx: Tx, needs: IndexNeeds, guardian: AbhaAddress): Promise<readonly Patient[]> {
  const dependants: Patient[] = []
  for (const address of await findIndexed(tx, needs.indexKey, 'guardian', guardian)) {
    const patient = await findPatient(tx, address)
    if (patient?.status === 'active' && mayActFor(guardian, patient, tx.now)) dependants.push(patient)
  }
  return dependants.toSorted((a, b) => (a.birthDate < b.birthDate ? -1 : 1))
}

/** For the operator: enrolled patients in order of enrolment, at most `limit`. */
export async function listPatients(tx: Tx, limit: number): Promise<readonly Patient[]> {
  return findAllPatients(tx, limit)
}

/**
 * Deactivates or reactivates an account; `people/unknown-patient` when there is none. Doing it twice changes nothing. What an
 * account that sleeps may do is looked up at each call; sessions, passkeys and codes from before end when it wakes, since the phone that
 * has them may be why it slept: she signs in by a code to her number, and adds a passkey anew.
 */
export async function setPatientStatus(
  tx: Tx,
  input: {
    readonly patient: AbhaAddress
    readonly status: Exclude<PatientStatus, 'closed'>
    readonly actor: Actor
    /** As the operator gives it, for the record. */
    readonly reason?: string
  },
): Promise<Patient | Refusal> {
  const { patient: address, status, actor, reason } = input
  const patient = await lockPatient(tx, address)
  if (patient === undefined) return refuse('people/unknown-patient')
  if (patient.status === status) return patient
  const type = status === 'active' ? 'people.reactivated' : 'people.deactivated'
  const event = { type, actor, patient: address, ...(reason === undefined ? {} : { reason }) } as const
  const recorded = await record<PatientEvent & { readonly reason?: string }>(tx, event)
  await updatePatientStatus(tx, recorded, patient.status, status)
  if (status === 'active') {
    await endSessionsOf(tx, recorded, { kind: 'patient', person: address })
    await removePasskeysOf(tx, recorded, { kind: 'patient', person: address })
    await deleteSignInsOf(tx, recorded, address)
  }
  await announce(tx, recorded)
  return { ...patient, status }
}

/** The patient reads in another language from now on (BCP 47). Choosing the same again changes nothing. */
export async function changeLanguage(tx: Tx, patient: AbhaAddress, language: string): Promise<Patient | Refusal> {
  const found = await lockPatient(tx, patient)
  if (found === undefined) return refuse('people/unknown-patient')
  if (found.language === language) return found
  const actor: Actor = { kind: 'patient', id: patient }
  const recorded = await record(tx, {
    type: 'people.language-changed',
    actor,
    patient,
    language,
  } satisfies PatientEvent & { language: string })
  const { status: _status, enrolledAt: _enrolledAt, ...profile } = found
  await updateProfile(tx, recorded, { ...profile, language })
  await announce(tx, recorded)
  return { ...found, language }
}

/**
 * A session of the patient for the `X-AUTH-TOKEN` header: JWT, RS256, audience `amanat:patient`. With `guardian`, the session of
 * a guardian for a child. Who calls this has proved who the person is.
 */
export async function issuePatientToken(
  tx: Tx,
  needs: TokenNeeds,
  input: { readonly patient: AbhaAddress; readonly guardian?: AbhaAddress; readonly actor: Actor },
): Promise<{ readonly token: string; readonly expiresAt: Date } | Refusal> {
  const patient = await findPatient(tx, input.patient)
  if (patient === undefined) return refuse('people/unknown-patient')
  const fault = await checkSession(tx, patient, input.guardian)
  if (fault) return fault
  const act = input.guardian === undefined ? {} : { guardian: input.guardian }
  await announce(
    tx,
    await record(tx, { type: 'people.session-opened', actor: input.actor, patient: patient.abhaAddress, ...act }),
  )
  const token = await signToken(needs.signingKey, {
    issuer: needs.exchange.id,
    audience: 'amanat:patient',
    now: tx.now,
    lifeMs: LIMITS.patientSessionMs,
    // `act` names who acts in place of the subject (RFC 8693 §4.1).
    claims: { sub: patient.abhaAddress, ...(input.guardian === undefined ? {} : { act: { sub: input.guardian } }) },
  })
  return { token, expiresAt: new Date(tx.now.getTime() + LIMITS.patientSessionMs) }
}

/** The patient whose session this is. The account and the guardianship are looked up anew at each call. */
export async function verifyPatientToken(
  tx: Tx,
  needs: TokenNeeds,
  token: string,
): Promise<Extract<Caller, { kind: 'patient' }> | Refusal> {
  const claims = await verifyToken(needs.signingKey, token, {
    issuer: needs.exchange.id,
    audience: 'amanat:patient',
    now: tx.now,
  })
  if (isRefusal(claims)) return refuse('auth/invalid-patient-token', claims.detail, 'X-AUTH-TOKEN')
  const address = parseAbhaAddress(String(claims['sub']))
  const patient = address === undefined ? undefined : await findPatient(tx, address)
  if (patient === undefined) return refuse('auth/invalid-patient-token', undefined, 'X-AUTH-TOKEN')
  const act = claims['act']
  const guardian =
    typeof act === 'object' && act !== null && 'sub' in act ? parseAbhaAddress(String(act.sub)) : undefined
  if (act !== undefined && guardian === undefined)
    return refuse('auth/invalid-patient-token', undefined, 'X-AUTH-TOKEN')
  const fault = await checkSession(tx, patient, guardian)
  if (fault) return fault
  return { kind: 'patient', patient: patient.abhaAddress, ...(guardian === undefined ? {} : { guardian }) }
}

/**
 * Whether somebody decides for this patient at all: a grown-up with a working account does, a child only where a guardian may act. What
 * was allowed beforehand is not used in the name of a child for whom nobody decides any more.
 */
export async function hasSomebodyWhoDecides(tx: Tx, abhaAddress: AbhaAddress): Promise<boolean> {
  const patient = await findPatient(tx, abhaAddress)
  if (patient === undefined) return false
  const guardian = isChild(patient.birthDate, tx.now) ? patient.guardian : undefined
  return (await checkSession(tx, patient, guardian)) === undefined
}

/** Whether this patient's account works, and, when somebody acts for the patient, whether that person may and has an account. */
export async function checkActing(
  tx: Tx,
  input: { readonly patient: AbhaAddress; readonly guardian?: AbhaAddress },
): Promise<Refusal | undefined> {
  const patient = await findPatient(tx, input.patient)
  if (patient === undefined) return refuse(input.guardian === undefined ? 'auth/no-session' : 'people/not-guardian')
  return checkSession(tx, patient, input.guardian)
}

async function checkSession(tx: Tx, patient: Patient, guardian: AbhaAddress | undefined): Promise<Refusal | undefined> {
  if (patient.status !== 'active') return refuse('people/deactivated')
  // Nobody's child consents alone (DPDP s.9(1)): neither in the app nor by a token, nor by a passkey of an older day.
  if (guardian === undefined) return isChild(patient.birthDate, tx.now) ? refuse('people/needs-guardian') : undefined
  if (!mayActFor(guardian, patient, tx.now)) return refuse('people/not-guardian')
  const person = await findPatient(tx, guardian)
  return person?.status === 'active' ? undefined : refuse('people/not-guardian')
}

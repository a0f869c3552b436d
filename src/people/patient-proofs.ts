import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { PatientCaller } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { checkActing, readPatient } from './commands.ts'
import type { Passkey } from './passkey.ts'
import {
  type AskedPasskey,
  addPasskey,
  finishPasskeySignIn,
  type PasskeyPlace,
  startPasskeyAdding,
} from './passkey-commands.ts'
import { isNumberHers } from './patient.ts'
import { type OpenedSession, sessionOfPerson } from './session-commands.ts'
import { openPatientSession, type SignInNeeds } from './sign-in-commands.ts'
import type { StepUpBy } from './step-up.ts'
import { isPasskeyProof, proveStepUp, setStepUpCode, spendStepUp } from './step-up-commands.ts'
import { hashCode, isCode, makeCode } from './text-code.ts'
import { stepUpText, textFor } from './texts.ts'

const TEXT_JOB = 'text-message'

/** The person who is signed in, whoever she acts for just now. */
export function signedInPerson({ patient, guardian }: Pick<PatientCaller, 'patient' | 'guardian'>): AbhaAddress {
  return guardian ?? patient
}

/** The person and session of a call; proofs are hers, also where she acts for a child. A caller with a token has no session to prove anything in. */
export function provingOf(caller: PatientCaller): StepUpBy | Refusal {
  const person = signedInPerson(caller)
  if (caller.session === undefined) return refuse('auth/forbidden', 'This is for those who signed in to the app.')
  const actor = { kind: 'patient', id: person } as const
  return { owner: { kind: 'patient', person }, session: caller.session, event: { actor, patient: person } }
}

/** Signs in with a passkey: opens a session of whose it is. */
export async function signInWithPasskey(
  tx: Tx,
  needs: SignInNeeds,
  place: PasskeyPlace,
  given: {
    readonly id: string
    readonly assertion: AuthenticationResponseJSON
    readonly userAgent: string | undefined
  },
): Promise<OpenedSession | Refusal> {
  const owner = await finishPasskeySignIn(tx, needs, place, { ...given, kind: 'patient' })
  if (isRefusal(owner)) return owner
  const patient = await readPatient(tx, owner.person as AbhaAddress)
  if (patient?.status !== 'active') return refuse('people/passkey-refused')
  const fault = await checkActing(tx, { patient: patient.abhaAddress })
  if (fault) return fault
  return openPatientSession(tx, needs.web, { person: patient.abhaAddress, how: 'passkey', userAgent: given.userAgent })
}

/** Sends the code of a proof to the person's phone; answers its last digits. */
export async function sendStepUpCode(
  tx: Tx,
  needs: SignInNeeds,
  by: StepUpBy,
  id: string,
): Promise<{ readonly sentTo: string } | Refusal> {
  const person = await readPatient(tx, by.owner.person as AbhaAddress)
  if (person === undefined) return refuse('auth/no-session')
  if (!isNumberHers(person, tx.now)) return refuse('people/number-not-hers')
  const code = makeCode(tx.random)
  const fault = await setStepUpCode(tx, by, id, (stepUp) => hashCode(needs.indexKey, 'step-up', stepUp, code))
  if (fault) return fault
  const text = stepUpText(person.language, code, needs.exchange.name)
  await enqueue(tx, { kind: TEXT_JOB, payload: { mobile: person.mobile, text } })
  return { sentTo: `••••${person.mobile.slice(-4)}` }
}

/** Takes the code or the passkey's answer of a proof. */
export async function provePatientStepUp(
  tx: Tx,
  needs: SignInNeeds,
  by: StepUpBy,
  given: {
    readonly id: string
    readonly place: PasskeyPlace | Refusal
    readonly proof: { readonly code: string } | { readonly assertion: AuthenticationResponseJSON }
  },
): Promise<Refusal | undefined> {
  const { place, proof } = given
  return proveStepUp(tx, by, given.id, (stepUp) => {
    if ('assertion' in proof) return isPasskeyProof(tx, by, place, stepUp, proof.assertion)
    if (stepUp.codeHash === undefined) return false
    const { indexKey } = needs
    return isCode(stepUp.codeHash, { indexKey, purpose: 'step-up', id: stepUp.id, typed: proof.code })
  })
}

/**
 * Starts to add a passkey of the patient. Who signed in a moment ago has just proved who she is; later it takes a step-up for
 * `passkey.add` on her own address.
 */
export async function startPatientPasskey(
  tx: Tx,
  needs: SignInNeeds,
  place: PasskeyPlace,
  caller: PatientCaller,
  stepUp: string | undefined,
): Promise<AskedPasskey<object> | Refusal> {
  const by = provingOf(caller)
  if (isRefusal(by)) return by
  const { person } = by.owner
  const session = await sessionOfPerson(tx, 'patient', person, by.session)
  if (isRefusal(session)) return session
  const isFresh = tx.now.getTime() - session.openedAt.getTime() < LIMITS.stepUpMs
  if (stepUp !== undefined || !isFresh) {
    const fault = await spendStepUp(tx, caller, { id: stepUp ?? '', act: 'passkey.add', subject: person })
    if (fault) return fault
  }
  const patient = await readPatient(tx, person as AbhaAddress)
  if (patient === undefined) return refuse('auth/no-session')
  const input = { owner: by.owner, session: by.session, userName: person, displayName: patient.name }
  return startPasskeyAdding(tx, { indexKey: needs.indexKey, service: needs.exchange.name }, place, input)
}

/** Keeps a new passkey of the patient, and tells her phone: who did not do it herself can act at once. */
export async function addPatientPasskey(
  tx: Tx,
  needs: SignInNeeds,
  place: PasskeyPlace,
  by: StepUpBy,
  given: { readonly id: string; readonly name: string; readonly attestation: RegistrationResponseJSON },
): Promise<Passkey | Refusal> {
  const added = await addPasskey(tx, needs, place, by, given)
  if (isRefusal(added)) return added
  const person = await readPatient(tx, by.owner.person as AbhaAddress)
  if (person !== undefined) {
    const text = textFor(person.language, 'passkey.added', { service: needs.exchange.name })
    await enqueue(tx, { kind: TEXT_JOB, payload: { mobile: person.mobile, text } })
  }
  return added
}

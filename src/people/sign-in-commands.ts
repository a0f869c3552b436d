import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { JobHandler } from '../jobs/worker.ts'
import { type AbhaAddress, type Id, makeId, parseAbhaAddress, parseId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { canMove } from '../kernel/moves.ts'
import { type Refusal, refuse, refuseFor } from '../kernel/refusal.ts'
import { checkActing, hasSomebodyWhoDecides, type IndexNeeds, readPatient } from './commands.ts'
import { isChild, isNumberHers, type Patient, type PatientEvent } from './patient.ts'
import { type OpenedSession, openSession, type WebNeeds } from './session-commands.ts'
import { SIGN_IN_MOVES, type SignInCode } from './sign-in.ts'
import * as store from './sign-in-store.ts'
import { networkOf } from './source-throttle.ts'
import { hashCode, isCode, makeCode } from './text-code.ts'
import { signInText, textFor } from './texts.ts'

export type SignInNeeds = IndexNeeds & { readonly exchange: { readonly name: string }; readonly web: WebNeeds }

/** Sends the code, or records a wrong one: looks up the address out of sight of who asked. */
export const SIGN_IN_JOB = 'people.sign-in'
const TEXT_JOB = 'text-message'
const HASH_BYTES = 32

const payload = z.object({ signIn: z.string(), step: z.enum(['send', 'failed']) })
type Step = z.output<typeof payload>['step']

async function later(tx: Tx, signIn: Id<'sign-in'>, step: Step): Promise<void> {
  await enqueue(tx, { kind: SIGN_IN_JOB, payload: { signIn, step } })
}

export type SignInStarted = {
  readonly id: Id<'sign-in'>
  readonly expiresAt: Date
  /** When another code may be asked for. */
  readonly againAfterS: number
}

/**
 * Asks for a code. Whether the address has an account shows neither in the answer nor in what is done for it: a job looks it up after the
 * answer has gone. `request/too-many` when too many were asked for and not used: from one place, of this address, or altogether.
 */
export async function startSignIn(
  tx: Tx,
  needs: IndexNeeds,
  asks: { readonly abhaAddress: AbhaAddress; readonly from: string },
): Promise<SignInStarted | Refusal> {
  const { abhaAddress, from } = asks
  const source = sourceDigest(needs, from)
  await store.lockAddress(tx, abhaAddress)
  const asked = await store.countAsked(tx, abhaAddress, source)
  if (asked.hereLastHour >= LIMITS.signInCodesPerHourMax || asked.lastHour >= LIMITS.signInCodesOfAddressPerHourMax)
    return refuseFor(3_600_000, 'Too many codes were asked for. Try again in an hour.')
  if (asked.hereLastMinute >= LIMITS.signInCodesPerMinuteMax || asked.ofAll >= LIMITS.signInCodesOfAllPerMinuteMax)
    return refuseFor(60_000, 'Too many codes were asked for. Try again in a minute.')
  const id = makeId<'sign-in'>(tx.now, tx.random, toBucket(0))
  const expiresAt = new Date(tx.now.getTime() + LIMITS.signInCodeMs)
  // No code has this hash: until the job has made one, and for ever where there is no account.
  await store.insertSignIn(tx, { id, abhaAddress, source, codeHash: tx.random(HASH_BYTES), expiresAt })
  await later(tx, id, 'send')
  return { id, expiresAt, againAfterS: 60 / LIMITS.signInCodesPerMinuteMax }
}

/** HMAC-SHA-256 of the network from which somebody asks. What comes from this machine itself, by a proxy, is one. */
function sourceDigest({ indexKey }: IndexNeeds, from: string): Buffer {
  return createHmac('sha256', indexKey)
    .update(`sign_in_source\n${networkOf(from) ?? ''}`)
    .digest()
}

/** Signs in with the code: opens a session. Refusals say the same for an address without account. */
export async function signInWithCode(
  tx: Tx,
  needs: SignInNeeds,
  given: { readonly id: string; readonly code: string; readonly userAgent: string | undefined },
): Promise<OpenedSession | Refusal> {
  const id = parseId<'sign-in'>(given.id)
  const signIn = id && (await store.lockSignInFirst(tx, id))
  if (signIn === undefined) return refuse('people/unknown-sign-in')
  if (!canMove(SIGN_IN_MOVES, signIn.status, 'used')) return refuse('people/code-spent')
  if (signIn.expiresAt <= tx.now) return refuse('people/code-expired')
  const tries = await store.countTries(tx, signIn)
  if (tries.here >= LIMITS.signInTriesPerSourceMax || tries.all >= LIMITS.signInTriesPerHourMax)
    return refuseFor(3_600_000, 'Too many wrong codes. Try again in an hour, or sign in with a passkey.')
  const { indexKey } = needs
  const bound = { indexKey, purpose: 'sign-in', id: signIn.carriedBy ?? signIn.id, typed: given.code } as const
  if (!isCode(signIn.codeHash, bound)) return wrongCode(tx, signIn)
  const fault = await spendCarrier(tx, signIn)
  if (fault) return fault
  await store.moveSignIn(tx, signIn, { status: 'used', wrongTries: signIn.wrongTries })
  return openFor(tx, needs, signIn, given.userAgent)
}

/** A code that came in the text message of another sign-in is used up there, and lives no longer than that one. */
async function spendCarrier(tx: Tx, { id, carriedBy }: SignInCode): Promise<Refusal | undefined> {
  if (carriedBy === undefined || carriedBy === id) return undefined
  const carrier = await store.lockSignIn(tx, carriedBy)
  if (carrier === undefined || carrier.expiresAt <= tx.now) return refuse('people/code-expired')
  if (!canMove(SIGN_IN_MOVES, carrier.status, 'used')) return refuse('people/code-spent')
  await store.moveSignIn(tx, carrier, { status: 'used', wrongTries: carrier.wrongTries })
  return undefined
}

/** Opens the session of whoever had the right code. The phone is in the right hands: they may hear why nobody is signed in. */
async function openFor(
  tx: Tx,
  needs: SignInNeeds,
  signIn: SignInCode,
  userAgent: string | undefined,
): Promise<OpenedSession | Refusal> {
  const person = parseAbhaAddress(signIn.abhaAddress)
  const patient = person && (await readPatient(tx, person))
  if (patient?.status !== 'active') return refuse('people/code-spent')
  const fault = await checkActing(tx, { patient: patient.abhaAddress })
  if (fault) return fault
  if (!isNumberHers(patient, tx.now)) return refuse('people/number-not-hers')
  return openPatientSession(tx, needs.web, { person: patient.abhaAddress, how: 'otp', userAgent })
}

async function wrongCode(tx: Tx, signIn: SignInCode): Promise<Refusal> {
  const wrongTries = signIn.wrongTries + 1
  const spent = wrongTries >= LIMITS.signInCodeTriesMax
  await store.moveSignIn(tx, signIn, { status: spent ? 'spent' : 'waiting', wrongTries })
  await later(tx, signIn.id, 'failed')
  return refuseWrongCode(wrongTries)
}

/** What a wrong code hears, with how many tries are left. */
function refuseWrongCode(wrongTries: number): Refusal {
  const left = LIMITS.signInCodeTriesMax - wrongTries
  return left <= 0
    ? refuse('people/code-spent', undefined, 'code')
    : refuse('people/wrong-code', `The code is wrong. Tries left: ${left}.`, 'code')
}

/** Opens the session of a patient who has proved who she is. */
export async function openPatientSession(
  tx: Tx,
  web: WebNeeds,
  input: {
    readonly person: AbhaAddress
    readonly how: 'otp' | 'passkey'
    readonly userAgent: string | undefined
  },
): Promise<OpenedSession> {
  const { person, how, userAgent } = input
  const actor = { kind: 'patient', id: person } as const
  const event = { type: 'people.signed-in', actor, patient: person, how } satisfies PatientEvent & { how: string }
  const recorded = await record(tx, event)
  const opened = await openSession(tx, web, recorded, { kind: 'patient', person, how, userAgent })
  await announce(tx, recorded)
  return opened
}

/** Handler of `SIGN_IN_JOB`. */
export function signInJob(needs: Pick<SignInNeeds, 'indexKey' | 'exchange'>): JobHandler {
  return async (_machine, job) => {
    const { signIn, step } = payload.parse(job.payload)
    const id = parseId<'sign-in'>(signIn)
    if (id === undefined) return { outcome: 'give-up', error: 'the job names no sign-in' }
    return { outcome: 'done', commit: (tx) => (step === 'send' ? sendCode(tx, needs, id) : recordFailure(tx, id)) }
  }
}

async function sendCode(tx: Tx, needs: Pick<SignInNeeds, 'indexKey' | 'exchange'>, id: Id<'sign-in'>): Promise<void> {
  const signIn = await store.lockSignInFirst(tx, id)
  const patient = await patientOf(tx, signIn)
  if (signIn === undefined || patient?.status !== 'active' || signIn.expiresAt <= tx.now) return
  const carrier = await carrierNow(tx, signIn)
  // Many ask, or she asks again: what is on the phone already does, since a text each time would be a flood.
  if (carrier !== undefined) return store.updateCode(tx, signIn, { codeHash: carrier.codeHash, carriedBy: carrier.id })
  const { mobile } = patient
  const instead = await textInsteadOfCode(tx, needs, patient)
  if (instead !== undefined) {
    await store.updateCode(tx, signIn, { codeHash: signIn.codeHash, carriedBy: id })
    await enqueue(tx, { kind: TEXT_JOB, payload: { mobile, text: instead } })
    return
  }
  const code = makeCode(tx.random)
  const actor = { kind: 'system', id: 'sign-in' } as const
  const recorded = await record(tx, {
    type: 'people.sign-in-code-sent',
    actor,
    patient: patient.abhaAddress,
    subject: id,
  } satisfies PatientEvent)
  await store.updateCode(tx, signIn, { codeHash: hashCode(needs.indexKey, 'sign-in', id, code), carriedBy: id })
  const text = signInText(patient.language, code, needs.exchange.name)
  await enqueue(tx, { kind: TEXT_JOB, payload: { mobile, text } })
  await announce(tx, recorded)
}

/** The sign-in whose text message does for this one too; undefined when the phone gets one of its own. */
async function carrierNow(tx: Tx, signIn: SignInCode): Promise<SignInCode | undefined> {
  const texted = await store.textedInLastHour(tx, signIn.abhaAddress)
  const [newest] = texted
  if (newest === undefined || texted.length < LIMITS.signInTextsFree) return undefined
  const carrier = await store.lockSignIn(tx, newest)
  const pauseEnds = (carrier?.askedAt.getTime() ?? 0) + LIMITS.signInTextEveryMs
  return carrier?.status === 'waiting' && pauseEnds > tx.now.getTime() ? carrier : undefined
}

/**
 * What the phone says where no code is sent, in the language of who reads it: a child does not sign in (DPDP s.9(1)), and who has come of
 * age does not by a number that may be her parent's.
 */
async function textInsteadOfCode(
  tx: Tx,
  { exchange }: Pick<SignInNeeds, 'exchange'>,
  patient: Patient,
): Promise<string | undefined> {
  const { abhaAddress, birthDate, guardian, language } = patient
  const service = exchange.name
  if (!isNumberHers(patient, tx.now)) return textFor(language, 'sign-in.of-age', { service })
  if (!isChild(birthDate, tx.now)) return undefined
  const reader = guardian && (await readPatient(tx, guardian))
  const key = (await hasSomebodyWhoDecides(tx, abhaAddress)) ? 'sign-in.child' : 'sign-in.child-alone'
  return textFor(reader?.language ?? language, key, { service })
}

async function recordFailure(tx: Tx, id: Id<'sign-in'>): Promise<void> {
  const patient = await patientOf(tx, await store.lockSignIn(tx, id))
  if (patient === undefined) return
  const actor = { kind: 'system', id: 'sign-in' } as const
  const event = {
    type: 'people.sign-in-failed',
    actor,
    patient: patient.abhaAddress,
    subject: id,
  } satisfies PatientEvent
  await announce(tx, await record(tx, event))
}

async function patientOf(tx: Tx, signIn: SignInCode | undefined) {
  const person = signIn && parseAbhaAddress(signIn.abhaAddress)
  return person && (await readPatient(tx, person))
}

/** Forgets codes that count for no limit any more: a chore. */
export async function sweepSignIns(tx: Tx): Promise<void> {
  await store.deleteSignInsBefore(tx, new Date(tx.now.getTime() - 2 * 3_600_000))
}

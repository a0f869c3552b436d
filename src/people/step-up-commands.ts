import type { AuthenticationResponseJSON, PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Caller } from '../kernel/caller.ts'
import { type Id, makeId, parseId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { canMove } from '../kernel/moves.ts'
import { isRefusal, type Refusal, refuse, refuseFor } from '../kernel/refusal.ts'
import type { StepUpAct } from '../kernel/step-up-act.ts'
import { existingPatientKey } from '../vault/data-keys.ts'
import { isAssertionOf, type PasskeyPlace, passkeysAt, requestOptions } from './passkey-commands.ts'
import { STEP_UP_MOVES, type StepUp, type StepUpBy } from './step-up.ts'
import * as store from './step-up-store.ts'

const CHALLENGE_BYTES = 32

export type AskedStepUp = {
  readonly id: Id<'step-up'>
  readonly expiresAt: Date
  /** Where the person has a passkey that works on this page. */
  readonly passkey?: PublicKeyCredentialRequestOptionsJSON
}

/** Asks for a proof anew. `place` is a refusal where passkeys do not work; then another way has to do. */
export async function openStepUp(
  tx: Tx,
  by: StepUpBy,
  place: PasskeyPlace | Refusal,
  input: { readonly act: StepUpAct; readonly subject: string },
): Promise<AskedStepUp | Refusal> {
  const { asked } = await store.countStepUps(tx, by.session, new Date(tx.now.getTime() - 60_000))
  if (asked >= LIMITS.stepUpsPerMinuteMax) return refuseFor(60_000, 'Too many at once. Try again in a minute.')
  const passkeys = isRefusal(place) ? [] : await passkeysAt(tx, by.owner, place)
  const challenge = tx.random(CHALLENGE_BYTES)
  const usable = isRefusal(place) || passkeys.length === 0 ? undefined : { place, challenge }
  const id = makeId<'step-up'>(tx.now, tx.random, toBucket(0))
  const expiresAt = new Date(tx.now.getTime() + LIMITS.stepUpMs)
  await store.insertStepUp(tx, {
    ...input,
    id,
    session: by.session,
    expiresAt,
    codeHash: undefined,
    challenge: usable?.challenge,
    origin: usable?.place.origin,
  })
  if (usable === undefined) return { id, expiresAt }
  return { id, expiresAt, passkey: await requestOptions(usable.place, challenge, passkeys) }
}

/** The proof of this id that this session waits for. */
async function waiting(tx: Tx, by: StepUpBy, given: string): Promise<StepUp | Refusal> {
  const id = parseId<'step-up'>(given)
  const stepUp = id && (await store.lockStepUp(tx, by.session, id))
  if (stepUp === undefined) return refuse('request/not-found')
  if (!canMove(STEP_UP_MOVES, stepUp.status, 'proved')) return refuse('people/code-spent')
  return stepUp.expiresAt <= tx.now ? refuse('people/code-expired') : stepUp
}

/** Keeps the hash of a code that goes to the person's phone; a second one takes the place of the first. */
export async function setStepUpCode(
  tx: Tx,
  by: StepUpBy,
  given: string,
  hashOf: (id: Id<'step-up'>) => Uint8Array,
): Promise<Refusal | undefined> {
  const stepUp = await waiting(tx, by, given)
  if (isRefusal(stepUp)) return stepUp
  const { withCode } = await store.countStepUps(tx, by.session, new Date(tx.now.getTime() - 3_600_000))
  if (stepUp.codeHash !== undefined || withCode >= LIMITS.stepUpCodesPerHourMax)
    return refuseFor(60_000, 'A code was sent already. Start again for another one.')
  await store.updateStepUpCode(tx, stepUp, hashOf(stepUp.id))
  return undefined
}

/** Takes a proof: `isRight` tells whether it is one. Wrong ones are counted and recorded; five end it. */
export async function proveStepUp(
  tx: Tx,
  by: StepUpBy,
  given: string,
  isRight: (stepUp: StepUp) => Promise<boolean> | boolean,
): Promise<Refusal | undefined> {
  const stepUp = await waiting(tx, by, given)
  if (isRefusal(stepUp)) return stepUp
  const right = await isRight(stepUp)
  const wrongTries = stepUp.wrongTries + (right ? 0 : 1)
  const spent = wrongTries >= LIMITS.signInCodeTriesMax
  const { act } = stepUp
  const type = right ? 'people.stepped-up' : 'people.step-up-failed'
  const recorded = await record(tx, { type, ...by.event, subject: stepUp.id, act, ...(await onWhat(tx, by, stepUp)) })
  await store.moveStepUp(tx, stepUp, { status: right ? 'proved' : spent ? 'spent' : 'waiting', wrongTries })
  await announce(tx, recorded)
  if (right) return undefined
  return spent
    ? refuse('people/code-spent', 'It was wrong too often. Start again.')
    : refuse('people/wrong-code', `That is not right. Tries left: ${LIMITS.signInCodeTriesMax - wrongTries}.`, 'code')
}

/** Staff act on a patient by our number for her: then the event is hers, sealed under her key. One that nobody has stands in no event. */
async function onWhat(
  tx: Tx,
  by: StepUpBy,
  { act, subject }: StepUp,
): Promise<{ readonly patient?: string; readonly on?: string }> {
  if (by.event.patient !== undefined || (act !== 'emergency.open' && act !== 'export.read')) return { on: subject }
  return (await existingPatientKey(tx, subject)) === undefined ? {} : { patient: subject, on: subject }
}

/** Whether a passkey of the person signed what this proof asks for; for {@link proveStepUp}. */
export async function isPasskeyProof(
  tx: Tx,
  by: StepUpBy,
  place: PasskeyPlace | Refusal,
  stepUp: StepUp,
  assertion: AuthenticationResponseJSON,
): Promise<boolean> {
  const { challenge, origin } = stepUp
  if (challenge === undefined || isRefusal(place) || origin !== place.origin) return false
  return isAssertionOf(tx, place, challenge, by.owner, assertion)
}

type Wanted = { readonly id: string; readonly act: StepUpAct; readonly subject: string }

/**
 * Looks for a proof that was given: in the session that asked for it, for this act on this thing, not spent and not too old. The row
 * stays locked until the transaction ends. `auth/step-up-needed` when there is none.
 *
 * A caller without a session of a web app came with a token (X-AUTH-TOKEN of ABDM, an operator's): the app that holds a patient's token
 * asks for its own proof, and an operator's token is one.
 */
export async function findStepUp(tx: Tx, caller: Caller, wanted: Wanted): Promise<Refusal | undefined> {
  const found = await provedStepUp(tx, caller, wanted)
  return isRefusal(found) ? found : undefined
}

/** Spends the proof that {@link findStepUp} finds: it is good once. */
export async function spendStepUp(tx: Tx, caller: Caller, wanted: Wanted): Promise<Refusal | undefined> {
  const stepUp = await provedStepUp(tx, caller, wanted)
  if (stepUp === undefined || isRefusal(stepUp)) return stepUp
  await store.moveStepUp(tx, stepUp, { status: 'spent', wrongTries: stepUp.wrongTries })
  return undefined
}

async function provedStepUp(tx: Tx, caller: Caller, wanted: Wanted): Promise<StepUp | Refusal | undefined> {
  const session = caller.kind === 'patient' || caller.kind === 'staff' ? caller.session : undefined
  if (session === undefined) return undefined
  const id = parseId<'step-up'>(wanted.id)
  const stepUp = id && (await store.lockStepUp(tx, session, id))
  const fits =
    stepUp !== undefined && stepUp.act === wanted.act && stepUp.subject === wanted.subject && stepUp.expiresAt > tx.now
  return fits && stepUp.status === 'proved' ? stepUp : refuse('auth/step-up-needed')
}

/** Forgets proofs whose time is long over: a chore. */
export async function sweepStepUps(tx: Tx): Promise<void> {
  await store.deleteStepUpsBefore(tx, new Date(tx.now.getTime() - 3_600_000))
}

import { announce, type Recorded, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { type StaffCaller, staffActor } from '../kernel/caller.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { makeCodeSecret, shareCodeSecret, stepOfCode } from './authenticator.ts'
import { digestOfRecoveryCode, makeRecoveryCodes, plainRecoveryCode } from './recovery-code.ts'
import * as store from './recovery-store.ts'
import { openSecret, sealSecret } from './sealed-secret.ts'
import { endSessionsOf } from './session-commands.ts'
import { countGuess, forgetGuesses, type ThrottleNeeds } from './sign-in-throttle.ts'
import type { StaffEvent, StaffMember } from './staff.ts'
import { findStaff, updateCodeStep, updateProofs } from './staff-store.ts'

type Needs = ThrottleNeeds & { readonly facility: { readonly id: FacilityId; readonly name: string } }

/** How many codes are left, since when, and when one was used last. */
export function readRecoveryState(tx: Tx, staff: Id<'staff'>): Promise<store.RecoveryState> {
  return store.findRecoveryState(tx, staff)
}

/** Makes ten codes for paper; they are shown this once, and older ones let nobody in any more. The route asks for a proof anew. */
export async function makeNewRecoveryCodes(tx: Tx, needs: Needs, caller: StaffCaller): Promise<readonly string[]> {
  const codes = makeRecoveryCodes(tx.random)
  const actor = staffActor(needs.facility.id, caller)
  const event = { type: 'staff.recovery-codes-made', actor, subject: caller.id } satisfies StaffEvent
  const recorded: Recorded<StaffEvent> = await record(tx, event)
  const digests = codes.map((code) => digestOfRecoveryCode(needs.indexKey, caller.id, plainRecoveryCode(code) ?? code))
  await store.replaceRecoveryCodes(tx, recorded, caller.id, digests)
  await announce(tx, recorded)
  return codes
}

/** Takes a code from paper, once: undefined when it is one of hers. Wrong ones slow down as wrong codes of the app do. */
export async function proveByRecoveryCode(
  tx: Tx,
  needs: Needs,
  who: Pick<StaffMember, 'id' | 'name' | 'role'>,
  typed: string,
): Promise<Refusal | undefined> {
  const guessed = { what: 'code', of: who.id } as const
  const slowed = await countGuess(tx, needs, guessed)
  if (slowed) return slowed
  const digest = digestOfRecoveryCode(needs.indexKey, who.id, plainRecoveryCode(typed) ?? '')
  if (!(await store.lockRecoveryCode(tx, who.id, digest))) return refuse('staff/wrong-code')
  const actor = staffActor(needs.facility.id, who)
  const event = { type: 'staff.recovery-code-used', actor, subject: who.id } satisfies StaffEvent
  const recorded: Recorded<StaffEvent> = await record(tx, event)
  await store.updateRecoveryCodeUsed(tx, recorded, who.id, digest)
  await forgetGuesses(tx, needs, guessed)
  await announce(tx, recorded)
  return undefined
}

/** A fresh secret for a new authenticator app; the old app counts until a first code of the new one is typed. The route asks for a proof anew. */
export async function startNewAuthenticator(
  tx: Tx,
  needs: Needs,
  caller: StaffCaller,
): Promise<{ readonly uri: string; readonly text: string } | Refusal> {
  const account = await findStaff(tx, caller.id)
  if (account?.passwordHash === undefined)
    return refuse('staff/not-now', 'An authenticator app goes with a password; this account has none.')
  const secret = makeCodeSecret(tx.random)
  await store.saveCodeSetup(tx, {
    session: caller.session,
    staff: caller.id,
    secret: await sealSecret(tx, caller.id, secret),
    expiresAt: new Date(tx.now.getTime() + LIMITS.codeSetupMs),
  })
  return shareCodeSecret(secret, needs.facility.name, account.login)
}

/** From now on the new app's codes count and the old one's do not; her other sessions end. */
export async function replaceAuthenticator(
  tx: Tx,
  needs: Needs,
  caller: StaffCaller,
  code: string,
): Promise<Refusal | undefined> {
  const guessed = { what: 'code', of: caller.id } as const
  const slowed = await countGuess(tx, needs, guessed)
  if (slowed) return slowed
  const codeSecret = await store.findCodeSetup(tx, caller.session, caller.id)
  if (codeSecret === undefined) return refuse('staff/sign-in-over', 'This took too long; begin again.')
  const step = stepOfCode(await openSecret(tx, caller.id, codeSecret), code, tx.now, 0)
  if (step === undefined) return refuse('staff/wrong-code', undefined, 'code')
  const actor = staffActor(needs.facility.id, caller)
  const event = { type: 'staff.authenticator-replaced', actor, subject: caller.id } satisfies StaffEvent
  const recorded: Recorded<StaffEvent> = await record(tx, event)
  await updateProofs(tx, recorded, caller.id, { codeSecret })
  await updateCodeStep(tx, caller.id, step)
  await store.deleteCodeSetups(tx, caller.id)
  await endSessionsOf(tx, recorded, { kind: 'staff', person: caller.id, except: caller.session })
  await forgetGuesses(tx, needs, guessed)
  await announce(tx, recorded)
  return undefined
}

/** All codes of a person let nobody in any more; `recorded` says why. */
export async function removeRecoveryCodes(tx: Tx, recorded: Recorded<StaffEvent>, staff: Id<'staff'>): Promise<void> {
  await store.deleteRecoveryCodes(tx, recorded, staff)
  await store.deleteCodeSetups(tx, staff)
}

/** Drops secrets that nobody confirmed in time: a chore. */
export function sweepCodeSetups(tx: Tx): Promise<void> {
  return store.deleteOldCodeSetups(tx)
}

import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import type { Tx } from '../db/tx.ts'
import { type StaffCaller, staffActor } from '../kernel/caller.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { StepUpAct } from '../kernel/step-up-act.ts'
import type { Passkey } from './passkey.ts'
import {
  type AskedPasskey,
  addPasskey,
  finishPasskeySignIn,
  listPasskeys,
  type PasskeyPlace,
  removePasskey,
  startPasskeyAdding,
} from './passkey-commands.ts'
import { readRecoveryState } from './recovery-commands.ts'
import { mayDo } from './rules.ts'
import type { OpenedSession } from './session-commands.ts'
import {
  type DeskNeeds,
  openStaffSession,
  proveSecondFactor,
  readActiveStaff,
  type SecondFactor,
} from './staff-sign-in.ts'
import type { StepUpBy } from './step-up.ts'
import { type AskedStepUp, isPasskeyProof, openStepUp, proveStepUp } from './step-up-commands.ts'

/** The person of the staff and session of a call, as proofs name them. */
export function staffProvingOf(facility: FacilityId, caller: StaffCaller): StepUpBy {
  return {
    owner: { kind: 'staff', person: caller.id },
    session: caller.session,
    event: { actor: staffActor(facility, caller) },
  }
}

/** Signs in with a passkey: opens a session of whose it is. It needs no password, and nobody's guesses slow it down. */
export async function signInStaffWithPasskey(
  tx: Tx,
  needs: DeskNeeds,
  place: PasskeyPlace,
  given: {
    readonly id: string
    readonly assertion: AuthenticationResponseJSON
    readonly userAgent: string | undefined
  },
): Promise<OpenedSession | Refusal> {
  const owner = await finishPasskeySignIn(tx, needs, place, { ...given, kind: 'staff' })
  if (isRefusal(owner)) return owner
  const account = await readActiveStaff(tx, owner.person as Id<'staff'>)
  if (account === undefined) return refuse('staff/suspended')
  return openStaffSession(tx, needs, account, { how: 'passkey', userAgent: given.userAgent })
}

/** Asks for a proof anew before a grave act that her role allows: by a code of her app, or by a passkey that works on this page. */
export async function openStaffStepUp(
  tx: Tx,
  needs: Pick<DeskNeeds, 'facility'>,
  place: PasskeyPlace | Refusal,
  caller: StaffCaller,
  input: { readonly act: StepUpAct; readonly subject: string },
): Promise<(AskedStepUp & { readonly methods: readonly ('code' | 'passkey' | 'recovery')[] }) | Refusal> {
  const { act } = input
  if (act === 'consent.grant' || act === 'policy.save' || act === 'account.close')
    return refuse('auth/forbidden', 'This is not done at a desk.', 'act')
  // What is asked for oneself any role may; who may take data out is held by the route that does it.
  if ((act === 'staff.change' || act === 'staff.confirm' || act === 'emergency.open') && !mayDo(caller.role, act))
    return refuse('auth/forbidden', `Your role may not do this: ${act}.`)
  const account = await readActiveStaff(tx, caller.id)
  const opened = await openStepUp(tx, staffProvingOf(needs.facility.id, caller), place, input)
  if (isRefusal(opened)) return opened
  const methods = [
    ...(opened.passkey === undefined ? [] : (['passkey'] as const)),
    ...(account?.codeSecret === undefined ? [] : (['code'] as const)),
    ...((await readRecoveryState(tx, caller.id)).left === 0 ? [] : (['recovery'] as const)),
  ]
  return { ...opened, methods }
}

/** Takes a code of the authenticator app, a recovery code, or the passkey's answer, for a proof that was asked for. */
export async function proveStaffStepUp(
  tx: Tx,
  needs: DeskNeeds,
  caller: StaffCaller,
  given: {
    readonly id: string
    readonly place: PasskeyPlace | Refusal
    readonly proof: SecondFactor | { readonly assertion: AuthenticationResponseJSON }
  },
): Promise<Refusal | undefined> {
  const by = staffProvingOf(needs.facility.id, caller)
  const { place, proof } = given
  let why: Refusal | undefined
  const fault = await proveStepUp(tx, by, given.id, async (stepUp) => {
    if ('assertion' in proof) return isPasskeyProof(tx, by, place, stepUp, proof.assertion)
    const account = await readActiveStaff(tx, caller.id)
    if (account === undefined) return false
    why = await proveSecondFactor(tx, needs, account, proof)
    return why === undefined
  })
  // "Used already" and "wait" help more than "wrong"; that the tries are spent counts above both.
  return fault?.code === 'people/wrong-code' ? (why ?? fault) : fault
}

/** Starts to add a passkey of hers. The route asks for a proof anew. */
export async function startStaffPasskey(
  tx: Tx,
  needs: DeskNeeds,
  place: PasskeyPlace,
  caller: StaffCaller,
): Promise<AskedPasskey<object> | Refusal> {
  const account = await readActiveStaff(tx, caller.id)
  if (account === undefined) return refuse('auth/no-session')
  const { owner, session } = staffProvingOf(needs.facility.id, caller)
  const adding = { owner, session, userName: account.login, displayName: account.name }
  return startPasskeyAdding(tx, { indexKey: needs.indexKey, service: needs.facility.name }, place, adding)
}

/** Keeps the passkey that the browser made. */
export function addStaffPasskey(
  tx: Tx,
  needs: Pick<DeskNeeds, 'facility' | 'indexKey'>,
  place: PasskeyPlace,
  caller: StaffCaller,
  given: { readonly id: string; readonly name: string; readonly attestation: RegistrationResponseJSON },
): Promise<Passkey | Refusal> {
  return addPasskey(tx, needs, place, staffProvingOf(needs.facility.id, caller), given)
}

/** Removes a passkey of hers; not the last way in of who has no password. */
export async function removeStaffPasskey(
  tx: Tx,
  needs: Pick<DeskNeeds, 'facility'>,
  caller: StaffCaller,
  id: string,
): Promise<Refusal | undefined> {
  const by = staffProvingOf(needs.facility.id, caller)
  const account = await readActiveStaff(tx, caller.id)
  const passkeys = await listPasskeys(tx, by.owner)
  if (account?.passwordHash === undefined && passkeys.length === 1 && passkeys[0]?.id === id)
    return refuse('staff/not-now', 'This passkey is the only way in. Add another one first.')
  return removePasskey(tx, by, id)
}

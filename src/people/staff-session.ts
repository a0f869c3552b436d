import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { type StaffCaller, staffActor } from '../kernel/caller.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { isConfirmed } from './confirmation-commands.ts'
import { hashPassword, isPasswordOf } from './password.ts'
import {
  endSession,
  endSessionsOf,
  type ReadSession,
  readSession,
  sessionOfPerson,
  type WebNeeds,
} from './session-commands.ts'
import { countGuess, forgetGuesses } from './sign-in-throttle.ts'
import type { StaffEvent } from './staff.ts'
import { refuseWeakPassword } from './staff-invitation.ts'
import { type DeskNeeds, readActiveStaff } from './staff-sign-in.ts'
import { updateProofs } from './staff-store.ts'

type WebCall = Parameters<typeof readSession>[3]

/** A signed-in person of the staff, with her session. */
export type StaffSession = {
  readonly caller: StaffCaller
  readonly session: ReadSession
  readonly login: string
  /** Who joined by a passkey has none. */
  readonly hasPassword: boolean
}

/**
 * The person of the staff who calls with the cookie of the desk. Role and status are looked up anew at each call: who was suspended is
 * out with her next one. `auth/no-session` without a session.
 */
export async function readStaffSession(tx: Tx, web: WebNeeds, call: WebCall): Promise<StaffSession | Refusal> {
  const session = await readSession(tx, web, 'staff', call)
  if (session === undefined) return refuse('auth/no-session')
  if (isRefusal(session)) return session
  const account = await readActiveStaff(tx, session.person as Id<'staff'>)
  if (account === undefined) return refuse('auth/no-session')
  const { id, name, role, registration } = account
  const caller: StaffCaller = {
    kind: 'staff',
    id,
    name,
    role,
    ...(registration === undefined ? {} : { registration }),
    session: session.id,
    ...((await isConfirmed(tx, id)) ? {} : { unconfirmed: true as const }),
  }
  return { caller, session, login: account.login, hasPassword: account.passwordHash !== undefined }
}

/** She ends a session of hers: this one, or one on another device. `request/not-found` for what is not hers or over already. */
export async function endStaffSession(
  tx: Tx,
  facility: FacilityId,
  caller: StaffCaller,
  id: string,
): Promise<Refusal | undefined> {
  const session = await sessionOfPerson(tx, 'staff', caller.id, id)
  if (isRefusal(session)) return session
  const recorded = await record(tx, {
    type: 'staff.signed-out',
    actor: staffActor(facility, caller),
    subject: caller.id,
  } satisfies StaffEvent)
  await endSession(tx, recorded, session.id)
  await announce(tx, recorded)
  return undefined
}

/** She ends all her sessions but this one: what she does not know, and what she forgot somewhere. */
export async function endOtherStaffSessions(tx: Tx, facility: FacilityId, caller: StaffCaller): Promise<void> {
  const recorded = await record(tx, {
    type: 'staff.signed-out-elsewhere',
    actor: staffActor(facility, caller),
    subject: caller.id,
  } satisfies StaffEvent)
  await endSessionsOf(tx, recorded, { kind: 'staff', person: caller.id, except: caller.session })
  await announce(tx, recorded)
}

/** Sets a new password for who knows the old one; her other sessions end. Wrong old ones are slowed down as at the door. */
export async function changePassword(
  tx: Tx,
  needs: DeskNeeds,
  caller: StaffCaller,
  input: { readonly password: string; readonly newPassword: string },
): Promise<Refusal | undefined> {
  const account = await readActiveStaff(tx, caller.id)
  if (account === undefined) return refuse('auth/no-session')
  const guessed = { what: 'password', of: account.login } as const
  const slowed = await countGuess(tx, needs, guessed)
  if (slowed) return slowed
  const isRight = await needs.gate.pass(tx.now, () => isPasswordOf(input.password, account.passwordHash))
  if (isRefusal(isRight)) return isRight
  if (!isRight) return refuse('staff/wrong-password', undefined, 'password')
  await forgetGuesses(tx, needs, guessed)
  const weak = await refuseWeakPassword(needs, input.newPassword, account)
  if (weak) return weak.field === undefined ? weak : { ...weak, field: 'newPassword' }
  const passwordHash = await hashPassword(input.newPassword)
  const recorded = await record(tx, {
    type: 'staff.password-changed',
    actor: staffActor(needs.facility.id, caller),
    subject: caller.id,
  } satisfies StaffEvent)
  await updateProofs(tx, recorded, caller.id, { passwordHash })
  await endSessionsOf(tx, recorded, { kind: 'staff', person: caller.id, except: caller.session })
  await announce(tx, recorded)
  return undefined
}

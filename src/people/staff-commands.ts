import { announce, type Recorded, record } from '../audit/record.ts'
import { StaleRow, type Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import { type Id, makeId, toBucket } from '../kernel/id.ts'
import { canMove } from '../kernel/moves.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { confirmationAfter, gainsActs } from './confirmation.ts'
import { askConfirmation, confirmations } from './confirmation-commands.ts'
import { removePasskeysOf } from './passkey-commands.ts'
import { removeRecoveryCodes } from './recovery-commands.ts'
import { endSessionsOf } from './session-commands.ts'
import { removeIdentities } from './sso-commands.ts'
import { STAFF_MOVES, type StaffEvent, type StaffMember, type StaffStatus } from './staff.ts'
import { type MadeInvitation, makeInvitation } from './staff-invitation.ts'
import { deleteSignInsOf } from './staff-sign-in-store.ts'
import {
  findAllStaff,
  findStaff,
  findStaffByLogin,
  findStaffForUpdate,
  insertStaff,
  lockAdministrators,
  type StaffAccount,
  updateProofs,
  updateStaffRole,
  updateStaffStatus,
} from './staff-store.ts'

/** Takes a person into the staff; she sets up how she signs in with the code. `staff/login-taken` when somebody has the login, also who left. */
export async function inviteStaff(
  tx: Tx,
  input: {
    readonly login: string
    readonly name: string
    readonly role: StaffRole
    readonly registration?: string
    readonly actor: Actor
  },
): Promise<(MadeInvitation & { readonly staff: StaffMember }) | Refusal> {
  const { actor, ...who } = input
  if ((await findStaffByLogin(tx, who.login)) !== undefined) return refuse('staff/login-taken', undefined, 'login')
  const staff: StaffMember = { ...who, id: makeId<'staff'>(tx.now, tx.random, toBucket(0)), status: 'invited' }
  const recorded = await record(tx, {
    type: 'staff.invited',
    actor,
    subject: staff.id,
    role: staff.role,
    confirmation: confirmationAfter(actor),
  } satisfies StaffEvent)
  if (!(await insertStaff(tx, recorded, staff))) throw new StaleRow('login taken meanwhile')
  await askConfirmation(tx, recorded, staff.id, actor)
  const invitation = await makeInvitation(tx, recorded, staff.id)
  await announce(tx, recorded)
  return { ...invitation, staff }
}

const memberOf = ({ id, login, name, role, registration, status }: StaffAccount): StaffMember => ({
  id,
  login,
  name,
  role,
  ...(registration === undefined ? {} : { registration }),
  status,
})

/** Everybody who works or worked here, by name. */
export async function listStaff(tx: Tx): Promise<
  readonly (StaffMember & {
    readonly hasPassword: boolean
    readonly hasCodes: boolean
    readonly isConfirmed: boolean
  })[]
> {
  const all = await findAllStaff(tx)
  const confirmed = await confirmations(tx)
  return all.map((account) => ({
    ...memberOf(account),
    hasPassword: account.passwordHash !== undefined,
    hasCodes: account.codeSecret !== undefined,
    isConfirmed: confirmed.get(account.id)?.status === 'confirmed',
  }))
}

/** One person of the staff; undefined when there is none of that id. */
export async function readStaff(tx: Tx, id: Id<'staff'>): Promise<StaffMember | undefined> {
  const account = await findStaff(tx, id)
  return account && memberOf(account)
}

type Change = { readonly id: Id<'staff'>; readonly actor: Actor }

/** Gives a person other work; what she may do changes with her next call. What an administrator opens by it waits for a second person. */
export async function changeRole(
  tx: Tx,
  { id, actor, role, registration }: Change & { readonly role: StaffRole; readonly registration?: string },
): Promise<StaffMember | Refusal> {
  const found = await accountToChange(tx, id, role === 'administrator')
  if (isRefusal(found)) return found
  if (found.status === 'left') return refuse('staff/not-now')
  const kept = registration ?? found.registration
  const gains = gainsActs(found.role, role)
  const recorded = await record(tx, {
    type: 'staff.role-changed',
    actor,
    subject: id,
    role,
    confirmation: gains ? confirmationAfter(actor) : 'kept',
  } satisfies StaffEvent)
  await updateStaffRole(tx, recorded, id, { from: found.role, to: role, registration: kept })
  if (gains) await askConfirmation(tx, recorded, id, actor)
  await announce(tx, recorded)
  return memberOf({ ...found, role, ...(kept === undefined ? {} : { registration: kept }) })
}

/** Loads a person, locked; `staff/last-administrator` when nobody could administer once she no longer does. */
async function accountToChange(tx: Tx, id: Id<'staff'>, staysAdministrator: boolean): Promise<StaffAccount | Refusal> {
  const administrators = await lockAdministrators(tx)
  const account = await findStaffForUpdate(tx, id)
  if (account === undefined) return refuse('staff/unknown')
  const isLast = administrators.length === 1 && administrators[0] === id
  return isLast && !staysAdministrator ? refuse('staff/last-administrator') : account
}

async function moveStaff(
  tx: Tx,
  { id, actor }: Change,
  to: StaffStatus,
  type: StaffEvent['type'],
): Promise<StaffMember | Refusal> {
  const found = await accountToChange(tx, id, to === 'active')
  if (isRefusal(found)) return found
  if (found.status === to) return memberOf(found)
  if (!canMove(STAFF_MOVES, found.status, to)) return refuse('staff/not-now')
  const recorded = await record(tx, { type, actor, subject: id } satisfies StaffEvent)
  await updateStaffStatus(tx, recorded, id, found.status, to)
  if (to !== 'active') {
    await endSessionsOf(tx, recorded, { kind: 'staff', person: id })
    await deleteSignInsOf(tx, id)
  }
  if (to === 'left') await removeProofs(tx, recorded, id)
  await announce(tx, recorded)
  return memberOf({ ...found, status: to })
}

async function removeProofs(tx: Tx, recorded: Recorded<StaffEvent>, id: Id<'staff'>): Promise<void> {
  await updateProofs(tx, recorded, id, { passwordHash: undefined, codeSecret: undefined })
  await removePasskeysOf(tx, recorded, { kind: 'staff', person: id })
  await removeRecoveryCodes(tx, recorded, id)
  await removeIdentities(tx, recorded, id)
}

/** The person may not sign in for now; her sessions end at once. Doing it twice changes nothing. */
export function suspendStaff(tx: Tx, change: Change): Promise<StaffMember | Refusal> {
  return moveStaff(tx, change, 'suspended', 'staff.suspended')
}

/** Ends every session of a person, and every sign-in under way, whatever happens to the account: for a device that is not in her hands. */
export async function endSessionsOfStaff(tx: Tx, { id, actor }: Change): Promise<StaffMember | Refusal> {
  const found = await findStaff(tx, id)
  if (found === undefined) return refuse('staff/unknown')
  const recorded = await record(tx, { type: 'staff.sessions-ended', actor, subject: id } satisfies StaffEvent)
  await endSessionsOf(tx, recorded, { kind: 'staff', person: id })
  await deleteSignInsOf(tx, id)
  await announce(tx, recorded)
  return memberOf(found)
}

/** A suspended person may sign in again, as before. */
export async function restoreStaff(tx: Tx, change: Change): Promise<StaffMember | Refusal> {
  const account = await findStaff(tx, change.id)
  // An invited person becomes active by her own doing alone.
  if (account?.status === 'invited') return refuse('staff/not-now')
  return moveStaff(tx, change, 'active', 'staff.restored')
}

/** The person no longer works here: for good. Her name stays with what she did. */
export function letStaffGo(tx: Tx, change: Change): Promise<StaffMember | Refusal> {
  return moveStaff(tx, change, 'left', 'staff.left')
}

/**
 * Takes password, codes and passkeys away and makes a new invitation: for who lost her phone, or never used the first invitation. Her
 * sessions end at once.
 */
export async function resetSecondFactor(tx: Tx, { id, actor }: Change): Promise<MadeInvitation | Refusal> {
  const found = await accountToChange(tx, id, false)
  if (isRefusal(found)) return found
  if (found.status !== 'invited' && !canMove(STAFF_MOVES, found.status, 'invited')) return refuse('staff/not-now')
  const recorded = await record(tx, {
    type: 'staff.second-factor-reset',
    actor,
    subject: id,
    confirmation: confirmationAfter(actor),
  } satisfies StaffEvent)
  if (found.status !== 'invited') await updateStaffStatus(tx, recorded, id, found.status, 'invited')
  await removeProofs(tx, recorded, id)
  await askConfirmation(tx, recorded, id, actor)
  await endSessionsOf(tx, recorded, { kind: 'staff', person: id })
  await deleteSignInsOf(tx, id)
  const invitation = await makeInvitation(tx, recorded, id)
  await announce(tx, recorded)
  return invitation
}

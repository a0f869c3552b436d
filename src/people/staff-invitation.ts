import type { RegistrationResponseJSON } from '@simplewebauthn/server'
import { announce, type Recorded, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { staffActor } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { makeCodeSecret, shareCodeSecret, stepOfCode } from './authenticator.ts'
import { isCommonPassword } from './known-passwords.ts'
import { type AskedPasskey, addPasskey, type PasskeyPlace, startPasskeyAdding } from './passkey-commands.ts'
import { hashPassword } from './password.ts'
import { type PasswordFault, passwordFault } from './password-rules.ts'
import { openSecret, sealSecret } from './sealed-secret.ts'
import type { OpenedSession } from './session-commands.ts'
import type { StaffEvent, StaffMember } from './staff.ts'
import { type DeskNeeds, digestOfSecret, makeTicket, openStaffSession } from './staff-sign-in.ts'
import {
  findInvitation,
  type Invitation,
  insertInvitation,
  updateInvitationSecret,
  updateInvitationUsed,
} from './staff-sign-in-store.ts'
import { findStaff, type StaffAccount, updateCodeStep, updateProofs, updateStaffStatus } from './staff-store.ts'

export type MadeInvitation = { readonly code: string; readonly expiresAt: Date }

/** Makes the one-time code with which a person sets up how she signs in; older ones of hers are worth nothing from now on. */
export async function makeInvitation(
  tx: Tx,
  recorded: Recorded<StaffEvent>,
  staff: StaffMember['id'],
): Promise<MadeInvitation> {
  const code = makeTicket(tx)
  const expiresAt = new Date(tx.now.getTime() + LIMITS.staffInvitationMs)
  await insertInvitation(tx, recorded, { digest: digestOfSecret(code), staff, expiresAt })
  return { code, expiresAt }
}

type Open = { readonly account: StaffAccount; readonly invitation: Invitation; readonly digest: Buffer }

async function openInvitation(tx: Tx, code: string): Promise<Open | Refusal> {
  const digest = digestOfSecret(code)
  const invitation = await findInvitation(tx, digest)
  const account = invitation && (await findStaff(tx, invitation.staff))
  if (invitation === undefined || account === undefined) return refuse('staff/unknown-invitation')
  if (invitation.status !== 'open' || invitation.expiresAt <= tx.now || account.status !== 'invited')
    return refuse('staff/invitation-over')
  return { account, invitation, digest }
}

/** Who is invited, as what, until when: what the person checks first. */
export async function readInvitation(
  tx: Tx,
  code: string,
): Promise<(StaffMember & { readonly expiresAt: Date }) | Refusal> {
  const open = await openInvitation(tx, code)
  if (isRefusal(open)) return open
  const { id, login, name, role, registration, status } = open.account
  const expiresAt = open.invitation.expiresAt
  return { id, login, name, role, ...(registration === undefined ? {} : { registration }), status, expiresAt }
}

/** A fresh secret for the person's authenticator app; asked again, the older one is worth nothing. */
export async function shareInvitationSecret(
  tx: Tx,
  needs: Pick<DeskNeeds, 'facility'>,
  code: string,
): Promise<{ readonly uri: string; readonly text: string } | Refusal> {
  const open = await openInvitation(tx, code)
  if (isRefusal(open)) return open
  const secret = makeCodeSecret(tx.random)
  await updateInvitationSecret(tx, open.digest, await sealSecret(tx, open.account.id, secret))
  return shareCodeSecret(secret, needs.facility.name, open.account.login)
}

const PASSWORD_WORDS: Readonly<Record<PasswordFault, string>> = {
  'too-short': `Take at least ${LIMITS.passwordCharsMin} characters; a sentence is easy to remember.`,
  'too-long': `Take at most ${LIMITS.passwordCharsMax} characters.`,
  'own-name': 'The login, the name or the facility with little else is easy to guess.',
  'too-plain': 'This is among the first that a guesser tries.',
}

/** `staff/weak-password` or `staff/known-password` with what to do, undefined when the password may be taken. */
export async function refuseWeakPassword(
  needs: Pick<DeskNeeds, 'facility' | 'leaked'>,
  password: string,
  { login, name }: StaffMember,
): Promise<Refusal | undefined> {
  const fault = passwordFault(password, { login, name, facility: needs.facility.name })
  if (fault !== undefined) return refuse('staff/weak-password', PASSWORD_WORDS[fault], 'password')
  if (await isCommonPassword(password)) return refuse('staff/known-password', undefined, 'password')
  try {
    return needs.leaked?.has(password) ? refuse('staff/known-password', undefined, 'password') : undefined
  } catch {
    return refuse('machine/unavailable', 'The list of leaked passwords cannot be read; nothing was changed.')
  }
}

/** Whether an invited person may take this password: asked before she sets up her app, so that nothing is done in vain. */
export async function checkInvitedPassword(
  tx: Tx,
  needs: Pick<DeskNeeds, 'facility' | 'leaked'>,
  input: Pick<Joining, 'invitation' | 'password'>,
): Promise<Refusal | undefined> {
  const open = await openInvitation(tx, input.invitation)
  return isRefusal(open) ? open : refuseWeakPassword(needs, input.password, open.account)
}

type Joining = { readonly invitation: string; readonly password: string; readonly code: string }
type Joined = { readonly account: StaffAccount; readonly recorded: Recorded<StaffEvent> }

/** The invited person sets password and authenticator app, and proves by a first code that the app has it. */
export async function joinByPassword(
  tx: Tx,
  needs: Pick<DeskNeeds, 'facility' | 'leaked'>,
  input: Joining,
): Promise<Joined | Refusal> {
  const open = await openInvitation(tx, input.invitation)
  if (isRefusal(open)) return open
  const { account, invitation, digest } = open
  const weak = await refuseWeakPassword(needs, input.password, account)
  if (weak) return weak
  if (invitation.codeSecret === undefined)
    return refuse('staff/wrong-code', 'Add the account to the authenticator app first.', 'code')
  const step = stepOfCode(await openSecret(tx, account.id, invitation.codeSecret), input.code, tx.now, 0)
  if (step === undefined) return refuse('staff/wrong-code', undefined, 'code')
  const passwordHash = await hashPassword(input.password)
  const recorded = await recordJoined(tx, needs, account, digest)
  await updateProofs(tx, recorded, account.id, { passwordHash, codeSecret: invitation.codeSecret })
  await updateCodeStep(tx, account.id, step)
  return { account, recorded }
}

/** Joins, and is signed in with it. */
export async function joinAndSignIn(
  tx: Tx,
  needs: DeskNeeds,
  input: Joining & { readonly userAgent: string | undefined },
): Promise<OpenedSession | Refusal> {
  const joined = await joinByPassword(tx, needs, input)
  if (isRefusal(joined)) return joined
  const { account, recorded } = joined
  return openStaffSession(tx, needs, account, { how: 'password-totp', userAgent: input.userAgent, joined: recorded })
}

/** Starts a passkey for an invited person, who then needs no password. */
export async function startInvitedPasskey(
  tx: Tx,
  needs: DeskNeeds,
  place: PasskeyPlace,
  code: string,
): Promise<AskedPasskey<object> | Refusal> {
  const open = await openInvitation(tx, code)
  if (isRefusal(open)) return open
  const { id, login, name } = open.account
  const adding = { owner: { kind: 'staff', person: id }, session: id, userName: login, displayName: name } as const
  return startPasskeyAdding(tx, { indexKey: needs.indexKey, service: needs.facility.name }, place, adding)
}

/** Joins with the passkey that the browser made, and is signed in with it. */
export async function joinByPasskey(
  tx: Tx,
  needs: DeskNeeds,
  place: PasskeyPlace,
  input: {
    readonly invitation: string
    readonly userAgent: string | undefined
    readonly passkey: { readonly id: string; readonly name: string; readonly attestation: RegistrationResponseJSON }
  },
): Promise<OpenedSession | Refusal> {
  const open = await openInvitation(tx, input.invitation)
  if (isRefusal(open)) return open
  const { account, digest } = open
  const event = { actor: staffActor(needs.facility.id, account) }
  const by = { owner: { kind: 'staff', person: account.id }, session: account.id, event } as const
  const added = await addPasskey(tx, needs, place, by, input.passkey)
  if (isRefusal(added)) return added
  const joined = await recordJoined(tx, needs, account, digest)
  return openStaffSession(tx, needs, account, { how: 'passkey', userAgent: input.userAgent, joined })
}

/** The account becomes active and its invitation is spent. Who calls this sets up a way to sign in, in the same transaction. */
async function recordJoined(
  tx: Tx,
  needs: Pick<DeskNeeds, 'facility'>,
  account: StaffAccount,
  digest: Uint8Array,
): Promise<Recorded<StaffEvent>> {
  const recorded: Recorded<StaffEvent> = await record(tx, {
    type: 'staff.joined',
    actor: staffActor(needs.facility.id, account),
    subject: account.id,
  })
  await updateStaffStatus(tx, recorded, account.id, 'invited', 'active')
  await updateInvitationUsed(tx, recorded, digest)
  await announce(tx, recorded)
  return recorded
}

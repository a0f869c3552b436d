import { createHash } from 'node:crypto'
import { announce, type Recorded, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { type Actor, staffActor } from '../kernel/caller.ts'
import type { FacilityId, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { nextCode, stepOfCode } from './authenticator.ts'
import type { LeakedPasswords } from './known-passwords.ts'
import { isPasswordOf } from './password.ts'
import type { PasswordGate } from './password-gate.ts'
import { proveByRecoveryCode } from './recovery-commands.ts'
import { openSecret } from './sealed-secret.ts'
import type { SessionProof } from './session.ts'
import { type OpenedSession, openSession, type WebNeeds } from './session-commands.ts'
import { countGuess, forgetGuesses, type ThrottleNeeds } from './sign-in-throttle.ts'
import type { SsoSession } from './sso.ts'
import { insertSsoSession } from './sso-store.ts'
import { parseLogin, type StaffEvent } from './staff.ts'
import { deleteSignIn, findSignIn, insertSignIn, updateSignInTries } from './staff-sign-in-store.ts'
import { findStaff, findStaffByLogin, type StaffAccount, updateCodeStep } from './staff-store.ts'

export type DeskNeeds = ThrottleNeeds & {
  readonly facility: { readonly id: FacilityId; readonly name: string }
  readonly web: WebNeeds
  readonly gate: PasswordGate
  /** Where the settings name a file of them. */
  readonly leaked?: LeakedPasswords
}

/** Who acts when nobody has proved who they are yet. */
const DOOR: Actor = { kind: 'system', id: 'desk' }
const TICKET_BYTES = 24

export const digestOfSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** A secret for a link or a ticket: 192 bits, base64url. */
export function makeTicket(tx: Tx): string {
  return Buffer.from(tx.random(TICKET_BYTES)).toString('base64url')
}

/**
 * Checks a password. A login that nobody has takes the same path, the same work and the same answer as a wrong password. A right one
 * gives a ticket for the second factor, also to who is suspended: that is said only to who has proved both.
 */
export async function beginSignIn(
  tx: Tx,
  needs: DeskNeeds,
  input: { readonly login: string; readonly password: string; readonly source: string },
): Promise<SignInTicket | Refusal> {
  const login = parseLogin(input.login) ?? input.login.trim().toLowerCase()
  const guessed = { what: 'password', of: login } as const
  const slowed = needs.gate.sources.mayTry(tx.now, input.source) ?? (await countGuess(tx, needs, guessed))
  if (slowed) return slowed
  const account = await findStaffByLogin(tx, login)
  const isRight = await needs.gate.pass(tx.now, () => isPasswordOf(input.password, account?.passwordHash))
  if (isRefusal(isRight)) return isRight
  if (account === undefined || !isRight) {
    needs.gate.sources.count(tx.now, input.source)
    return failSignIn(tx, account, refuse('staff/bad-credentials'))
  }
  await forgetGuesses(tx, needs, guessed)
  return issueTicket(tx, account.id, undefined)
}

export type SignInTicket = { readonly ticket: string; readonly expiresAt: Date }

/** What the second step of a sign-in must bring, after the first was proved by a password or by the single sign-on. */
export async function issueTicket(tx: Tx, staff: Id<'staff'>, sso: SsoSession | undefined): Promise<SignInTicket> {
  const ticket = makeTicket(tx)
  const expiresAt = new Date(tx.now.getTime() + LIMITS.staffSignInMs)
  const provedBy = sso === undefined ? 'password' : 'sso'
  await insertSignIn(tx, { digest: digestOfSecret(ticket), staff, provedBy, sso, expiresAt })
  return { ticket, expiresAt }
}

async function failSignIn(tx: Tx, account: StaffAccount | undefined, refusal: Refusal): Promise<Refusal> {
  const subject = account === undefined ? {} : { subject: account.id }
  await announce(tx, await record(tx, { type: 'staff.sign-in-failed', actor: DOOR, ...subject } satisfies StaffEvent))
  return refusal
}

/** A code of the authenticator app, or one of her recovery codes in its place. */
export type SecondFactor = { readonly code: string } | { readonly recovery: string }

/** The second factor. `staff/sign-in-over` when the ticket is old, unknown, or had too many wrong codes. */
export async function finishSignIn(
  tx: Tx,
  needs: DeskNeeds,
  input: SecondFactor & { readonly ticket: string; readonly userAgent: string | undefined; readonly source: string },
): Promise<OpenedSession | Refusal> {
  const digest = digestOfSecret(input.ticket)
  const signIn = await findSignIn(tx, digest)
  const account = signIn && (await findStaff(tx, signIn.staff))
  if (signIn === undefined || account === undefined) return refuse('staff/sign-in-over')
  const fault = needs.gate.sources.mayTry(tx.now, input.source) ?? (await proveSecondFactor(tx, needs, account, input))
  if (fault?.code === 'request/too-many') return fault
  if (fault) {
    needs.gate.sources.count(tx.now, input.source)
    const wrongTries = signIn.wrongTries + 1
    if (wrongTries >= LIMITS.staffSignInTriesMax) await deleteSignIn(tx, digest)
    else await updateSignInTries(tx, digest, wrongTries)
    return failSignIn(tx, account, wrongTries >= LIMITS.staffSignInTriesMax ? refuse('staff/sign-in-over') : fault)
  }
  await deleteSignIn(tx, digest)
  if (account.status !== 'active') return failSignIn(tx, account, refuse('staff/suspended'))
  const how = `${signIn.provedBy}-${'code' in input ? 'totp' : 'recovery'}` as const
  return openStaffSession(tx, needs, account, { how, userAgent: input.userAgent, sso: signIn.sso })
}

/** Undefined when the code, or the recovery code, is the person's. */
export function proveSecondFactor(
  tx: Tx,
  needs: DeskNeeds,
  account: StaffAccount,
  given: SecondFactor,
): Promise<Refusal | undefined> {
  return 'code' in given
    ? proveByCode(tx, needs, account, given.code)
    : proveByRecoveryCode(tx, needs, account, given.recovery)
}

/** Opens the session of a person who has proved who they are, and records it. */
export async function openStaffSession(
  tx: Tx,
  needs: DeskNeeds,
  account: StaffAccount,
  input: {
    readonly how: SessionProof
    readonly userAgent: string | undefined
    readonly joined?: Recorded<StaffEvent>
    /** The sign-in at the provider with which it ends. */
    readonly sso?: SsoSession | undefined
  },
): Promise<OpenedSession> {
  const recorded: Recorded<StaffEvent> =
    input.joined ??
    (await record(tx, {
      type: 'staff.signed-in',
      actor: staffActor(needs.facility.id, account),
      subject: account.id,
    }))
  const opened = await openSession(tx, needs.web, recorded, {
    kind: 'staff',
    person: account.id,
    how: input.how,
    userAgent: input.userAgent,
  })
  if (input.sso !== undefined) await insertSsoSession(tx, recorded, opened.id, input.sso)
  if (input.joined === undefined) await announce(tx, recorded)
  return opened
}

/**
 * Whether this is a code of the person's authenticator app, not used before; wrong ones slow down further tries at this person's codes,
 * never for longer than `LIMITS.staffCodeWaitMsMax`.
 */
async function proveByCode(
  tx: Tx,
  needs: ThrottleNeeds,
  account: Pick<StaffAccount, 'id' | 'codeSecret' | 'codeStepUsed'>,
  code: string,
): Promise<Refusal | undefined> {
  const guessed = { what: 'code', of: account.id } as const
  const slowed = await countGuess(tx, needs, guessed)
  if (slowed) return slowed
  if (account.codeSecret === undefined) return refuse('staff/wrong-code')
  const secret = await openSecret(tx, account.id, account.codeSecret)
  const step = stepOfCode(secret, code, tx.now, account.codeStepUsed)
  if (step === undefined) {
    const isUsed = stepOfCode(secret, code, tx.now, 0) !== undefined
    return refuse('staff/wrong-code', isUsed ? 'This code was used already; wait for the next one.' : undefined)
  }
  if (!(await updateCodeStep(tx, account.id, step)))
    return refuse('staff/wrong-code', 'This code was used already; wait for the next one.')
  await forgetGuesses(tx, needs, guessed)
  return undefined
}

/** The account behind a session of the desk, if it may still be used. */
export async function readActiveStaff(tx: Tx, id: Id<'staff'>): Promise<StaffAccount | undefined> {
  const account = await findStaff(tx, id)
  return account?.status === 'active' ? account : undefined
}

/** For a sandbox in place of a phone: the next code of a person's authenticator app; undefined for who has none. */
export async function codeForSandbox(
  tx: Tx,
  login: string,
): Promise<(Pick<StaffAccount, 'name' | 'role' | 'status'> & ReturnType<typeof nextCode>) | undefined> {
  const account = await findStaffByLogin(tx, login)
  if (account?.codeSecret === undefined) return undefined
  const { id, name, role, status, codeSecret, codeStepUsed } = account
  return { name, role, status, ...nextCode(await openSecret(tx, id, codeSecret), tx.now, codeStepUsed) }
}

import { createHash, createHmac } from 'node:crypto'
import { announce, type Recorded, record } from '../audit/record.ts'
import { type Machine, type Tx, transact } from '../db/tx.ts'
import { type Actor, type StaffCaller, staffActor } from '../kernel/caller.ts'
import type { Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { askConfirmationAgain, noteWayGiven } from './confirmation-commands.ts'
import { readRecoveryState } from './recovery-commands.ts'
import type { OpenedSession } from './session-commands.ts'
import type { SsoIdentity, SsoLink } from './sso.ts'
import type { SsoProvider, SsoSecrets } from './sso-provider.ts'
import * as store from './sso-store.ts'
import type { StaffEvent } from './staff.ts'
import { type DeskNeeds, issueTicket, openStaffSession, type SignInTicket } from './staff-sign-in.ts'
import { findStaff, findStaffByLogin, findStaffForUpdate, type StaffAccount } from './staff-store.ts'

export type SsoNeeds = DeskNeeds & { readonly sso: SsoProvider }

/** Who acts when nobody has proved who they are yet. */
const DOOR: Actor = { kind: 'system', id: 'desk' }
const STATE_BYTES = 24

/** The page of the desk to which the provider sends the browser back. */
const SSO_PAGE = '/desk/sso'

export type SsoStarted = { readonly url: string; readonly state: string; readonly origin: string }

/** Makes a question for the provider, for a browser whose page is of `origin`; before any transaction, since the provider may be slow. */
export async function makeQuestion(
  machine: Pick<Machine, 'now' | 'random'>,
  needs: Pick<SsoNeeds, 'sso' | 'indexKey'>,
  origin: string,
): Promise<SsoStarted | Refusal> {
  const state = Buffer.from(machine.random(STATE_BYTES)).toString('base64url')
  const url = await needs.sso.addressOf(machine.now(), `${origin}${SSO_PAGE}`, secretsOf(needs, state))
  return isRefusal(url) ? url : { url, state, origin }
}

/**
 * Begins a single sign-on, or, with `session`, the linking of the account that is signed in there. The state also goes into a cookie: an
 * answer is taken only from the browser that asked.
 */
export async function startSso(tx: Tx, { state, origin }: SsoStarted, session?: Id<'web-session'>): Promise<void> {
  const expiresAt = new Date(tx.now.getTime() + LIMITS.ssoMs)
  await store.insertQuestion(tx, { digest: digestOf(state), origin, session, expiresAt })
}

const digestOf = (state: string): Buffer => createHash('sha256').update(state).digest()

/** Nonce and verifier come from the state and a key of ours: the database holds neither, nor the state. */
function secretsOf({ indexKey }: Pick<SsoNeeds, 'indexKey'>, state: string): SsoSecrets {
  const made = (what: string) => createHmac('sha256', indexKey).update(`sso ${what}\n${state}`).digest('base64url')
  return { state, nonce: made('nonce'), verifier: made('verifier') }
}

type Answer = {
  /** The query of the address to which the provider sent the browser. */
  readonly query: string
  /** What the cookie of this browser says. */
  readonly state: string | undefined
}

/** Whom the provider proves, and the session that asked in order to be linked. */
export type SsoProof = { readonly identity: SsoIdentity; readonly session: Id<'web-session'> | undefined }

/**
 * Whom the provider's answer proves, and for what it was asked. Each question takes one answer, right or wrong: it is taken away in a
 * transaction of its own, and no transaction is open while the provider is asked.
 */
export async function readAnswer(
  machine: Machine,
  needs: Pick<SsoNeeds, 'sso' | 'indexKey'>,
  { query, state }: Answer,
): Promise<SsoProof | Refusal> {
  const taken = (digest: Buffer) => transact(machine, (tx) => store.takeQuestion(tx, digest))
  const question = state === undefined ? undefined : await taken(digestOf(state))
  if (question === undefined || state === undefined) return refuse('staff/sso-refused')
  const answeredAt = new URL(`${question.origin}${SSO_PAGE}`)
  answeredAt.search = query
  const identity = await needs.sso.identityOf(machine.now(), answeredAt, secretsOf(needs, state))
  return isRefusal(identity) ? identity : { identity, session: question.session }
}

/**
 * Signs in who the provider says it is, if the account is linked, or an administrator allowed it to be linked now. Opens a session when
 * the provider asked for a second factor; else answers a ticket for ours. Accounts are never made here. Who is not linked, unknown or
 * not allowed hears one and the same.
 */
export async function signInBySso(
  tx: Tx,
  needs: SsoNeeds,
  input: { readonly answer: SsoProof | Refusal; readonly userAgent: string | undefined },
): Promise<OpenedSession | SignInTicket | Refusal> {
  const { answer } = input
  if (isRefusal(answer)) return answer.code === 'staff/sso-refused' ? refuseSso(tx, answer) : answer
  const { identity, session } = answer
  if (session !== undefined) return refuseSso(tx, refuse('staff/sso-refused'))
  const account = (await linkedAccount(tx, identity)) ?? (await linkAsAllowed(tx, needs, identity))
  if (account === undefined) return refuseSso(tx, refuse('staff/sso-not-linked'))
  if (account.status !== 'active') return refuseSso(tx, refuse('staff/suspended'), account.id)
  await store.updateIdentityUsed(tx, identity)
  const { userAgent } = input
  if (identity.hasSecondFactor) return openStaffSession(tx, needs, account, { how: 'sso', userAgent, sso: identity })
  const hasOurs = account.codeSecret !== undefined || (await readRecoveryState(tx, account.id)).left > 0
  return hasOurs ? issueTicket(tx, account.id, identity) : refuseSso(tx, refuse('staff/sso-needs-passkey'), account.id)
}

async function refuseSso(tx: Tx, refusal: Refusal, staff?: Id<'staff'>): Promise<Refusal> {
  const subject = staff === undefined ? {} : { subject: staff }
  await announce(tx, await record(tx, { type: 'staff.sso-refused', actor: DOOR, ...subject } satisfies StaffEvent))
  return refusal
}

async function linkedAccount(tx: Tx, identity: SsoIdentity): Promise<StaffAccount | undefined> {
  const staff = await store.findStaffOfIdentity(tx, identity)
  return staff && findStaff(tx, staff)
}

/** The account whose login the provider says, linked now; undefined unless an administrator allowed it for this person. */
async function linkAsAllowed(tx: Tx, needs: SsoNeeds, identity: SsoIdentity): Promise<StaffAccount | undefined> {
  const named = identity.login === undefined ? undefined : await findStaffByLogin(tx, identity.login)
  // Locked: what is kept of her confirmation below follows, or comes before, what others decide of it.
  const account = named && (await findStaffForUpdate(tx, named.id))
  if (account?.status !== 'active') return undefined
  if ((await store.findLink(tx, identity.issuer, account.id)) !== undefined) return undefined
  if (!(await store.takePermit(tx, account.id))) return undefined
  await askConfirmationAgain(tx, await link(tx, needs, identity, account, 'pending'), account.id)
  return account
}

async function link(
  tx: Tx,
  needs: Pick<SsoNeeds, 'facility'>,
  identity: SsoIdentity,
  who: Pick<StaffAccount, 'id' | 'name' | 'role'>,
  confirmation: 'pending' | 'kept',
): Promise<Recorded<StaffEvent>> {
  const actor = staffActor(needs.facility.id, who)
  const event = { type: 'staff.sso-linked', actor, subject: who.id, confirmation } satisfies StaffEvent
  const recorded: Recorded<StaffEvent> = await record(tx, event)
  await store.insertIdentity(tx, recorded, identity, who.id)
  await announce(tx, recorded)
  return recorded
}

/** Links the account that is signed in with whom the provider says. A colleague's identity is not hers to take. */
export async function linkBySso(
  tx: Tx,
  needs: SsoNeeds,
  caller: StaffCaller,
  { identity, session }: SsoProof,
): Promise<Refusal | undefined> {
  if (session !== caller.session) return refuse('staff/sso-refused')
  const named = identity.login === undefined ? undefined : await findStaffByLogin(tx, identity.login)
  const isColleagues = named !== undefined && named.id !== caller.id
  const isTaken = (await store.findStaffOfIdentity(tx, identity)) !== undefined
  const hasOther = (await store.findLink(tx, identity.issuer, caller.id)) !== undefined
  if (isColleagues || isTaken || hasOther) return refuse('staff/sso-taken')
  await link(tx, needs, identity, caller, 'kept')
  return undefined
}

/** Whether her account is linked, since when, and when it was used. */
export function readSsoLink(tx: Tx, { sso }: Pick<SsoNeeds, 'sso'>, staff: Id<'staff'>): Promise<SsoLink | undefined> {
  return store.findLink(tx, sso.settings.issuer, staff)
}

/** The provider lets her in no more; her own ways stay. */
export async function unlinkSso(tx: Tx, needs: Pick<SsoNeeds, 'facility'>, caller: StaffCaller): Promise<void> {
  const actor = staffActor(needs.facility.id, caller)
  const event = { type: 'staff.sso-unlinked', actor, subject: caller.id } satisfies StaffEvent
  const recorded: Recorded<StaffEvent> = await record(tx, event)
  await store.deleteIdentitiesOf(tx, recorded, caller.id)
  await announce(tx, recorded)
}

/** The provider lets a person in no more; `recorded` says why. */
export async function removeIdentities(tx: Tx, recorded: Recorded<StaffEvent>, staff: Id<'staff'>): Promise<void> {
  await store.deleteIdentitiesOf(tx, recorded, staff)
}

/** An administrator allows a person to link her account at her next single sign-on, for a week. The route asks for a proof anew. */
export async function permitSso(
  tx: Tx,
  { id, actor }: { readonly id: Id<'staff'>; readonly actor: Actor },
): Promise<{ readonly expiresAt: Date } | Refusal> {
  // Locked: what is kept of her confirmation below must not undo a reset of this moment.
  const account = await findStaffForUpdate(tx, id)
  if (account === undefined) return refuse('staff/unknown')
  if (account.status !== 'active') return refuse('staff/not-now')
  const event = { type: 'staff.sso-permitted', actor, subject: id } satisfies StaffEvent
  const recorded: Recorded<StaffEvent> = await record(tx, event)
  const expiresAt = new Date(tx.now.getTime() + LIMITS.ssoPermitMs)
  await noteWayGiven(tx, recorded, id, actor)
  await store.savePermit(tx, recorded, id, expiresAt)
  await announce(tx, recorded)
  return { expiresAt }
}

/** Forgets questions that nobody answered in time: a chore. */
export function sweepSso(tx: Tx): Promise<void> {
  return store.deleteOldQuestions(tx)
}

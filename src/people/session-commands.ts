import { createHash, createHmac } from 'node:crypto'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { cookieOf, ofThisHost, setCookie } from '../http/cookie.ts'
import { crossSiteFault } from '../http/web-origin.ts'
import { type Id, makeId, parseId, toBucket } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { cookieNameOf, deviceOf, type SessionKind, type SessionProof, type WebSession } from './session.ts'
import * as store from './session-store.ts'

/** Where a web app of this party lives: the party's id, and the origins from which its pages call (`webOriginsOf`). */
export type WebNeeds = { readonly party: string; readonly origins: readonly string[] }

const VALUE_BYTES = 32
const SESSION_MS: Readonly<Record<SessionKind, number>> = {
  patient: LIMITS.patientWebSessionMs,
  staff: LIMITS.staffWebSessionMs,
}
const IDLE_MS: Readonly<Record<SessionKind, number>> = {
  patient: LIMITS.patientWebSessionIdleMs,
  staff: LIMITS.staffWebSessionIdleMs,
}

const digestOf = (value: string): Uint8Array => createHash('sha256').update(value).digest()
const seenAfter = (tx: Tx, kind: SessionKind): Date => new Date(tx.now.getTime() - IDLE_MS[kind])

/** What a page of ours sends as X-CSRF: made from the cookie's value, which no script can read, so only we can make it. */
function csrfOf(value: string): string {
  return createHmac('sha256', value).update('amanat x-csrf').digest('base64url')
}

export type OpenedSession = {
  readonly id: Id<'web-session'>
  /** The `Set-Cookie` header. */
  readonly cookie: string
  readonly csrf: string
  readonly expiresAt: Date
}

/** Opens a session for a person who has proved who they are; `recorded` is the event that says so. */
export async function openSession(
  tx: Tx,
  web: WebNeeds,
  recorded: Recorded<AuditEvent>,
  input: {
    readonly kind: SessionKind
    readonly person: string
    readonly how: SessionProof
    readonly userAgent: string | undefined
  },
): Promise<OpenedSession> {
  const { kind, person, how } = input
  const value = Buffer.from(tx.random(VALUE_BYTES)).toString('base64url')
  const id = makeId<'web-session'>(tx.now, tx.random, toBucket(0))
  const expiresAt = new Date(tx.now.getTime() + SESSION_MS[kind])
  const session = {
    id,
    kind,
    person,
    how,
    device: deviceOf(input.userAgent),
    openedAt: tx.now,
    seenAt: tx.now,
    expiresAt,
  }
  await store.insertSession(tx, recorded, session, digestOf(value))
  const options = { lifeMs: SESSION_MS[kind], isSecure: isSecure(web) }
  return { id, cookie: setCookie(nameOfCookie(web, kind), value, options), csrf: csrfOf(value), expiresAt }
}

/** The `Set-Cookie` that takes the cookie out of the browser. */
export function clearedCookie(web: WebNeeds, kind: SessionKind): string {
  return setCookie(nameOfCookie(web, kind), '', { lifeMs: 0, isSecure: isSecure(web) })
}

function nameOfCookie(web: WebNeeds, kind: SessionKind): string {
  return ofThisHost(cookieNameOf(kind, web.party), isSecure(web))
}

function isSecure({ origins }: WebNeeds): boolean {
  return origins.every((origin) => origin.startsWith('https:'))
}

export type ReadSession = WebSession & { readonly csrf: string }
type WebCall = {
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Of a route with live updates: a page that lies open is not a person who uses it. */
  readonly live?: unknown
}

/**
 * The session whose cookie came with a call, undefined when none did. `auth/no-session` when it is unknown, ended, expired or was long
 * not used; `auth/cross-site` when the call changes something and does not come from a page of ours.
 */
export async function readSession(
  tx: Tx,
  web: WebNeeds,
  kind: SessionKind,
  call: WebCall,
): Promise<ReadSession | Refusal | undefined> {
  const value = cookieOf(call.headers['cookie'], nameOfCookie(web, kind))
  if (value === undefined) return undefined
  const digest = digestOf(value)
  const session = await store.findSession(tx, kind, digest, seenAfter(tx, kind))
  if (session === undefined) return refuse('auth/no-session')
  const csrf = csrfOf(value)
  const fault = crossSiteFault(call, { origins: web.origins, csrf })
  if (fault) return fault
  if (call.live === undefined)
    await store.updateSeen(tx, session, digest, new Date(tx.now.getTime() - LIMITS.webSessionSeenEveryMs))
  return { ...session, csrf }
}

/** Whether a session still lives: what stays open for long asks now and then. */
export async function isSessionLive(tx: Tx, kind: SessionKind, id: Id<'web-session'>): Promise<boolean> {
  return (await store.findSessionById(tx, kind, id, seenAfter(tx, kind))) !== undefined
}

/** The live sessions of a person, last used first. */
export async function listSessions(tx: Tx, kind: SessionKind, person: string): Promise<readonly WebSession[]> {
  return store.findSessionsOf(tx, kind, person, seenAfter(tx, kind))
}

/** A session as its person reads it. */
export type SessionLine = Pick<WebSession, 'id' | 'how' | 'device' | 'openedAt' | 'seenAt' | 'expiresAt'> & {
  /** The one in which she reads it. */
  readonly isThis: boolean
}

/** {@link listSessions} for the person herself, who reads it in one of them. */
export async function sessionLines(
  tx: Tx,
  kind: SessionKind,
  person: string,
  current: Id<'web-session'> | undefined,
): Promise<readonly SessionLine[]> {
  const sessions = await listSessions(tx, kind, person)
  return sessions.map(({ id, how, device, openedAt, seenAt, expiresAt }) => ({
    id,
    how,
    device,
    openedAt,
    seenAt,
    expiresAt,
    isThis: id === current,
  }))
}

/** The live session of this id if it is this person's: those of others answer as if they did not exist. */
export async function sessionOfPerson(
  tx: Tx,
  kind: SessionKind,
  person: string,
  id: string,
): Promise<WebSession | Refusal> {
  const parsed = parseId<'web-session'>(id)
  const session = parsed && (await store.findSessionById(tx, kind, parsed, seenAfter(tx, kind)))
  return session === undefined || session.person !== person ? refuse('request/not-found') : session
}

/** Ends one session; `recorded` says who did it. */
export async function endSession(tx: Tx, recorded: Recorded<AuditEvent>, id: Id<'web-session'>): Promise<void> {
  await store.updateEnded(tx, recorded, id)
}

/** Ends every session of a person, but the one that `except` names: after a lost phone, a suspension, a changed password. */
export async function endSessionsOf(
  tx: Tx,
  recorded: Recorded<AuditEvent>,
  of: { readonly kind: SessionKind; readonly person: string; readonly except?: Id<'web-session'> },
): Promise<void> {
  await store.updateAllEnded(tx, recorded, of)
}

/** Drops sessions that are over for a day: a chore. */
export async function sweepSessions(tx: Tx): Promise<void> {
  await store.deleteSessionsBefore(tx, new Date(tx.now.getTime() - LIMITS.webSessionKeptMs))
}

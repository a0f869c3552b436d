import type { AuditEvent, Recorded } from '../audit/record.ts'
import { asWritten, eachAsWritten } from '../audit/watch/tampered.ts'
import { tiedColumns, UNTIED, withTie } from '../db/tie.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import type { SessionKind, SessionProof, WebSession } from './session.ts'

type Row = {
  readonly id: string
  readonly kind: string
  readonly person: string
  readonly how: string
  readonly device: string
  readonly opened_at: Date
  readonly seen_at: Date
  readonly expires_at: Date
}

const COLUMNS = tiedColumns('web_session')

/** What a tie of a session is made of. */
function rowOf(session: WebSession, digest: Uint8Array) {
  return {
    digest: Buffer.from(digest),
    id: session.id,
    kind: session.kind,
    person: session.person,
    how: session.how,
    device: session.device,
    opened_at: session.openedAt,
    seen_at: session.seenAt,
    expires_at: session.expiresAt,
  }
}

function sessionOf(row: Row): WebSession {
  return {
    id: row.id as WebSession['id'],
    kind: row.kind as SessionKind,
    person: row.person,
    how: row.how as SessionProof,
    device: row.device,
    openedAt: row.opened_at,
    seenAt: row.seen_at,
    expiresAt: row.expires_at,
  }
}

export async function insertSession(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  session: WebSession,
  digest: Uint8Array,
): Promise<void> {
  await tx.db
    .insertInto('web_session')
    .values(withTie('web_session', rowOf(session, digest)))
    .execute()
}

/** Sessions that were seen after `seenAfter` and are neither ended nor expired. */
const live = (tx: Tx, kind: SessionKind, seenAfter: Date) =>
  tx.db
    .selectFrom('web_session')
    .select(COLUMNS)
    .where('kind', '=', kind)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', tx.now)
    .where('seen_at', '>', seenAfter)

export async function findSession(
  tx: Tx,
  kind: SessionKind,
  digest: Uint8Array,
  seenAfter: Date,
): Promise<WebSession | undefined> {
  const found = await live(tx, kind, seenAfter).where('digest', '=', Buffer.from(digest)).executeTakeFirst()
  const row = await asWritten(tx, 'web_session', found)
  return row === undefined ? undefined : sessionOf(row)
}

export async function findSessionById(
  tx: Tx,
  kind: SessionKind,
  id: Id<'web-session'>,
  seenAfter: Date,
): Promise<WebSession | undefined> {
  const found = await live(tx, kind, seenAfter).where('id', '=', id).executeTakeFirst()
  const row = await asWritten(tx, 'web_session', found)
  return row === undefined ? undefined : sessionOf(row)
}

export async function findSessionsOf(
  tx: Tx,
  kind: SessionKind,
  person: string,
  seenAfter: Date,
): Promise<readonly WebSession[]> {
  const rows = await live(tx, kind, seenAfter).where('person', '=', person).orderBy('seen_at', 'desc').execute()
  return (await eachAsWritten(tx, 'web_session', rows)).map(sessionOf)
}

/** Written at most once in a while, so that reading does not write each time. Not a change anybody decided: it is not recorded. */
export async function updateSeen(tx: Tx, session: WebSession, digest: Uint8Array, before: Date): Promise<void> {
  if (session.seenAt >= before) return
  const { seen_at, tie } = withTie('web_session', rowOf({ ...session, seenAt: tx.now }, digest))
  await tx.db
    .updateTable('web_session')
    .set({ seen_at, tie })
    .where('digest', '=', Buffer.from(digest))
    .where('seen_at', '<', before)
    // One that was ended meanwhile stays without a tie.
    .where('ended_at', 'is', null)
    .execute()
}

export async function updateEnded(tx: Tx, _recorded: Recorded<AuditEvent>, id: Id<'web-session'>): Promise<void> {
  const updated = await tx.db
    .updateTable('web_session')
    .set({ ended_at: tx.now, tie: UNTIED })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  insistOnOne(updated, 'web_session')
}

/** Ends every session of a person, but the one named. */
export async function updateAllEnded(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  of: { readonly kind: SessionKind; readonly person: string; readonly except?: Id<'web-session'> },
): Promise<void> {
  let query = tx.db
    .updateTable('web_session')
    .set({ ended_at: tx.now, tie: UNTIED })
    .where('kind', '=', of.kind)
    .where('person', '=', of.person)
    .where('ended_at', 'is', null)
  if (of.except !== undefined) query = query.where('id', '<>', of.except)
  await query.execute()
}

export async function deleteSessionsBefore(tx: Tx, before: Date): Promise<void> {
  await tx.db.deleteFrom('web_session').where('expires_at', '<', before).execute()
}

import type { AuditEvent, Recorded } from '../audit/record.ts'
import { asWritten } from '../audit/watch/tampered.ts'
import { tiedColumns, withTie } from '../db/tie.ts'
import { StaleRow, type Tx } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import type { SsoIdentity, SsoLink, SsoLogout, SsoSession } from './sso.ts'
import type { StaffEvent } from './staff.ts'

type Named = Pick<SsoIdentity, 'issuer' | 'subject'>
/** A single sign-on under way. */
export type SsoQuestion = { readonly origin: string; readonly session: Id<'web-session'> | undefined }

/** Asking changes nothing of anybody's; what the answer does is recorded. */
export async function insertQuestion(
  tx: Tx,
  question: SsoQuestion & { readonly digest: Uint8Array; readonly expiresAt: Date },
): Promise<void> {
  const { digest, origin, session, expiresAt } = question
  await tx.db
    .insertInto('sso_sign_in')
    .values(
      withTie('sso_sign_in', {
        digest: Buffer.from(digest),
        origin,
        session: session ?? null,
        expires_at: expiresAt,
      }),
    )
    .execute()
}

/** Takes a question away: of two answers to it only one is looked at. Undefined when there is none, or it is too old. */
export async function takeQuestion(tx: Tx, digest: Uint8Array): Promise<SsoQuestion | undefined> {
  const taken = await tx.db
    .deleteFrom('sso_sign_in')
    .where('digest', '=', Buffer.from(digest))
    .returningAll()
    .executeTakeFirst()
  const row = await asWritten(tx, 'sso_sign_in', taken)
  if (row === undefined || row.expires_at <= tx.now) return undefined
  return { origin: row.origin, session: (row.session ?? undefined) as SsoQuestion['session'] }
}

export async function deleteOldQuestions(tx: Tx): Promise<void> {
  await tx.db.deleteFrom('sso_sign_in').where('expires_at', '<', tx.now).execute()
  await tx.db.deleteFrom('staff_sso_permit').where('expires_at', '<', tx.now).execute()
  await tx.db.deleteFrom('sso_logout').where('expires_at', '<', tx.now).execute()
}

/** Remembers with which sign-in at the provider a session began. */
export async function insertSsoSession(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  session: Id<'web-session'>,
  { issuer, subject, sid }: SsoSession,
): Promise<void> {
  await tx.db
    .insertInto('sso_session')
    .values({ session, issuer, subject, sid: sid ?? null })
    .execute()
}

/**
 * Sessions here that began with the sign-ins that a logout names and are not over; locked until the transaction ends. Where the provider
 * did not say its session when one began, the person alone decides.
 */
export async function findSsoSessions(
  tx: Tx,
  { issuer, subject, sid }: Pick<SsoLogout, 'issuer' | 'subject' | 'sid'>,
): Promise<readonly { readonly session: Id<'web-session'>; readonly staff: Id<'staff'> }[]> {
  let query = tx.db
    .selectFrom('sso_session')
    .innerJoin('web_session', 'web_session.id', 'sso_session.session')
    .select(['web_session.id', 'web_session.person'])
    .where('sso_session.issuer', '=', issuer)
    .where('web_session.ended_at', 'is', null)
    .where('web_session.expires_at', '>', tx.now)
    .forUpdate('web_session')
  if (subject !== undefined) query = query.where('sso_session.subject', '=', subject)
  if (sid !== undefined)
    query = query.where((e) =>
      subject === undefined
        ? e('sso_session.sid', '=', sid)
        : e.or([e('sso_session.sid', '=', sid), e('sso_session.sid', 'is', null)]),
    )
  const rows = await query.execute()
  return rows.map(({ id, person }) => ({ session: id as Id<'web-session'>, staff: person as Id<'staff'> }))
}

/** Takes a logout token as used; false when it was before. */
export async function useLogoutToken(tx: Tx, digest: Uint8Array, expiresAt: Date): Promise<boolean> {
  const inserted = await tx.db
    .insertInto('sso_logout')
    .values({ digest: Buffer.from(digest), expires_at: expiresAt })
    .onConflict((c) => c.column('digest').doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

export async function findStaffOfIdentity(tx: Tx, { issuer, subject }: Named): Promise<Id<'staff'> | undefined> {
  const found = await tx.db
    .selectFrom('staff_identity')
    .select(tiedColumns('staff_identity'))
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst()
  const row = await asWritten(tx, 'staff_identity', found)
  return row?.staff as Id<'staff'> | undefined
}

export async function findLink(tx: Tx, issuer: string, staff: Id<'staff'>): Promise<SsoLink | undefined> {
  const row = await tx.db
    .selectFrom('staff_identity')
    .select(['linked_at', 'used_at'])
    .where('staff', '=', staff)
    .where('issuer', '=', issuer)
    .executeTakeFirst()
  return row === undefined ? undefined : { staff, linkedAt: row.linked_at, usedAt: row.used_at ?? undefined }
}

/** @throws StaleRow when the identity, or the person, was linked meanwhile */
export async function insertIdentity(
  tx: Tx,
  _recorded: Recorded<StaffEvent>,
  { issuer, subject }: Named,
  staff: Id<'staff'>,
): Promise<void> {
  const inserted = await tx.db
    .insertInto('staff_identity')
    .values(withTie('staff_identity', { issuer, subject, staff, linked_at: tx.now }))
    .onConflict((c) => c.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows !== 1n) throw new StaleRow('identity of staff linked meanwhile')
}

/** Like the reading of a clock: not recorded, the sign-in is. */
export async function updateIdentityUsed(tx: Tx, { issuer, subject }: Named): Promise<void> {
  await tx.db
    .updateTable('staff_identity')
    .set({ used_at: tx.now })
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .execute()
}

export async function deleteIdentitiesOf(tx: Tx, _recorded: Recorded<StaffEvent>, staff: Id<'staff'>): Promise<void> {
  await tx.db.deleteFrom('staff_identity').where('staff', '=', staff).execute()
  await tx.db.deleteFrom('staff_sso_permit').where('staff', '=', staff).execute()
}

export async function savePermit(
  tx: Tx,
  _recorded: Recorded<StaffEvent>,
  staff: Id<'staff'>,
  expiresAt: Date,
): Promise<void> {
  const permit = withTie('staff_sso_permit', { staff, expires_at: expiresAt })
  const { expires_at, tie } = permit
  await tx.db
    .insertInto('staff_sso_permit')
    .values(permit)
    .onConflict((c) => c.column('staff').doUpdateSet({ expires_at, tie }))
    .execute()
}

/** Whether a permit of this person can still be used. */
export async function hasPermit(tx: Tx, staff: Id<'staff'>): Promise<boolean> {
  const found = await tx.db
    .selectFrom('staff_sso_permit')
    .select('staff')
    .where('staff', '=', staff)
    .where('expires_at', '>', tx.now)
    .executeTakeFirst()
  return found !== undefined
}

/** Takes the permit of a person away: it is good for one linking. */
export async function takePermit(tx: Tx, staff: Id<'staff'>): Promise<boolean> {
  const taken = await tx.db
    .deleteFrom('staff_sso_permit')
    .where('staff', '=', staff)
    .where('expires_at', '>', tx.now)
    .returningAll()
    .executeTakeFirst()
  return (await asWritten(tx, 'staff_sso_permit', taken)) !== undefined
}

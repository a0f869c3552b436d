import type { Recorded } from '../audit/record.ts'
import { asWritten } from '../audit/watch/tampered.ts'
import { tiedColumns, UNTIED, withTie } from '../db/tie.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import type { SealedSecret } from './sealed-secret.ts'
import type { SsoLogout, SsoSession } from './sso.ts'
import type { StaffEvent } from './staff.ts'
import { secretOf } from './staff-store.ts'

export type Invitation = {
  readonly staff: Id<'staff'>
  readonly status: 'open' | 'used' | 'replaced'
  readonly expiresAt: Date
  readonly codeSecret: SealedSecret | undefined
}

/** A new invitation replaces the open ones of the same person. */
export async function insertInvitation(
  tx: Tx,
  _recorded: Recorded<StaffEvent>,
  invitation: { readonly digest: Uint8Array; readonly staff: Id<'staff'>; readonly expiresAt: Date },
): Promise<void> {
  await tx.db
    .updateTable('staff_invitation')
    .set({ status: 'replaced', tie: UNTIED })
    .where('staff', '=', invitation.staff)
    .where('status', '=', 'open')
    .execute()
  await tx.db
    .insertInto('staff_invitation')
    .values(
      withTie('staff_invitation', {
        digest: Buffer.from(invitation.digest),
        staff: invitation.staff,
        status: 'open',
        made_at: tx.now,
        expires_at: invitation.expiresAt,
      }),
    )
    .execute()
}

/** Locked until the transaction ends: an invitation is good once. */
export async function findInvitation(tx: Tx, digest: Uint8Array): Promise<Invitation | undefined> {
  const found = await tx.db
    .selectFrom('staff_invitation')
    .select([...tiedColumns('staff_invitation'), 'code_key', 'sealed_code_secret'])
    .where('digest', '=', Buffer.from(digest))
    .forUpdate()
    .executeTakeFirst()
  // One that is over has no tie any more, and lets nobody in.
  const row = found?.status === 'open' ? await asWritten(tx, 'staff_invitation', found) : found
  if (row === undefined) return undefined
  return {
    staff: row.staff as Id<'staff'>,
    status: row.status as Invitation['status'],
    expiresAt: row.expires_at,
    codeSecret: secretOf(row),
  }
}

/** Keeps the secret that is shown now, until a first code confirms it. Changes nothing about the account: it is not recorded. */
export async function updateInvitationSecret(tx: Tx, digest: Uint8Array, secret: SealedSecret): Promise<void> {
  const updated = await tx.db
    .updateTable('staff_invitation')
    .set({ code_key: Buffer.from(secret.key), sealed_code_secret: Buffer.from(secret.sealed) })
    .where('digest', '=', Buffer.from(digest))
    .where('status', '=', 'open')
    .executeTakeFirst()
  insistOnOne(updated, 'secret of an invitation')
}

/** The invitation has done its work; the secret lives on in the account alone. */
export async function updateInvitationUsed(tx: Tx, _recorded: Recorded<StaffEvent>, digest: Uint8Array): Promise<void> {
  const updated = await tx.db
    .updateTable('staff_invitation')
    .set({ status: 'used', code_key: null, sealed_code_secret: null, tie: UNTIED })
    .where('digest', '=', Buffer.from(digest))
    .where('status', '=', 'open')
    .executeTakeFirst()
  insistOnOne(updated, 'invitation')
}

/** A sign-in whose first step was proved, and by what. */
export type SignInBegun = {
  readonly staff: Id<'staff'>
  readonly wrongTries: number
  readonly provedBy: 'password' | 'sso'
  /** Of a single sign-on. */
  readonly sso?: SsoSession
}

export async function insertSignIn(
  tx: Tx,
  ticket: {
    readonly digest: Uint8Array
    readonly staff: Id<'staff'>
    readonly provedBy: SignInBegun['provedBy']
    readonly sso: SsoSession | undefined
    readonly expiresAt: Date
  },
): Promise<void> {
  await tx.db
    .insertInto('staff_sign_in')
    .values(
      withTie('staff_sign_in', {
        digest: Buffer.from(ticket.digest),
        staff: ticket.staff,
        proved_by: ticket.provedBy,
        sso_issuer: ticket.sso?.issuer ?? null,
        sso_subject: ticket.sso?.subject ?? null,
        sso_sid: ticket.sso?.sid ?? null,
        wrong_tries: 0,
        expires_at: ticket.expiresAt,
      }),
    )
    .execute()
}

/** Locked until the transaction ends. Undefined when unknown or too old. */
export async function findSignIn(tx: Tx, digest: Uint8Array): Promise<SignInBegun | undefined> {
  const found = await tx.db
    .selectFrom('staff_sign_in')
    .select([...tiedColumns('staff_sign_in'), 'wrong_tries'])
    .where('digest', '=', Buffer.from(digest))
    .where('expires_at', '>', tx.now)
    .forUpdate()
    .executeTakeFirst()
  const row = await asWritten(tx, 'staff_sign_in', found)
  if (row === undefined) return undefined
  const { staff, wrong_tries: wrongTries, proved_by: provedBy } = row
  const { sso_issuer: issuer, sso_subject: subject, sso_sid: sid } = row
  const sso = issuer === null || subject === null ? {} : { sso: { issuer, subject, sid: sid ?? undefined } }
  return { staff: staff as Id<'staff'>, wrongTries, provedBy: provedBy as SignInBegun['provedBy'], ...sso }
}

export async function updateSignInTries(tx: Tx, digest: Uint8Array, wrongTries: number): Promise<void> {
  await tx.db
    .updateTable('staff_sign_in')
    .set({ wrong_tries: wrongTries })
    .where('digest', '=', Buffer.from(digest))
    .execute()
}

export async function deleteSignIn(tx: Tx, digest: Uint8Array): Promise<void> {
  await tx.db.deleteFrom('staff_sign_in').where('digest', '=', Buffer.from(digest)).execute()
}

/** The provider signed them out while our own second factor was awaited. */
export async function deleteSignInsOfSso(
  tx: Tx,
  { issuer, subject, sid }: Pick<SsoLogout, 'issuer' | 'subject' | 'sid'>,
): Promise<void> {
  let query = tx.db.deleteFrom('staff_sign_in').where('sso_issuer', '=', issuer)
  if (subject !== undefined) query = query.where('sso_subject', '=', subject)
  if (sid !== undefined)
    query = query.where((e) =>
      subject === undefined ? e('sso_sid', '=', sid) : e.or([e('sso_sid', '=', sid), e('sso_sid', 'is', null)]),
    )
  await query.execute()
}

export async function deleteSignInsOf(tx: Tx, staff: Id<'staff'>): Promise<void> {
  await tx.db.deleteFrom('staff_sign_in').where('staff', '=', staff).execute()
}

export async function deleteOldSignIns(tx: Tx): Promise<void> {
  await tx.db.deleteFrom('staff_sign_in').where('expires_at', '<', tx.now).execute()
}

export async function deleteInvitationsBefore(tx: Tx, before: Date): Promise<void> {
  await tx.db.deleteFrom('staff_invitation').where('expires_at', '<', before).execute()
}

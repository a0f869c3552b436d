import { sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { SIGN_IN_MOVES, type SignInCode, type SignInStatus } from './sign-in.ts'

/** Lets one caller at a time count and ask for codes of an address: the limits hold for calls at the same moment too. */
export async function lockAddress(tx: Tx, abhaAddress: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`sign-in ${abhaAddress}`}, 0))`.execute(tx.db)
}

export type Asked = { readonly lastMinute: number; readonly lastHour: number; readonly ofAll: number }

/** How many codes were asked for: for this address, and by everybody in the last minute. */
export async function countAsked(tx: Tx, abhaAddress: string): Promise<Asked> {
  const [minute, hour] = [new Date(tx.now.getTime() - 60_000), new Date(tx.now.getTime() - 3_600_000)]
  const { rows } = await sql<{ minute: number; hour: number; all: number }>`
    select count(*) filter (where asked_at > ${minute})::int as minute, count(*)::int as hour,
      (select count(*)::int from sign_in_code where asked_at > ${minute}) as all
    from sign_in_code where abha_address = ${abhaAddress} and asked_at > ${hour}`.execute(tx.db)
  return { lastMinute: rows[0]?.minute ?? 0, lastHour: rows[0]?.hour ?? 0, ofAll: rows[0]?.all ?? 0 }
}

/** Asking changes nothing of anybody's; the sending is recorded. */
export async function insertSignIn(tx: Tx, code: Omit<SignInCode, 'status' | 'wrongTries'>): Promise<void> {
  await tx.db
    .insertInto('sign_in_code')
    .values({
      id: code.id,
      abha_address: code.abhaAddress,
      code_hash: Buffer.from(code.codeHash),
      status: 'waiting',
      wrong_tries: 0,
      asked_at: tx.now,
      expires_at: code.expiresAt,
    })
    .execute()
}

export async function lockSignIn(tx: Tx, id: Id<'sign-in'>): Promise<SignInCode | undefined> {
  const row = await tx.db.selectFrom('sign_in_code').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
  if (row === undefined) return undefined
  return {
    id,
    abhaAddress: row.abha_address,
    codeHash: row.code_hash,
    status: row.status as SignInStatus,
    wrongTries: row.wrong_tries,
    expiresAt: row.expires_at,
  }
}

export async function updateCodeHash(tx: Tx, id: Id<'sign-in'>, codeHash: Uint8Array): Promise<void> {
  await tx.db
    .updateTable('sign_in_code')
    .set({ code_hash: Buffer.from(codeHash) })
    .where('id', '=', id)
    .execute()
}

export async function moveSignIn(
  tx: Tx,
  { id, status: from }: Pick<SignInCode, 'id' | 'status'>,
  to: { readonly status: SignInStatus; readonly wrongTries: number },
): Promise<void> {
  insistOnMove(SIGN_IN_MOVES, from, to.status, 'code to sign in')
  const updated = await tx.db
    .updateTable('sign_in_code')
    .set({ status: to.status, wrong_tries: to.wrongTries })
    .where('id', '=', id)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(updated, 'sign_in_code')
}

export async function deleteSignInsBefore(tx: Tx, before: Date): Promise<void> {
  await tx.db.deleteFrom('sign_in_code').where('asked_at', '<', before).execute()
}

/** Codes that were sent to an address are worth nothing any more; `recorded` says why. */
export async function deleteSignInsOf(tx: Tx, _recorded: Recorded<AuditEvent>, abhaAddress: string): Promise<void> {
  await tx.db.deleteFrom('sign_in_code').where('abha_address', '=', abhaAddress).execute()
}

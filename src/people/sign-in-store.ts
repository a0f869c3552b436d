import { sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { asWritten } from '../audit/watch/tampered.ts'
import { withTie } from '../db/tie.ts'
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

const rowOf = (code: SignInCode) =>
  withTie('sign_in_code', {
    id: code.id,
    abha_address: code.abhaAddress,
    code_hash: Buffer.from(code.codeHash),
    status: code.status,
    wrong_tries: code.wrongTries,
    asked_at: code.askedAt,
    expires_at: code.expiresAt,
  })

/** Asking changes nothing of anybody's; the sending is recorded. */
export async function insertSignIn(tx: Tx, code: Omit<SignInCode, 'status' | 'wrongTries' | 'askedAt'>): Promise<void> {
  await tx.db
    .insertInto('sign_in_code')
    .values(rowOf({ ...code, status: 'waiting', wrongTries: 0, askedAt: tx.now }))
    .execute()
}

export async function lockSignIn(tx: Tx, id: Id<'sign-in'>): Promise<SignInCode | undefined> {
  const found = await tx.db.selectFrom('sign_in_code').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
  const row = await asWritten(tx, 'sign_in_code', found)
  if (row === undefined) return undefined
  return {
    id,
    abhaAddress: row.abha_address,
    codeHash: row.code_hash,
    status: row.status as SignInStatus,
    wrongTries: row.wrong_tries,
    askedAt: row.asked_at,
    expiresAt: row.expires_at,
  }
}

export async function updateCodeHash(tx: Tx, code: SignInCode, codeHash: Uint8Array): Promise<void> {
  const { code_hash, tie } = rowOf({ ...code, codeHash })
  await tx.db.updateTable('sign_in_code').set({ code_hash, tie }).where('id', '=', code.id).execute()
}

export async function moveSignIn(
  tx: Tx,
  code: SignInCode,
  to: { readonly status: SignInStatus; readonly wrongTries: number },
): Promise<void> {
  insistOnMove(SIGN_IN_MOVES, code.status, to.status, 'code to sign in')
  const { status, wrong_tries, tie } = rowOf({ ...code, ...to })
  const updated = await tx.db
    .updateTable('sign_in_code')
    .set({ status, wrong_tries, tie })
    .where('id', '=', code.id)
    .where('status', '=', code.status)
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

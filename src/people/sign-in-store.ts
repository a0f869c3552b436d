import { sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { asWritten } from '../audit/watch/tampered.ts'
import { withTie } from '../db/tie.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { SIGN_IN_MOVES, type SignInCode, type SignInStatus } from './sign-in.ts'

const HOUR_MS = 3_600_000

/** Lets one caller at a time count and ask for codes of an address: the limits hold for calls at the same moment too. */
export async function lockAddress(tx: Tx, abhaAddress: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`sign-in ${abhaAddress}`}, 0))`.execute(tx.db)
}

/** Of codes that nobody used: a right one shows that it was she who asked. */
export type Asked = {
  readonly hereLastMinute: number
  readonly hereLastHour: number
  readonly lastHour: number
  readonly ofAll: number
}

/** How many codes were asked for: for this address from this source and from all, and by everybody in the last minute. */
export async function countAsked(tx: Tx, abhaAddress: string, source: Uint8Array): Promise<Asked> {
  const [minute, hour] = [new Date(tx.now.getTime() - 60_000), new Date(tx.now.getTime() - HOUR_MS)]
  const from = Buffer.from(source)
  const { rows } = await sql<Asked>`
    select count(*) filter (where asked_at > ${minute} and source = ${from})::int as "hereLastMinute",
      count(*) filter (where source = ${from})::int as "hereLastHour", count(*)::int as "lastHour",
      (select count(*)::int from sign_in_code where asked_at > ${minute}) as "ofAll"
    from sign_in_code where abha_address = ${abhaAddress} and asked_at > ${hour} and status <> 'used'`.execute(tx.db)
  return rows[0] ?? { hereLastMinute: 0, hereLastHour: 0, lastHour: 0, ofAll: 0 }
}

/** Wrong tries in the last hour, over all codes of the address of this one: from its source, and in all. */
export async function countTries(tx: Tx, code: SignInCode): Promise<{ readonly here: number; readonly all: number }> {
  const hour = new Date(tx.now.getTime() - HOUR_MS)
  const from = Buffer.from(code.source)
  const { rows } = await sql<{ here: number; all: number }>`
    select coalesce(sum(wrong_tries) filter (where source = ${from}), 0)::int as here, coalesce(sum(wrong_tries), 0)::int as all
    from sign_in_code where abha_address = ${code.abhaAddress} and asked_at > ${hour}`.execute(tx.db)
  return rows[0] ?? { here: 0, all: 0 }
}

/** Ids of the sign-ins of an address in the last hour that had a text message of their own and were not used, newest first. */
export async function textedInLastHour(tx: Tx, abhaAddress: string): Promise<readonly Id<'sign-in'>[]> {
  const hour = new Date(tx.now.getTime() - HOUR_MS)
  const { rows } = await sql<{ id: Id<'sign-in'> }>`
    select id from sign_in_code where abha_address = ${abhaAddress} and asked_at > ${hour} and carried_by = id and status <> 'used'
    order by asked_at desc, id desc`.execute(tx.db)
  return rows.map(({ id }) => id)
}

const rowOf = (code: SignInCode) =>
  withTie('sign_in_code', {
    id: code.id,
    abha_address: code.abhaAddress,
    source: Buffer.from(code.source),
    code_hash: Buffer.from(code.codeHash),
    carried_by: code.carriedBy ?? null,
    status: code.status,
    wrong_tries: code.wrongTries,
    asked_at: code.askedAt,
    expires_at: code.expiresAt,
  })

/** Asking changes nothing of anybody's; the sending is recorded. */
export async function insertSignIn(
  tx: Tx,
  code: Omit<SignInCode, 'status' | 'wrongTries' | 'askedAt' | 'carriedBy'>,
): Promise<void> {
  await tx.db
    .insertInto('sign_in_code')
    .values(rowOf({ ...code, status: 'waiting', wrongTries: 0, askedAt: tx.now, carriedBy: undefined }))
    .execute()
}

/** Locks the address before the row, in the order that everybody keeps who locks several rows of one. */
export async function lockSignInFirst(tx: Tx, id: Id<'sign-in'>): Promise<SignInCode | undefined> {
  const row = await tx.db.selectFrom('sign_in_code').select('abha_address').where('id', '=', id).executeTakeFirst()
  if (row === undefined) return undefined
  await lockAddress(tx, row.abha_address)
  return lockSignIn(tx, id)
}

export async function lockSignIn(tx: Tx, id: Id<'sign-in'>): Promise<SignInCode | undefined> {
  const found = await tx.db.selectFrom('sign_in_code').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
  const row = await asWritten(tx, 'sign_in_code', found)
  if (row === undefined) return undefined
  return {
    id,
    abhaAddress: row.abha_address,
    source: row.source,
    codeHash: row.code_hash,
    carriedBy: row.carried_by === null ? undefined : (row.carried_by as Id<'sign-in'>),
    status: row.status as SignInStatus,
    wrongTries: row.wrong_tries,
    askedAt: row.asked_at,
    expiresAt: row.expires_at,
  }
}

/** What the phone has: the code of `carriedBy`, or no code where `codeHash` is none's. */
export async function updateCode(
  tx: Tx,
  code: SignInCode,
  carried: Pick<SignInCode, 'codeHash'> & { readonly carriedBy: Id<'sign-in'> },
): Promise<void> {
  const { code_hash, carried_by, tie } = rowOf({ ...code, ...carried })
  await tx.db.updateTable('sign_in_code').set({ code_hash, carried_by, tie }).where('id', '=', code.id).execute()
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

import type { Recorded } from '../audit/record.ts'
import { asWritten, eachAsWritten } from '../audit/watch/tampered.ts'
import { tiedColumns, withTie } from '../db/tie.ts'
import { insistOnOne, StaleRow, type Tx } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import type { SealedSecret } from './sealed-secret.ts'
import { STAFF_MOVES, type StaffEvent, type StaffMember, type StaffStatus } from './staff.ts'

/** What proves who somebody of the staff is. */
export type StaffProofs = {
  readonly passwordHash: string | undefined
  readonly codeSecret: SealedSecret | undefined
  /** The newest step whose code was used. */
  readonly codeStepUsed: number
}
export type StaffAccount = StaffMember & StaffProofs

type Row = {
  readonly id: string
  readonly login: string
  readonly name: string
  readonly role: string
  readonly registration: string | null
  readonly status: string
  readonly password_hash: string | null
  readonly code_key: Buffer | null
  readonly sealed_code_secret: Buffer | null
  readonly code_step_used: number
  readonly added_at: Date
  readonly tie: string
}

const COLUMNS = [...tiedColumns('staff'), 'code_key', 'code_step_used'] as const

export function secretOf(row: Pick<Row, 'code_key' | 'sealed_code_secret'>): SealedSecret | undefined {
  return row.code_key === null || row.sealed_code_secret === null
    ? undefined
    : { key: row.code_key, sealed: row.sealed_code_secret }
}

function accountOf(row: Row): StaffAccount {
  return {
    id: row.id as Id<'staff'>,
    login: row.login,
    name: row.name,
    role: row.role as StaffRole,
    ...(row.registration === null ? {} : { registration: row.registration }),
    status: row.status as StaffStatus,
    passwordHash: row.password_hash ?? undefined,
    codeSecret: secretOf(row),
    codeStepUsed: row.code_step_used,
  }
}

/** False when the login is taken. */
export async function insertStaff(tx: Tx, _recorded: Recorded<StaffEvent>, member: StaffMember): Promise<boolean> {
  insistOnMove(STAFF_MOVES, 'none', member.status, 'staff')
  const inserted = await tx.db
    .insertInto('staff')
    .values(
      withTie('staff', {
        id: member.id,
        login: member.login,
        name: member.name,
        role: member.role,
        registration: member.registration ?? null,
        status: member.status,
        password_hash: null,
        sealed_code_secret: null,
        code_step_used: 0,
        added_at: tx.now,
        changed_at: tx.now,
      }),
    )
    .onConflict((c) => c.column('login').doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

export async function findStaff(tx: Tx, id: Id<'staff'>): Promise<StaffAccount | undefined> {
  const row = await tx.db.selectFrom('staff').select(COLUMNS).where('id', '=', id).executeTakeFirst()
  return accountAsWritten(tx, row)
}

/** Like {@link findStaff}, and nobody else changes the row until this transaction ends. */
export async function findStaffForUpdate(tx: Tx, id: Id<'staff'>): Promise<StaffAccount | undefined> {
  return accountAsWritten(tx, await lockRow(tx, id))
}

function lockRow(tx: Tx, id: Id<'staff'>): Promise<Row | undefined> {
  return tx.db.selectFrom('staff').select(COLUMNS).where('id', '=', id).forUpdate().executeTakeFirst()
}

async function accountAsWritten(tx: Tx, row: Row | undefined): Promise<StaffAccount | undefined> {
  const written = await asWritten(tx, 'staff', row)
  return written && accountOf(written)
}

export async function findStaffByLogin(tx: Tx, login: string): Promise<StaffAccount | undefined> {
  const row = await tx.db.selectFrom('staff').select(COLUMNS).where('login', '=', login).executeTakeFirst()
  return accountAsWritten(tx, row)
}

export async function findAllStaff(tx: Tx): Promise<readonly StaffAccount[]> {
  const rows = await tx.db.selectFrom('staff').select(COLUMNS).orderBy('name').orderBy('login').execute()
  return (await eachAsWritten(tx, 'staff', rows)).map(accountOf)
}

/** Active administrators, locked: two who suspend each other at the same time do not both succeed. */
export async function lockAdministrators(tx: Tx): Promise<readonly string[]> {
  const rows = await tx.db
    .selectFrom('staff')
    .select(COLUMNS)
    .where('role', '=', 'administrator')
    .where('status', '=', 'active')
    .orderBy('id')
    .forUpdate()
    .execute()
  return (await eachAsWritten(tx, 'staff', rows)).map(({ id }) => id)
}

type Change = Partial<
  Pick<Row, 'role' | 'registration' | 'status' | 'password_hash' | 'code_key' | 'sealed_code_secret'>
>

/**
 * Changes a row that is as this program wrote it, and ties it anew.
 * @throws StaleRow when `change` answers nothing, or somebody changed the row in the database: a new tie would hide that
 */
async function changeStaff(
  tx: Tx,
  id: Id<'staff'>,
  what: string,
  change: (row: Row) => Change | undefined,
): Promise<void> {
  const row = await asWritten(tx, 'staff', await lockRow(tx, id))
  const changed = row && change(row)
  if (row === undefined || changed === undefined) throw new StaleRow(what)
  const { tie } = withTie('staff', { ...row, ...changed })
  const updated = await tx.db
    .updateTable('staff')
    .set({ ...changed, tie, changed_at: tx.now })
    .where('id', '=', id)
    .executeTakeFirst()
  insistOnOne(updated, what)
}

export async function updateStaffStatus(
  tx: Tx,
  _recorded: Recorded<StaffEvent>,
  id: Id<'staff'>,
  from: StaffStatus,
  to: StaffStatus,
): Promise<void> {
  insistOnMove(STAFF_MOVES, from, to, 'staff')
  await changeStaff(tx, id, `staff ${from} to ${to}`, (row) => (row.status === from ? { status: to } : undefined))
}

export async function updateStaffRole(
  tx: Tx,
  _recorded: Recorded<StaffEvent>,
  id: Id<'staff'>,
  change: { readonly from: StaffRole; readonly to: StaffRole; readonly registration: string | undefined },
): Promise<void> {
  const to = { role: change.to, registration: change.registration ?? null }
  await changeStaff(tx, id, 'role of staff', (row) => (row.role === change.from ? to : undefined))
}

/** Sets, or takes away, what proves who a person is. */
export async function updateProofs(
  tx: Tx,
  _recorded: Recorded<StaffEvent>,
  id: Id<'staff'>,
  proofs: { readonly passwordHash?: string | undefined; readonly codeSecret?: SealedSecret | undefined },
): Promise<void> {
  const { codeSecret } = proofs
  await changeStaff(tx, id, 'proofs of staff', () => ({
    ...('passwordHash' in proofs ? { password_hash: proofs.passwordHash ?? null } : {}),
    ...('codeSecret' in proofs
      ? {
          code_key: codeSecret === undefined ? null : Buffer.from(codeSecret.key),
          sealed_code_secret: codeSecret === undefined ? null : Buffer.from(codeSecret.sealed),
        }
      : {}),
  }))
}

/** Marks the code of a step as used; false when it, or a newer one, was used meanwhile. Like the reading of a clock: not recorded. */
export async function updateCodeStep(tx: Tx, id: Id<'staff'>, step: number): Promise<boolean> {
  const updated = await tx.db
    .updateTable('staff')
    .set({ code_step_used: step })
    .where('id', '=', id)
    .where('code_step_used', '<', step)
    .executeTakeFirst()
  return updated.numUpdatedRows === 1n
}

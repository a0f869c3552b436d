import type { Recorded } from '../audit/record.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
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
}

const COLUMNS = [
  'id',
  'login',
  'name',
  'role',
  'registration',
  'status',
  'password_hash',
  'code_key',
  'sealed_code_secret',
  'code_step_used',
] as const

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
    .values({
      id: member.id,
      login: member.login,
      name: member.name,
      role: member.role,
      registration: member.registration ?? null,
      status: member.status,
      code_step_used: 0,
      added_at: tx.now,
      changed_at: tx.now,
    })
    .onConflict((c) => c.column('login').doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

export async function findStaff(tx: Tx, id: Id<'staff'>): Promise<StaffAccount | undefined> {
  const row = await tx.db.selectFrom('staff').select(COLUMNS).where('id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : accountOf(row)
}

/** Like {@link findStaff}, and nobody else changes the row until this transaction ends. */
export async function findStaffForUpdate(tx: Tx, id: Id<'staff'>): Promise<StaffAccount | undefined> {
  const row = await tx.db.selectFrom('staff').select(COLUMNS).where('id', '=', id).forUpdate().executeTakeFirst()
  return row === undefined ? undefined : accountOf(row)
}

export async function findStaffByLogin(tx: Tx, login: string): Promise<StaffAccount | undefined> {
  const row = await tx.db.selectFrom('staff').select(COLUMNS).where('login', '=', login).executeTakeFirst()
  return row === undefined ? undefined : accountOf(row)
}

export async function findAllStaff(tx: Tx): Promise<readonly StaffAccount[]> {
  const rows = await tx.db.selectFrom('staff').select(COLUMNS).orderBy('name').orderBy('login').execute()
  return rows.map(accountOf)
}

/** Active administrators, locked: two who suspend each other at the same time do not both succeed. */
export async function lockAdministrators(tx: Tx): Promise<readonly string[]> {
  const rows = await tx.db
    .selectFrom('staff')
    .select('id')
    .where('role', '=', 'administrator')
    .where('status', '=', 'active')
    .orderBy('id')
    .forUpdate()
    .execute()
  return rows.map(({ id }) => id)
}

export async function updateStaffStatus(
  tx: Tx,
  _recorded: Recorded<StaffEvent>,
  id: Id<'staff'>,
  from: StaffStatus,
  to: StaffStatus,
): Promise<void> {
  insistOnMove(STAFF_MOVES, from, to, 'staff')
  const updated = await tx.db
    .updateTable('staff')
    .set({ status: to, changed_at: tx.now })
    .where('id', '=', id)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(updated, `staff ${from} to ${to}`)
}

export async function updateStaffRole(
  tx: Tx,
  _recorded: Recorded<StaffEvent>,
  id: Id<'staff'>,
  change: { readonly from: StaffRole; readonly to: StaffRole; readonly registration: string | undefined },
): Promise<void> {
  const updated = await tx.db
    .updateTable('staff')
    .set({ role: change.to, registration: change.registration ?? null, changed_at: tx.now })
    .where('id', '=', id)
    .where('role', '=', change.from)
    .executeTakeFirst()
  insistOnOne(updated, 'role of staff')
}

/** Sets, or takes away, what proves who a person is. */
export async function updateProofs(
  tx: Tx,
  _recorded: Recorded<StaffEvent>,
  id: Id<'staff'>,
  proofs: { readonly passwordHash?: string | undefined; readonly codeSecret?: SealedSecret | undefined },
): Promise<void> {
  const { codeSecret } = proofs
  const updated = await tx.db
    .updateTable('staff')
    .set({
      ...('passwordHash' in proofs ? { password_hash: proofs.passwordHash ?? null } : {}),
      ...('codeSecret' in proofs
        ? {
            code_key: codeSecret === undefined ? null : Buffer.from(codeSecret.key),
            sealed_code_secret: codeSecret === undefined ? null : Buffer.from(codeSecret.sealed),
          }
        : {}),
      changed_at: tx.now,
    })
    .where('id', '=', id)
    .executeTakeFirst()
  insistOnOne(updated, 'proofs of staff')
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

import type { Recorded } from '../audit/record.ts'
import { asWritten } from '../audit/watch/tampered.ts'
import { UNTIED, withTie } from '../db/tie.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import type { SealedSecret } from './sealed-secret.ts'
import type { StaffEvent } from './staff.ts'
import { secretOf } from './staff-store.ts'

export type RecoveryState = {
  readonly left: number
  readonly madeAt: Date | undefined
  readonly lastUsedAt: Date | undefined
}

/** New codes take the place of all older ones. */
export async function replaceRecoveryCodes(
  tx: Tx,
  recorded: Recorded<StaffEvent>,
  staff: Id<'staff'>,
  digests: readonly Uint8Array[],
): Promise<void> {
  await deleteRecoveryCodes(tx, recorded, staff)
  const rows = digests.map((digest) =>
    withTie('staff_recovery_code', { staff, digest: Buffer.from(digest), made_at: tx.now }),
  )
  await tx.db.insertInto('staff_recovery_code').values(rows).execute()
}

export async function findRecoveryState(tx: Tx, staff: Id<'staff'>): Promise<RecoveryState> {
  const row = await tx.db
    .selectFrom('staff_recovery_code')
    .select((e) => [
      e.fn.countAll<string>().filterWhere('used_at', 'is', null).as('left'),
      e.fn.max('made_at').as('made'),
      e.fn.max('used_at').as('used'),
    ])
    .where('staff', '=', staff)
    .executeTakeFirst()
  return { left: Number(row?.left ?? 0), madeAt: row?.made ?? undefined, lastUsedAt: row?.used ?? undefined }
}

/** Locks an unused code, so that two who use it at the same moment do not both get in; false when there is none. */
export async function lockRecoveryCode(tx: Tx, staff: Id<'staff'>, digest: Uint8Array): Promise<boolean> {
  const row = await tx.db
    .selectFrom('staff_recovery_code')
    .selectAll()
    .where('staff', '=', staff)
    .where('digest', '=', Buffer.from(digest))
    .where('used_at', 'is', null)
    .forUpdate()
    .executeTakeFirst()
  return (await asWritten(tx, 'staff_recovery_code', row)) !== undefined
}

export async function updateRecoveryCodeUsed(
  tx: Tx,
  _recorded: Recorded<StaffEvent>,
  staff: Id<'staff'>,
  digest: Uint8Array,
): Promise<void> {
  const updated = await tx.db
    .updateTable('staff_recovery_code')
    .set({ used_at: tx.now, tie: UNTIED })
    .where('staff', '=', staff)
    .where('digest', '=', Buffer.from(digest))
    .where('used_at', 'is', null)
    .executeTakeFirst()
  insistOnOne(updated, 'recovery code')
}

export async function deleteRecoveryCodes(tx: Tx, _recorded: Recorded<StaffEvent>, staff: Id<'staff'>): Promise<void> {
  await tx.db.deleteFrom('staff_recovery_code').where('staff', '=', staff).execute()
}

/** Keeps the secret that is shown now, until a first code confirms it; asked again, the older one is gone. Not a change yet: not recorded. */
export async function saveCodeSetup(
  tx: Tx,
  setup: {
    readonly session: Id<'web-session'>
    readonly staff: Id<'staff'>
    readonly secret: SealedSecret
    readonly expiresAt: Date
  },
): Promise<void> {
  const values = {
    code_key: Buffer.from(setup.secret.key),
    sealed_code_secret: Buffer.from(setup.secret.sealed),
    expires_at: setup.expiresAt,
  }
  await tx.db
    .insertInto('staff_code_setup')
    .values({ session: setup.session, staff: setup.staff, ...values })
    .onConflict((c) => c.column('session').doUpdateSet(values))
    .execute()
}

export async function findCodeSetup(
  tx: Tx,
  session: Id<'web-session'>,
  staff: Id<'staff'>,
): Promise<SealedSecret | undefined> {
  const row = await tx.db
    .selectFrom('staff_code_setup')
    .select(['code_key', 'sealed_code_secret'])
    .where('session', '=', session)
    .where('staff', '=', staff)
    .where('expires_at', '>', tx.now)
    .forUpdate()
    .executeTakeFirst()
  return row === undefined ? undefined : secretOf(row)
}

export async function deleteCodeSetups(tx: Tx, staff: Id<'staff'>): Promise<void> {
  await tx.db.deleteFrom('staff_code_setup').where('staff', '=', staff).execute()
}

export async function deleteOldCodeSetups(tx: Tx): Promise<void> {
  await tx.db.deleteFrom('staff_code_setup').where('expires_at', '<', tx.now).execute()
}

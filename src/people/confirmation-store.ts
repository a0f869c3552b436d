import type { AuditEvent, Recorded } from '../audit/record.ts'
import { asWritten, eachAsWritten } from '../audit/watch/tampered.ts'
import { tiedColumns, withTie } from '../db/tie.ts'
import type { Tx } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import type { Asker, Confirmation } from './confirmation.ts'

type Row = {
  readonly staff: string
  readonly status: string
  readonly asked_by: string | null
  readonly asked_at: Date
  readonly confirmed_by: string | null
  readonly confirmed_at: Date | null
  readonly tie: string
}
const COLUMNS = tiedColumns('staff_confirmation')
/** In `asked_by`: the id of nobody stands for more than one. */
const SEVERAL = '00000000-0000-0000-0000-000000000000'

const askerOf = (id: string): Asker => (id === SEVERAL ? 'several' : (id as Id<'staff'>))

const confirmationOf = (row: Row): Confirmation => ({
  staff: row.staff as Id<'staff'>,
  status: row.status as Confirmation['status'],
  ...(row.asked_by === null ? {} : { askedBy: askerOf(row.asked_by) }),
  askedAt: row.asked_at,
  ...(row.confirmed_by === null ? {} : { confirmedBy: row.confirmed_by as Id<'staff'> }),
  ...(row.confirmed_at === null ? {} : { confirmedAt: row.confirmed_at }),
})

/** Writes how it stands from now on. */
export async function saveConfirmation(tx: Tx, _recorded: Recorded<AuditEvent>, one: Confirmation): Promise<void> {
  const { staff, ...rest } = withTie('staff_confirmation', {
    staff: one.staff,
    status: one.status,
    asked_by: one.askedBy === 'several' ? SEVERAL : (one.askedBy ?? null),
    asked_at: one.askedAt,
    confirmed_by: one.confirmedBy ?? null,
    confirmed_at: one.confirmedAt ?? null,
  })
  await tx.db
    .insertInto('staff_confirmation')
    .values({ staff, ...rest })
    .onConflict((c) => c.column('staff').doUpdateSet(rest))
    .execute()
}

/** Undefined when there is no row that this program wrote: not confirmed. */
export async function findConfirmation(tx: Tx, staff: Id<'staff'>): Promise<Confirmation | undefined> {
  const row = await tx.db.selectFrom('staff_confirmation').select(COLUMNS).where('staff', '=', staff).executeTakeFirst()
  const written = await asWritten(tx, 'staff_confirmation', row)
  return written && confirmationOf(written)
}

export async function findConfirmations(tx: Tx): Promise<readonly Confirmation[]> {
  const rows = await tx.db.selectFrom('staff_confirmation').select(COLUMNS).execute()
  return (await eachAsWritten(tx, 'staff_confirmation', rows)).map(confirmationOf)
}

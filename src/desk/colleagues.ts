import type { Tx } from '../db/tx.ts'
import type { Id } from '../kernel/id.ts'
import type { StaffRole } from '../kernel/staff-role.ts'
import { listStaff } from '../people/staff-commands.ts'
import { mayAttend } from './rules.ts'

/** Somebody of the staff, as colleagues see her. */
export type Colleague = { readonly id: Id<'staff'>; readonly name: string; readonly role: StaffRole }

/** Doctors and nurses who work here now: who may be named as attending. */
export async function attendingStaff(tx: Tx): Promise<readonly Colleague[]> {
  return (await listStaff(tx)).flatMap(({ id, name, role, status }) =>
    mayAttend(role) && status === 'active' ? [{ id, name, role }] : [],
  )
}

/** Names of everybody who works or worked here, by id: old visits keep theirs. */
export async function staffNames(tx: Tx): Promise<ReadonlyMap<string, Colleague>> {
  return new Map((await listStaff(tx)).map(({ id, name, role }) => [id, { id, name, role }]))
}

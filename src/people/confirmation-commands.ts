import { type AuditEvent, announce, type Recorded, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { Id } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import {
  type Asker,
  askerBeside,
  type Confirmation,
  type Confirmer,
  confirmationAfter,
  type MayConfirm,
  mayConfirm,
} from './confirmation.ts'
import * as store from './confirmation-store.ts'
import { hasPermit } from './sso-store.ts'
import { findAllStaff, findStaffForUpdate } from './staff-store.ts'

const personOf = (actor: Actor): Id<'staff'> | undefined =>
  actor.kind === 'facility' ? actor.person?.staff : undefined

/**
 * Somebody got an account, ways to sign in, or other work: what an administrator gave waits for a second person, what an operator of the
 * facility gave by name and proof does not. Who asked before and may still get in by it stays barred from confirming.
 */
export async function askConfirmation(
  tx: Tx,
  recorded: Recorded<AuditEvent>,
  staff: Id<'staff'>,
  actor: Actor,
): Promise<void> {
  const askedBy = await askerOf(tx, await store.findConfirmation(tx, staff), staff, actor)
  const asked = { staff, askedAt: tx.now, ...(askedBy === undefined ? {} : { askedBy }) }
  const status = confirmationAfter(actor)
  const by = status === 'confirmed' ? { confirmedAt: tx.now } : {}
  await store.saveConfirmation(tx, recorded, { ...asked, status, ...by })
}

/** Who asked now, with who asked before while that is unconfirmed, or the single sign-on that she allowed unused. */
async function askerOf(
  tx: Tx,
  before: Confirmation | undefined,
  staff: Id<'staff'>,
  actor: Actor,
): Promise<Asker | undefined> {
  const isOpen = before?.status === 'pending' || (await hasPermit(tx, staff))
  return askerBeside(isOpen ? before?.askedBy : undefined, personOf(actor))
}

/** Keeps who allows a person another way in, before it is allowed, so that she does not confirm it; it waits once that way is used. */
export async function noteWayGiven(
  tx: Tx,
  recorded: Recorded<AuditEvent>,
  staff: Id<'staff'>,
  actor: Actor,
): Promise<void> {
  const found = await store.findConfirmation(tx, staff)
  const askedBy = await askerOf(tx, found, staff, actor)
  if (found !== undefined && askedBy !== undefined) await store.saveConfirmation(tx, recorded, { ...found, askedBy })
}

/** A way in that an administrator had allowed was used for the first time: it waits for a second person. */
export async function askConfirmationAgain(tx: Tx, recorded: Recorded<AuditEvent>, staff: Id<'staff'>): Promise<void> {
  const askedBy = (await store.findConfirmation(tx, staff))?.askedBy
  const asked = { staff, status: 'pending', askedAt: tx.now } as const
  await store.saveConfirmation(tx, recorded, { ...asked, ...(askedBy === undefined ? {} : { askedBy }) })
}

/** Whether this account was confirmed. Fails closed. */
export async function isConfirmed(tx: Tx, staff: Id<'staff'>): Promise<boolean> {
  return (await store.findConfirmation(tx, staff))?.status === 'confirmed'
}

/** How it stands with everybody. */
export async function confirmations(tx: Tx): Promise<ReadonlyMap<string, Confirmation>> {
  return new Map((await store.findConfirmations(tx)).map((one) => [one.staff, one]))
}

/** Who may confirm this account now. */
export async function whoMayConfirm(tx: Tx, staff: Id<'staff'>): Promise<MayConfirm> {
  const all = await confirmations(tx)
  return mayConfirm(await confirmersAmong(tx, all), { staff, askedBy: all.get(staff)?.askedBy })
}

async function confirmersAmong(tx: Tx, all: ReadonlyMap<string, Confirmation>): Promise<readonly Confirmer[]> {
  return (await findAllStaff(tx)).map(({ id, name, role, status }) => ({
    id,
    name,
    role,
    status,
    isConfirmed: all.get(id)?.status === 'confirmed',
  }))
}

/** Whose accounts this person may confirm now. */
export async function confirmableBy(tx: Tx, caller: Id<'staff'>): Promise<ReadonlySet<string>> {
  const all = await confirmations(tx)
  const everybody = await confirmersAmong(tx, all)
  const waiting = everybody.filter(({ status, isConfirmed: has }) => status === 'active' && !has)
  return new Set(
    waiting
      .filter(({ id }) =>
        mayConfirm(everybody, { staff: id, askedBy: all.get(id)?.askedBy }).people.some((one) => one.id === caller),
      )
      .map(({ id }) => id),
  )
}

/**
 * Confirms that an account is in the hands of its person: by whom `mayConfirm` names, or by an operator. Before she has set up how she
 * signs in there is nothing to confirm: whoever opened the link later would be.
 */
export async function confirmStaff(
  tx: Tx,
  { id, actor }: { readonly id: Id<'staff'>; readonly actor: Actor },
): Promise<true | Refusal> {
  const account = await findStaffForUpdate(tx, id)
  if (account === undefined) return refuse('staff/unknown')
  if (account.status !== 'active') return refuse('staff/not-now')
  const found = await store.findConfirmation(tx, id)
  if (found?.status === 'confirmed') return true
  const caller = personOf(actor)
  if (actor.kind !== 'operator') {
    const { people } = await whoMayConfirm(tx, id)
    if (!people.some((one) => one.id === caller)) return refuse('staff/not-yours-to-confirm')
  }
  const recorded = await record(tx, { type: 'staff.confirmed', actor, subject: id })
  const asked = found ?? { staff: id, askedAt: tx.now }
  await store.saveConfirmation(tx, recorded, {
    ...asked,
    status: 'confirmed',
    confirmedAt: tx.now,
    ...(caller === undefined ? {} : { confirmedBy: caller }),
  })
  await announce(tx, recorded)
  return true
}

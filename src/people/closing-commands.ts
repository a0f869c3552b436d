import { announce, record } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { firstWith, type PlaceInParts, wordInParts } from '../kernel/list-place.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { ACCOUNT_HOLDS, accountHold, type Closing, type ClosingEvent, type Held } from './closing.ts'
import {
  closingAccounts,
  deleteClosing,
  heldAccounts,
  insertClosing,
  lockClosing,
  updateHeld,
} from './closing-store.ts'
import { dependantsOf, type IndexNeeds } from './commands.ts'
import { checkSettledNumber } from './mobile-commands.ts'
import type { Patient } from './patient.ts'
import { endSessionsOf } from './session-commands.ts'
import { deleteSignInsOf } from './sign-in-store.ts'
import { findPatient, findPatientOrClosed, lockPatient, updatePatientStatus } from './store.ts'
import { dayInText, textFor } from './texts.ts'

/** `exchange`: as whom the text message to her phone speaks. */
export type ClosingNeeds = IndexNeeds & { readonly exchange: { readonly name: string } }

const TEXT_JOB = 'text-message'

type Closes = {
  readonly patient: AbhaAddress
  readonly actor: Actor
  /** What an operator was shown: her words, or where they are filed. */
  readonly wish?: string
}

/** Whether an account can be closed now: not while its patient decides for others, who would be left without anybody. */
async function checkClosing(tx: Tx, needs: IndexNeeds, patient: AbhaAddress): Promise<Refusal | undefined> {
  const found = await findPatientOrClosed(tx, patient)
  if (found === undefined) return refuse('people/unknown-patient')
  if (found.status === 'closed') return refuse('people/closed-already')
  return (await dependantsOf(tx, needs, patient)).length > 0 ? refuse('people/decides-for-others') : undefined
}

/** Stops an account: nobody signs in to it any more, sessions and codes that were sent end. Who calls this ends what it had allowed. */
export async function stopAccount(tx: Tx, needs: ClosingNeeds, input: Closes): Promise<Closing | Refusal> {
  const { patient, actor, wish } = input
  const fault = (await checkSettledNumber(tx, actor)) ?? (await checkClosing(tx, needs, patient))
  if (fault) return fault
  const found = await lockPatient(tx, patient)
  if (found === undefined) return refuse('people/unknown-patient')
  const recorded = await record<ClosingEvent>(tx, {
    type: 'people.account-closed',
    actor,
    patient,
    ...(wish === undefined ? {} : { wish }),
  })
  await updatePatientStatus(tx, recorded, found.status, 'closed')
  await endSessionsOf(tx, recorded, { kind: 'patient', person: patient })
  await deleteSignInsOf(tx, recorded, patient)
  const closing = await insertClosing(tx, recorded, patient)
  await tellPhone(tx, needs, found)
  await announce(tx, recorded)
  return closing
}

/** Who did not do it herself hears of it in time. */
async function tellPhone(tx: Tx, { exchange }: ClosingNeeds, { mobile, language }: Patient): Promise<void> {
  const day = dayInText(language, accountHold(tx.now).until)
  const text = textFor(language, 'account.closed', { service: exchange.name, day })
  await enqueue(tx, { kind: TEXT_JOB, payload: { mobile, text } })
}

/** Keeps a stopped account, unused, as long as the law demands. */
export async function holdAccount(tx: Tx, closing: Closing, actor: Actor): Promise<Held> {
  const { patient, closedAt } = closing
  const hold = accountHold(closedAt, tx.now)
  const recorded = await record<ClosingEvent>(tx, {
    type: 'people.account-held',
    actor,
    patient,
    reason: hold.reason,
    law: ACCOUNT_HOLDS[hold.reason].law,
    until: hold.until.toISOString(),
  })
  await updateHeld(tx, recorded, closing, hold)
  await announce(tx, recorded)
  return { patient, closedAt, status: 'held', hold }
}

/** A closed account; `people/not-closed` when it is open, `people/unknown-patient` when there is none. */
export async function lockClosedAccount(tx: Tx, patient: AbhaAddress): Promise<Closing | Refusal> {
  const closing = await lockClosing(tx, patient)
  if (closing !== undefined) return closing
  return refuse((await findPatient(tx, patient)) === undefined ? 'people/unknown-patient' : 'people/not-closed')
}

/**
 * Opens a closed account again, as long as it is kept: at the patient's wish, in her own words, or where they are filed. She signs in as
 * before; what had ended stays ended. `people/still-closing` until all has.
 */
export async function reopenAccount(tx: Tx, input: Required<Closes>): Promise<AbhaAddress | Refusal> {
  const { patient, actor, wish } = input
  const closing = await lockClosedAccount(tx, patient)
  if (isRefusal(closing)) return closing
  if (closing.status === 'stopped') return refuse('people/still-closing')
  const recorded = await record<ClosingEvent>(tx, { type: 'people.account-reopened', actor, patient, wish })
  await deleteClosing(tx, recorded, closing)
  await updatePatientStatus(tx, recorded, 'closed', 'active')
  await announce(tx, recorded)
  return patient
}

/** Accounts whose time of keeping is over. */
export async function accountsDue(tx: Tx, limit: number): Promise<readonly Held[]> {
  return heldAccounts(tx, limit, tx.now)
}

/**
 * For the operator: a page of accounts of which something still ends, then of those that are kept, whose time ends first before the others;
 * `next` is where the following page begins.
 */
export async function closedAccounts(
  tx: Tx,
  { after, limit }: { readonly after?: PlaceInParts<AbhaAddress> | undefined; readonly limit: number },
): Promise<{ readonly accounts: readonly Closing[]; readonly next?: string }> {
  const found = await closingAccounts(tx, { after, limit: limit + 1 })
  const { items, ...more } = firstWith(found, limit, (closing) =>
    wordInParts({
      isSettled: closing.status === 'held',
      date: closing.status === 'held' ? closing.hold.until : closing.closedAt,
      id: closing.patient,
    }),
  )
  return { accounts: items, ...more }
}

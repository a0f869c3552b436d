import type { Tx } from '../db/tx.ts'
import { enqueue } from '../jobs/queue.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { setPatientStatus } from './commands.ts'
import { findPatient } from './store.ts'
import { textFor } from './texts.ts'

/** `exchange`: as whom the text message speaks. */
type AccountNeeds = { readonly exchange: { readonly name: string } }

const TEXT_JOB = 'text-message'

/**
 * An operator puts an account to sleep, or wakes it, and says why; the phone is told. While it sleeps nobody signs in, and nothing is
 * linked, asked for or shared, so that there is nothing to withdraw from but the account itself: who wants that has it closed on paper
 * (`POST /v1/patients/…/close`), which needs no waking. Doing it twice changes nothing.
 */
export async function switchAccount(
  tx: Tx,
  { exchange }: AccountNeeds,
  input: {
    readonly patient: AbhaAddress
    readonly status: 'active' | 'deactivated'
    readonly reason: string
    readonly actor: Actor
  },
): Promise<Refusal | undefined> {
  const before = await findPatient(tx, input.patient)
  if (before === undefined) return refuse('people/unknown-patient')
  if (before.status === input.status) return undefined
  const changed = await setPatientStatus(tx, input)
  if (isRefusal(changed)) return changed
  const key = input.status === 'active' ? 'account.reactivated' : 'account.deactivated'
  const text = textFor(before.language, key, { service: exchange.name })
  await enqueue(tx, { kind: TEXT_JOB, payload: { mobile: before.mobile, text } })
  return undefined
}

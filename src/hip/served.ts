import type { Tx } from '../db/tx.ts'
import { type Id, parseId } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import type { HeldArtefact } from './artefact.ts'
import { loadArtefact } from './store-artefacts.ts'
import * as store from './store-served.ts'
import { listPages } from './store-transfers.ts'
import type { Page } from './transfer.ts'

/** Requests for health information that this facility served, latest first. */
export async function listServedRequests(
  tx: Tx,
  filter: Parameters<typeof store.listServed>[1],
): Promise<readonly store.Served[]> {
  return store.listServed(tx, filter)
}

/** A consent that we share under, or shared, opened: what it permits. */
export async function readHeldArtefact(tx: Tx, consentId: string): Promise<HeldArtefact | Refusal> {
  const id = parseId<'artefact'>(consentId)
  return (id && (await loadArtefact(tx, id))) ?? refuse('hip/unknown-artefact')
}

/** The documents of one request that we served: what became of each. */
export async function readServedPages(tx: Tx, served: store.Served): Promise<readonly Page[]> {
  return listPages(tx, {
    consentId: served.consentId as Id<'artefact'>,
    transactionId: served.transactionId as Id<'transaction'>,
  })
}

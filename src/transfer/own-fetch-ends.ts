import { announce, record } from '../audit/record.ts'
import { artefactById } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import { LIMITS } from '../kernel/limits.ts'
import { reportTransfer } from './commands.ts'
import {
  endOf,
  type Holder,
  type HolderReason,
  type HolderVerb,
  moveHolder,
  type Opening,
  type OpeningFault,
  type OwnCopyEnded,
  type OwnCopyMoved,
  type OwnFetch,
} from './own-fetch.ts'
import { deleteOwnFetch, findHolders, updateHolder } from './own-fetch-store.ts'
import { emptyOwnPages, findOwnPages } from './own-page-store.ts'

type Needs = { readonly exchange: { readonly id: string } }

const exchangeActor = ({ exchange }: Needs): Actor => ({ kind: 'exchange', id: exchange.id })

/** What the reports of transfers say of an entry that the page could not open. */
const WORDS_OF_FAULT: Readonly<Record<OpeningFault, string>> = {
  'not-authentic': 'It did not open: changed, cut short, or sealed for another key.',
  'bad-key': 'The public key or nonce of its page cannot be used.',
  'by-link': 'It was sent as a link, which the patient’s app does not follow.',
  'not-readable': 'It is no FHIR document.',
}

/** Moves one hospital on, when the verb brings something new. The caller holds the lock of the fetch. */
export async function moveOn(
  tx: Tx,
  needs: Needs,
  own: OwnFetch,
  holder: Holder,
  verb: HolderVerb,
  reason?: HolderReason,
): Promise<void> {
  const status = moveHolder(holder.status, verb)
  if (status === undefined || status === holder.status) return
  const cut = reason && { ...reason, ...(reason.says === undefined ? {} : { says: cutWords(reason.says) }) }
  const recorded = await record(tx, {
    type: 'transfer.own-copy-moved',
    actor: exchangeActor(needs),
    patient: own.patient,
    subject: own.id,
    hip: holder.hip,
    status,
    ...(cut === undefined ? {} : { reason: cut }),
  } satisfies OwnCopyMoved)
  await updateHolder(tx, recorded, holder, { status, reason: cut ?? null })
  await announce(tx, recorded)
}

const cutWords = (says: string): string => says.slice(0, LIMITS.textCharsMax)

export async function failHolder(
  tx: Tx,
  needs: Needs,
  own: OwnFetch,
  holder: Holder,
  reason: HolderReason,
): Promise<void> {
  await moveOn(tx, needs, own, holder, holder.status === 'receiving' ? 'cut-short' : 'fail', reason)
}

/** The consent ended: the sealed pages of this hospital are deleted, and no more are taken. */
export async function stopHolder(tx: Tx, needs: Needs, own: OwnFetch, holder: Holder): Promise<number> {
  const waiting = (await findOwnPages(tx, own.id)).filter(({ hip, waits }) => hip === holder.hip && waits)
  const status = moveHolder(holder.status, 'stop')
  if (status === undefined || (holder.status === 'complete' && waiting.length === 0)) return 0
  const recorded = await record(tx, {
    type: 'transfer.own-copy-moved',
    actor: exchangeActor(needs),
    patient: own.patient,
    subject: own.id,
    hip: holder.hip,
    status,
  } satisfies OwnCopyMoved)
  await emptyOwnPages(
    tx,
    recorded,
    own.id,
    waiting.map(({ seq }) => seq),
  )
  await updateHolder(tx, recorded, holder, { status, reason: null })
  await announce(tx, recorded)
  return waiting.length
}

/** Reports the recipient's side of the transfer, once: what the page could open, or that nobody opened it. */
export async function reportHolder(
  tx: Tx,
  needs: Needs,
  own: OwnFetch,
  holder: Holder,
  outcomes: readonly Opening[] = holder.outcomes,
): Promise<void> {
  const artefact = holder.artefact && (await artefactById(tx, holder.artefact))
  if (holder.transaction === undefined || artefact === undefined || holder.reportedAt !== undefined) return
  await reportTransfer(tx, {
    side: 'hiu',
    facility: artefact.hiu,
    id: holder.transaction,
    consent: artefact.id,
    sessionStatus: endOf(holder.status, outcomes),
    outcomes: outcomes.map(({ careContextReference, fault }) => ({
      careContextReference,
      hiStatus: fault === undefined ? 'OK' : 'ERRORED',
      ...(fault === undefined ? {} : { description: WORDS_OF_FAULT[fault] }),
    })),
  })
  const recorded = await record(tx, {
    type: 'transfer.own-copy-moved',
    actor: exchangeActor(needs),
    patient: own.patient,
    subject: own.id,
    hip: holder.hip,
    status: holder.status,
  } satisfies OwnCopyMoved)
  await updateHolder(tx, recorded, holder, { reported: true })
  await announce(tx, recorded)
}

/** Ends a fetch for good: unreported sides are reported, and everything that waits is deleted. The caller holds its lock. */
export async function endOwnFetch(tx: Tx, needs: Needs, own: OwnFetch, why: OwnCopyEnded['why']): Promise<void> {
  const uncollected = (await findOwnPages(tx, own.id)).filter(({ waits }) => waits).length
  for (const holder of await findHolders(tx, own.id)) await reportHolder(tx, needs, own, holder)
  const recorded = await record(tx, {
    type: 'transfer.own-copy-ended',
    actor: exchangeActor(needs),
    patient: own.patient,
    subject: own.id,
    why,
    uncollected,
  } satisfies OwnCopyEnded)
  await deleteOwnFetch(tx, recorded, own)
  await announce(tx, recorded)
}

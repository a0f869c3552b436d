import { markErased } from '../consent/end-commands.ts'
import type { AcknowledgedEvent, EndedEvent, NoticeFailedEvent } from '../consent/events.ts'
import type { Reaction, Tx } from '../db/tx.ts'
import { type FacilityId, type Id } from '../kernel/id.ts'
import { isOwnApp } from '../partners/own-app.ts'
import { takeProviderEnd } from './mailbox-commands.ts'
import type { Holder, HolderReason, OwnFetch } from './own-fetch.ts'
import { lockedHolder, type OwnFetchNeeds, requestIfAcknowledged } from './own-fetch-commands.ts'
import { failHolder, moveOn, stopHolder } from './own-fetch-ends.ts'
import { findHolderOfTransaction, findHoldersUnder } from './own-fetch-store.ts'
import type { ProviderEvent } from './transfer.ts'

type Found = { readonly own: OwnFetch; readonly holder: Holder }

/** For `app.ts` to register: what the rest of the exchange says that concerns a patient's own copy. */
export function ownFetchReactions(needs: OwnFetchNeeds): readonly (readonly [type: string, reaction: Reaction])[] {
  return [
    ['consent.artefact-acknowledged', (tx: Tx, event: AcknowledgedEvent) => consentKnown(tx, needs, event)],
    ['consent.notice-failed', (tx: Tx, event: NoticeFailedEvent) => consentNotTold(tx, needs, event)],
    ['consent.revoked', (tx: Tx, event: EndedEvent) => consentEnded(tx, needs, event)],
    ['consent.expired', (tx: Tx, event: EndedEvent) => consentEnded(tx, needs, event)],
    [
      'transfer.acknowledged',
      (tx: Tx, event: ProviderEvent) =>
        withHolder(tx, event, ({ own, holder }) => moveOn(tx, needs, own, holder, 'take')),
    ],
    ['transfer.declined', failed(needs, 'declined')],
    ['transfer.undelivered', failed(needs, 'unreachable')],
    [
      'transfer.provider-reported',
      (tx: Tx, event: ProviderEvent) =>
        withHolder(tx, event, (found) =>
          takeProviderEnd(tx, needs, found, {
            failed: event.status === 'FAILED',
            ...(event.error === undefined ? {} : { says: event.error.message }),
          }),
        ),
    ],
  ]
}

function failed(needs: OwnFetchNeeds, code: HolderReason['code']): Reaction {
  return (tx: Tx, event: ProviderEvent) =>
    withHolder(tx, event, ({ own, holder }) =>
      failHolder(tx, needs, own, holder, {
        code,
        ...(event.error === undefined ? {} : { says: event.error.message }),
      }),
    )
}

async function withHolder(tx: Tx, event: ProviderEvent, then: (found: Found) => Promise<void>): Promise<void> {
  if (!isOwnApp(event.hiu)) return
  const named = await findHolderOfTransaction(tx, event.subject as Id<'transaction'>)
  const found = named && (await lockedHolder(tx, named))
  if (found !== undefined) await then(found)
}

/** Every fetch that waits for this consent goes on, by reaction: nobody polls. */
async function consentKnown(tx: Tx, needs: OwnFetchNeeds, event: AcknowledgedEvent): Promise<void> {
  if (event.party !== 'hip' || event.status !== 'GRANTED') return
  for (const { own, holder } of await lockedHoldersUnder(tx, event.subject))
    await requestIfAcknowledged(tx, needs, own, holder)
}

async function consentNotTold(tx: Tx, needs: OwnFetchNeeds, event: NoticeFailedEvent): Promise<void> {
  if (event.party !== 'hip' || event.status !== 'GRANTED') return
  const isUndelivered = event.reason.startsWith('not delivered')
  for (const { own, holder } of await lockedHoldersUnder(tx, event.subject))
    await failHolder(tx, needs, own, holder, {
      code: isUndelivered ? 'unreachable' : 'consent-refused',
      says: event.reason,
    })
}

/** What waits under an ended consent is deleted, and the own app says so, as every user of records must. */
async function consentEnded(tx: Tx, needs: OwnFetchNeeds, event: EndedEvent): Promise<void> {
  if (!isOwnApp(event.hiu)) return
  let pages = 0
  for (const { own, holder } of await lockedHoldersUnder(tx, event.subject))
    pages += await stopHolder(tx, needs, own, holder)
  await markErased(tx, {
    consentId: event.subject as Id<'artefact'>,
    hiu: event.hiu as FacilityId,
    attestation: { sealedPagesDeleted: pages, erasedAt: tx.now.toISOString() },
  })
}

async function lockedHoldersUnder(tx: Tx, artefact: string): Promise<readonly Found[]> {
  const found: Found[] = []
  for (const named of await findHoldersUnder(tx, artefact as Id<'artefact'>)) {
    const locked = await lockedHolder(tx, named)
    if (locked !== undefined) found.push(locked)
  }
  return found
}

import { createHash } from 'node:crypto'
import { announce, record } from '../audit/record.ts'
import { readPermission } from '../consent/artefact.ts'
import { artefactById } from '../consent/readers.ts'
import type { Tx } from '../db/tx.ts'
import type { Actor } from '../kernel/caller.ts'
import type { AbhaAddress, FacilityId, Id } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import { askGate } from './commands.ts'
import {
  announced,
  type Holder,
  moveHolder,
  type Opening,
  type OwnCopyCollected,
  type OwnCopyOpened,
  type OwnCopyPage,
  type OwnFetch,
} from './own-fetch.ts'
import { liveFetch, lockedHolder, placeOfToken } from './own-fetch-commands.ts'
import { failHolder, moveOn, reportHolder, stopHolder } from './own-fetch-ends.ts'
import { findHolder, findHolderByToken, findHolders, updateHolder, updateLastSeq } from './own-fetch-store.ts'
import { emptyOwnPages, findOwnPages, insertOwnPage, readOwnPage, type WaitingPage } from './own-page-store.ts'

type Needs = { readonly exchange: { readonly id: string } }

/** Whether a hospital was given this address. Asked before a page of many megabytes is read. */
export async function isMailbox(tx: Tx, token: string): Promise<boolean> {
  const place = placeOfToken(token)
  return place !== undefined && (await findHolderByToken(tx, place.bucket, place.hash)) !== undefined
}

/** One page of a data push; `body` is what the patient's page gets of it, in JSON: sealed entries and the hospital's public key. */
export type SealedPage = {
  readonly transaction: Id<'transaction'>
  readonly number?: number
  readonly count?: number
  readonly entries: number
  readonly body: string
}

/**
 * Takes one sealed page for a patient's own page. Again and out of order is fine; another page of the same number is not taken.
 * Refuses with `transfer/unknown-mailbox`, `transfer/mailbox-closed`, `transfer/unknown-transaction`, `transfer/mailbox-full`.
 */
export async function receiveSealedPage(
  tx: Tx,
  needs: Needs,
  token: string,
  page: SealedPage,
): Promise<true | Refusal> {
  const place = placeOfToken(token)
  const named = place && (await findHolderByToken(tx, place.bucket, place.hash))
  const found = named && (await lockedHolder(tx, named))
  if (found === undefined || found.own.expiresAt <= tx.now) return refuse('transfer/unknown-mailbox')
  const { own, holder } = found
  const contentHash = new Uint8Array(createHash('sha256').update(page.body).digest())
  const number = page.number ?? 0
  const pages = await findOwnPages(tx, own.id)
  const same = pages.find((other) => other.hip === holder.hip && other.number === number)
  const isRepeated = same !== undefined && Buffer.compare(same.contentHash, contentHash) === 0
  const fault = await faultOf(tx, holder, page, { pages, isTaken: same !== undefined && !isRepeated })
  const told = {
    actor: { kind: 'facility', id: holder.hip } satisfies Actor,
    patient: own.patient,
    subject: own.id,
    hip: holder.hip,
    page: number,
    contentSha256: Buffer.from(contentHash).toString('hex'),
    bytes: page.body.length,
  }
  if (fault !== undefined) {
    const refused = { type: 'transfer.own-copy-page-refused', ...told, code: fault.code } satisfies OwnCopyPage
    await announce(tx, await record(tx, refused))
    if (fault.code === 'transfer/mailbox-full') await failHolder(tx, needs, own, holder, { code: 'too-much' })
    return fault
  }
  if (isRepeated) return true
  const recorded = await record(tx, { type: 'transfer.own-copy-page-received', ...told } satisfies OwnCopyPage)
  const seq = await updateLastSeq(tx, recorded, own)
  await insertOwnPage(tx, recorded, own, {
    seq,
    hip: holder.hip,
    number,
    contentHash,
    bytes: page.body.length,
    body: page.body,
  })
  const pagesReceived = holder.pagesReceived + 1
  const pagesAnnounced = Math.max(holder.pagesAnnounced ?? 1, announced(page.count))
  const status = moveHolder(holder.status, pagesReceived >= pagesAnnounced ? 'last-page' : 'page')
  await updateHolder(tx, recorded, holder, {
    pagesReceived,
    pagesAnnounced,
    entriesReceived: holder.entriesReceived + page.entries,
    ...(status === undefined ? {} : { status }),
    ...(status === 'complete' || status === 'receiving' ? { reason: null } : {}),
  })
  await announce(tx, recorded)
  return true
}

async function faultOf(
  tx: Tx,
  holder: Holder,
  page: SealedPage,
  known: { readonly pages: readonly WaitingPage[]; readonly isTaken: boolean },
): Promise<Refusal | undefined> {
  if (holder.status === 'stopped' || !(await mayView(tx, holder))) return refuse('transfer/mailbox-closed')
  if (holder.transaction !== page.transaction)
    return refuse('transfer/unknown-transaction', 'The push address belongs to another transaction.', 'transactionId')
  if (known.isTaken) return refuse('transfer/page-taken', undefined, 'pageNumber')
  const waitingBytes = known.pages.reduce((sum, { waits, bytes }) => sum + (waits ? bytes : 0), 0)
  return known.pages.length >= LIMITS.ownFetchPagesMax || waitingBytes + page.body.length > LIMITS.ownFetchBytesMax
    ? refuse('transfer/mailbox-full')
    : undefined
}

/** Asks the gate whether the patient's app may have what comes from this hospital, now. */
async function mayView(tx: Tx, holder: Holder): Promise<boolean> {
  const artefact = holder.artefact && (await artefactById(tx, holder.artefact))
  if (artefact === undefined) return false
  const period = readPermission(artefact.detail.permission).dateRange
  return (await askGate(tx, artefact, { acknowledged: true, period, mode: 'view' })).outcome === 'allow'
}

/** A sealed page on its way to the page that can open it. */
export type CollectedPage = {
  readonly seq: number
  readonly hip: FacilityId
  readonly number: number
  /** JSON text of entries and key material. */
  readonly body: string
}

/**
 * Hands the pages after `after` to the patient's page, as many as one answer holds. They stay until it says that it opened them, so
 * that a broken line loses nothing. Each collection is recorded as an access.
 */
export async function collectPages(
  tx: Tx,
  needs: Needs,
  input: {
    readonly patient: AbhaAddress
    readonly actor: Actor
    readonly id: Id<'own-fetch'>
    readonly after: number
  },
): Promise<{ readonly pages: readonly CollectedPage[]; readonly more: boolean } | Refusal> {
  const own = await liveFetch(tx, input.patient, input.id, true)
  if (isRefusal(own)) return own
  const holders = await permitted(tx, needs, own)
  const waiting = (await findOwnPages(tx, own.id)).filter(
    ({ seq, waits, hip }) => seq > input.after && waits && holders.has(hip),
  )
  const pages: CollectedPage[] = []
  let bytes = 0
  for (const page of waiting) {
    bytes += page.bytes
    if (pages.length > 0 && (bytes > LIMITS.collectBytesMax || pages.length >= LIMITS.collectPagesMax)) break
    const body = await readOwnPage(tx, own.id, page.seq)
    if (body !== undefined) pages.push({ seq: page.seq, hip: page.hip, number: page.number, body })
  }
  if (pages.length > 0) {
    const consents = new Set(pages.flatMap(({ hip }) => holders.get(hip)?.artefact ?? []))
    const collected = {
      type: 'transfer.own-copy-collected',
      actor: input.actor,
      patient: own.patient,
      subject: own.id,
      pages: pages.map(({ hip, number }) => ({ hip, page: number })),
      consents: [...consents],
    } satisfies OwnCopyCollected
    await announce(tx, await record(tx, collected))
  }
  return { pages, more: pages.length < waiting.length }
}

/** The hospitals whose pages may be handed over; a consent that ended meanwhile stops its hospital here and now. */
async function permitted(tx: Tx, needs: Needs, own: OwnFetch): Promise<ReadonlyMap<FacilityId, Holder>> {
  const found = new Map<FacilityId, Holder>()
  for (const holder of await findHolders(tx, own.id)) {
    if (holder.pagesReceived === 0 || holder.status === 'stopped') continue
    if (await mayView(tx, holder)) found.set(holder.hip, holder)
    else await stopHolder(tx, needs, own, holder)
  }
  return found
}

/** The page opened what it had collected, or could not: those pages are deleted, and the transfer's end is reported when it is known. */
export async function noteOpened(
  tx: Tx,
  needs: Needs,
  input: {
    readonly patient: AbhaAddress
    readonly actor: Actor
    readonly id: Id<'own-fetch'>
    readonly pages: readonly { readonly seq: number; readonly entries: readonly Opening[] }[]
  },
): Promise<true | Refusal> {
  const own = await liveFetch(tx, input.patient, input.id, true)
  if (isRefusal(own)) return own
  const waiting = (await findOwnPages(tx, own.id)).filter(({ waits }) => waits)
  const byHip = Map.groupBy(
    waiting.flatMap(({ seq, hip }) => {
      const said = input.pages.find((page) => page.seq === seq)
      return said === undefined ? [] : [{ seq, hip, entries: said.entries }]
    }),
    ({ hip }) => hip,
  )
  for (const [hip, pages] of byHip) {
    const holder = await findHolder(tx, own.id, hip)
    if (holder === undefined) continue
    const entries = pages.flatMap((page) => page.entries)
    const outcomes = [...holder.outcomes, ...entries].slice(0, LIMITS.careContextsPerConsentMax)
    const recorded = await record(tx, {
      type: 'transfer.own-copy-opened',
      actor: input.actor,
      patient: own.patient,
      subject: own.id,
      hip,
      opened: entries.filter(({ fault }) => fault === undefined).length,
      faults: entries.flatMap(({ fault }) => fault ?? []),
    } satisfies OwnCopyOpened)
    await emptyOwnPages(
      tx,
      recorded,
      own.id,
      pages.map(({ seq }) => seq),
    )
    await updateHolder(tx, recorded, holder, { outcomes })
    await announce(tx, recorded)
    const isDone = waiting.filter((page) => page.hip === hip).length === pages.length
    if (isDone && (holder.status === 'complete' || holder.status === 'partial'))
      await reportHolder(tx, needs, own, { ...holder, outcomes })
  }
  return true
}

/** The hospital said how it ended; what has not come by then does not come, as a rule. */
export async function takeProviderEnd(
  tx: Tx,
  needs: Needs,
  found: { readonly own: OwnFetch; readonly holder: Holder },
  end: { readonly failed: boolean; readonly says?: string },
): Promise<void> {
  const { own, holder } = found
  const says = end.says === undefined ? {} : { says: end.says }
  if (end.failed) return failHolder(tx, needs, own, holder, { code: 'sending-failed', ...says })
  const verb = holder.status === 'receiving' ? 'cut-short' : 'nothing'
  await moveOn(tx, needs, own, holder, verb)
}

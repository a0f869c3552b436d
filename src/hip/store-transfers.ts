import { type Selectable, sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { HipPageTable, HipRequestTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { pseudonym, sealed, sealedJson, sealedOrNull } from '../db/veil.ts'
import type { HiType } from '../fhir/hi-type.ts'
import { type AbhaAddress, bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import {
  type DataRequest,
  deadlineOf,
  type Omissions,
  type Outcome,
  PAGE_MOVES,
  type Page,
  type PageStatus,
  type RequesterKeys,
  TRANSFER_MOVES,
  type Transfer,
} from './transfer.ts'

/** Names a transfer; its rows lie in the bucket of its consent. */
export type TransferKey = { readonly consentId: Id<'artefact'>; readonly transactionId: Id<'transaction'> }

/** Writes a request as accepted, or as refused (so that a repetition gets the same answer). */
export async function insertTransfer(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  request: DataRequest,
  whose: { readonly patient: string; readonly hiu: string },
  refusal?: string,
): Promise<void> {
  const result = await tx.db
    .insertInto('hip_request')
    .values({
      bucket: bucketOfId(request.consentId),
      transaction_id: request.transactionId,
      consent_id: request.consentId,
      abha_address: whose.patient,
      hiu: whose.hiu,
      status: refusal === undefined ? 'collecting' : 'refused',
      range_from: request.range.from,
      range_to: request.range.to,
      // Its last part is a secret.
      push_url: sealed(request.pushUrl),
      key_material: JSON.stringify(request.keys),
      received_at: tx.now,
      deadline: deadlineOf(tx.now),
      refusal: sealedOrNull(refusal),
      ended_at: refusal === undefined ? null : tx.now,
    })
    .onConflict((c) => c.columns(['bucket', 'transaction_id']).doNothing())
    .executeTakeFirst()
  insistOnOne({ numInsertedOrUpdatedRows: result.numInsertedOrUpdatedRows ?? 0n }, 'hip_request')
}

function ofKey(tx: Tx, { consentId, transactionId }: TransferKey) {
  return tx.db
    .selectFrom('hip_request')
    .selectAll()
    .where('bucket', '=', bucketOfId(consentId))
    .where('transaction_id', '=', transactionId)
}

export async function loadTransfer(
  tx: Tx,
  key: TransferKey,
): Promise<(Transfer & { readonly refusal: string | null }) | undefined> {
  const row = await ofKey(tx, key).executeTakeFirst()
  return row && transferOf(row)
}

/** Reads and locks a transfer: pages that settle at the same time take turns, so that one of them sees that it is the last. */
export async function lockTransfer(tx: Tx, key: TransferKey): Promise<Transfer | undefined> {
  const row = await ofKey(tx, key).forUpdate().executeTakeFirst()
  return row && transferOf(row)
}

function transferOf(row: Selectable<HipRequestTable>): Transfer & { readonly refusal: string | null } {
  return {
    transactionId: row.transaction_id as Id<'transaction'>,
    consentId: row.consent_id as Id<'artefact'>,
    patient: row.abha_address as AbhaAddress,
    hiu: row.hiu as FacilityId | '',
    status: row.status as Transfer['status'],
    range: { from: row.range_from, to: row.range_to },
    pushUrl: row.push_url,
    keys: row.key_material as RequesterKeys,
    deadline: row.deadline,
    omissions: (row.omissions ?? {}) as Omissions,
    refusal: row.refusal,
    ...(row.page_count === null ? {} : { pageCount: row.page_count }),
    ...(row.outcome === null ? {} : { outcome: row.outcome as Outcome }),
  }
}

/** When data was requested under a consent, other than by this transaction. */
export async function earlierRequests(tx: Tx, { consentId, transactionId }: TransferKey): Promise<readonly Date[]> {
  const rows = await tx.db
    .selectFrom('hip_request')
    .select('received_at')
    .where('bucket', '=', bucketOfId(consentId))
    .where('consent_id', '=', consentId)
    .where('transaction_id', '<>', transactionId)
    .where('status', '<>', 'refused')
    .execute()
  return rows.map((row) => row.received_at)
}

export async function moveTransfer(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  key: TransferKey,
  from: Transfer['status'],
  to:
    | { readonly status: 'sending'; readonly pageCount: number; readonly omissions: Omissions }
    | { readonly status: 'ended'; readonly outcome: Outcome },
): Promise<void> {
  insistOnMove(TRANSFER_MOVES, from, to.status, 'transfer')
  const result = await tx.db
    .updateTable('hip_request')
    .set(
      to.status === 'sending'
        ? { status: 'sending', page_count: to.pageCount, omissions: sealedOmissions(to.omissions) }
        : { status: 'ended', outcome: to.outcome, ended_at: tx.now },
    )
    .where('bucket', '=', bucketOfId(key.consentId))
    .where('transaction_id', '=', key.transactionId)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(result, 'hip_request')
}

/** Nothing left out is no value: who asks only whether something was does not open it. */
function sealedOmissions(omissions: Omissions): string | null {
  return Object.keys(omissions).length === 0 ? null : sealedJson(omissions)
}

/** A page that waits to be sent, with the body that goes on the wire. */
export type SealedPage = Omit<Page, 'status' | 'error'> & { readonly body: string }

export async function insertPage(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  key: TransferKey,
  page: SealedPage,
): Promise<void> {
  await tx.db
    .insertInto('hip_page')
    .values({
      bucket: bucketOfId(key.consentId),
      transaction_id: key.transactionId,
      page_number: page.number,
      care_context_reference: pseudonym(page.careContextReference),
      hi_type: page.hiType,
      status: 'waiting',
      body: Buffer.from(page.body),
      document_hash: Buffer.from(page.documentHash),
      narrowed: page.narrowed,
    })
    .execute()
}

function pagesOf(tx: Tx, key: TransferKey) {
  return tx.db
    .selectFrom('hip_page')
    .select(['page_number', 'care_context_reference', 'hi_type', 'status', 'document_hash', 'narrowed', 'error'])
    .where('bucket', '=', bucketOfId(key.consentId))
    .where('transaction_id', '=', key.transactionId)
}

export async function listPages(tx: Tx, key: TransferKey): Promise<readonly Page[]> {
  return (await pagesOf(tx, key).orderBy('page_number').execute()).map(pageOf)
}

export async function loadPage(tx: Tx, key: TransferKey, number: number): Promise<Page | undefined> {
  const row = await pagesOf(tx, key).where('page_number', '=', number).executeTakeFirst()
  return row && pageOf(row)
}

/** Whether any page of a transfer is not settled yet. */
export async function hasOpenPages(tx: Tx, key: TransferKey): Promise<boolean> {
  return (await pagesOf(tx, key).where('settled_at', 'is', null).limit(1).executeTakeFirst()) !== undefined
}

type PageRow = Pick<
  Selectable<HipPageTable>,
  'page_number' | 'care_context_reference' | 'hi_type' | 'status' | 'document_hash' | 'narrowed' | 'error'
>

function pageOf(row: PageRow): Page {
  return {
    number: row.page_number,
    careContextReference: row.care_context_reference,
    hiType: row.hi_type as HiType,
    status: row.status as PageStatus,
    documentHash: row.document_hash,
    narrowed: row.narrowed,
    ...(row.error === null ? {} : { error: row.error }),
  }
}

/** The body of a page that is not settled yet. */
export async function loadPageBody(tx: Tx, key: TransferKey, number: number): Promise<string | undefined> {
  const row = await tx.db
    .selectFrom('hip_page')
    .select('body')
    .where('bucket', '=', bucketOfId(key.consentId))
    .where('transaction_id', '=', key.transactionId)
    .where('page_number', '=', number)
    .executeTakeFirst()
  return row?.body?.toString('utf8')
}

/** Moves a page; its body goes when it is settled. */
export async function movePage(
  tx: Tx,
  recorded: Recorded<AuditEvent>,
  key: TransferKey,
  number: number,
  from: PageStatus,
  to:
    | { readonly status: 'sending' }
    | { readonly status: 'sent' }
    | { readonly status: 'failed' | 'withheld'; readonly error: string },
): Promise<void> {
  insistOnMove(PAGE_MOVES, from, to.status, 'page of a transfer')
  const settled = to.status === 'sending' ? {} : { body: null, settled_at: tx.now }
  const result = await tx.db
    .updateTable('hip_page')
    .set({ status: to.status, event: recorded.id, ...settled, ...('error' in to ? { error: sealed(to.error) } : {}) })
    .where('bucket', '=', bucketOfId(key.consentId))
    .where('transaction_id', '=', key.transactionId)
    .where('page_number', '=', number)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(result, 'hip_page')
}

/** Transfers under a consent that still send. */
export async function openTransfers(tx: Tx, consentId: Id<'artefact'>): Promise<readonly TransferKey[]> {
  const rows = await tx.db
    .selectFrom('hip_request')
    .select('transaction_id')
    .where('bucket', '=', bucketOfId(consentId))
    .where('consent_id', '=', consentId)
    .where('status', 'in', ['collecting', 'sending'])
    .execute()
  return rows.map((row) => ({ consentId, transactionId: row.transaction_id as Id<'transaction'> }))
}

export type Disclosure = {
  readonly transactionId: string
  readonly consentId: string
  readonly patient: string
  readonly hiu: string
  readonly pageNumber: number
  readonly careContextReference: string
  readonly hiType: string
  readonly status: PageStatus
  readonly narrowed: boolean
  readonly documentHash: string
  readonly settledAt: Date
  readonly error: string | null
  /** The entry of the log that proves it. */
  readonly event: string | null
}

/** Settled pages, newest first, of one patient or of all; `before` is the log entry that the list before ended with. */
export async function listDisclosures(
  tx: Tx,
  filter: { readonly patient?: string; readonly before?: string; readonly limit: number },
): Promise<readonly Disclosure[]> {
  const patient = filter.patient ?? null
  const before = filter.before ?? null
  const { rows } = await sql<{
    transaction_id: string
    consent_id: string
    abha_address: string
    hiu: string
    page_number: number
    care_context_reference: string
    hi_type: string
    status: string
    narrowed: boolean
    document_hash: Buffer
    settled_at: Date
    error: string | null
    event: string | null
  }>`
    /* all buckets: the facility's accounting of disclosures */
    select r.transaction_id, r.consent_id, r.abha_address, r.hiu, p.page_number, p.care_context_reference, p.hi_type, p.status, p.narrowed,
      p.document_hash, p.settled_at, p.error, p.event
    from hip_page p join hip_request r on r.bucket = p.bucket and r.transaction_id = p.transaction_id
    where p.settled_at is not null and (${patient}::text is null or r.abha_address = ${patient})
      and (${before}::uuid is null or p.event < ${before}::uuid)
    order by p.event desc limit ${filter.limit}`.execute(tx.db)
  return rows.map((row) => ({
    transactionId: row.transaction_id,
    consentId: row.consent_id,
    patient: row.abha_address,
    hiu: row.hiu,
    pageNumber: row.page_number,
    careContextReference: row.care_context_reference,
    hiType: row.hi_type,
    status: row.status as PageStatus,
    narrowed: row.narrowed,
    documentHash: row.document_hash.toString('hex'),
    settledAt: row.settled_at,
    error: row.error,
    event: row.event,
  }))
}

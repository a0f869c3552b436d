import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import type { OwnFetch } from './own-fetch.ts'

type AnyRecorded = Recorded<AuditEvent>

/** A sealed page on its way; `body` is absent once its page was opened, or its consent ended. */
export type WaitingPage = {
  readonly seq: number
  readonly hip: FacilityId
  readonly number: number
  readonly contentHash: Uint8Array
  readonly bytes: number
  readonly waits: boolean
}

export async function insertOwnPage(
  tx: Tx,
  _recorded: AnyRecorded,
  own: OwnFetch,
  page: Omit<WaitingPage, 'waits'> & { readonly body: string },
): Promise<void> {
  await tx.db
    .insertInto('own_fetch_page')
    .values({
      bucket: bucketOf(own.patient),
      own_fetch: own.id,
      seq: page.seq,
      hip: page.hip,
      number: page.number,
      content_hash: Buffer.from(page.contentHash),
      body: page.body,
      bytes: page.bytes,
      received_at: tx.now,
    })
    .execute()
}

/** All pages that came, in the order of arrival, without what is in them. */
export async function findOwnPages(tx: Tx, id: Id<'own-fetch'>): Promise<readonly WaitingPage[]> {
  const rows = await tx.db
    .selectFrom('own_fetch_page')
    .select(['seq', 'hip', 'number', 'content_hash', 'bytes'])
    .select((e) => e('body', 'is not', null).as('waits'))
    .where('bucket', '=', bucketOfId(id))
    .where('own_fetch', '=', id)
    .orderBy('seq')
    .execute()
  return rows.map((row) => ({
    seq: row.seq,
    hip: row.hip as FacilityId,
    number: row.number,
    contentHash: row.content_hash,
    bytes: row.bytes,
    waits: Boolean(row.waits),
  }))
}

/** What lies in a page, as it was stored; undefined when it waits no more. */
export async function readOwnPage(tx: Tx, id: Id<'own-fetch'>, seq: number): Promise<string | undefined> {
  const row = await tx.db
    .selectFrom('own_fetch_page')
    .select('body')
    .where('bucket', '=', bucketOfId(id))
    .where('own_fetch', '=', id)
    .where('seq', '=', seq)
    .executeTakeFirst()
  return row?.body ?? undefined
}

/** Deletes what lies in these pages, and keeps that they came: so a repetition is known. */
export async function emptyOwnPages(
  tx: Tx,
  _recorded: AnyRecorded,
  id: Id<'own-fetch'>,
  seqs: readonly number[],
): Promise<void> {
  if (seqs.length === 0) return
  await tx.db
    .updateTable('own_fetch_page')
    .set({ body: null })
    .where('bucket', '=', bucketOfId(id))
    .where('own_fetch', '=', id)
    .where('seq', 'in', [...seqs])
    .execute()
}

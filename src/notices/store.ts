import type { Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type Id } from '../kernel/id.ts'
import { openJson, sealJson } from '../vault/sealed-json.ts'
import type { NoticeShown } from './notices.ts'

const place = (patient: AbhaAddress, id: Id<'shown-notice'>): Place => ({
  table: 'shown_notice',
  column: 'sealed_notice',
  row: id,
  patient,
})

export type ShownRow = {
  readonly id: Id<'shown-notice'>
  readonly patient: AbhaAddress
  readonly reader: AbhaAddress
  readonly request: Id<'consent-request'>
  readonly sha256: string
  readonly shownAt: Date
  /** Canonical JSON of the notice; absent once the patient's key was erased. */
  readonly text: string | undefined
}

/** Keeps the notice, word for word. `text` is what the hash in the event is of. */
export async function insertShown(tx: Tx, { event }: Recorded<NoticeShown>, text: string): Promise<void> {
  await tx.db
    .insertInto('shown_notice')
    .values({
      bucket: bucketOf(event.patient),
      id: event.notice,
      patient: event.patient,
      reader: event.reader,
      request: event.subject,
      language: event.language,
      words_language: event.wordsLanguage,
      version: event.version,
      channel: event.channel,
      sealed_notice: await sealJson(tx, place(event.patient, event.notice), text),
      sha256: Buffer.from(event.sha256, 'hex'),
      shown_at: tx.now,
    })
    .execute()
}

export async function findShown(tx: Tx, id: Id<'shown-notice'>): Promise<ShownRow | undefined> {
  const row = await tx.db
    .selectFrom('shown_notice')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const patient = row.patient as AbhaAddress
  return {
    id,
    patient,
    reader: row.reader as AbhaAddress,
    request: row.request as Id<'consent-request'>,
    sha256: row.sha256.toString('hex'),
    shownAt: row.shown_at,
    text: (await openJson(tx, place(patient, id), row.sealed_notice)) as string | undefined,
  }
}

/** How often this person was shown the notice of this request. */
export async function countShown(tx: Tx, request: Id<'consent-request'>, reader: AbhaAddress): Promise<number> {
  const row = await tx.db
    .selectFrom('shown_notice')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('bucket', '=', bucketOfId(request))
    .where('request', '=', request)
    .where('reader', '=', reader)
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

import type { Selectable } from 'kysely'
import type { Recorded } from '../audit/record.ts'
import type { ProfileShareTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { sealed } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import type { ShareEvent } from './events.ts'
import { type ProfileShare, SHARE_MOVES } from './share.ts'

function readRow(row: Selectable<ProfileShareTable>): ProfileShare {
  const base = {
    id: row.id as Id<'profile-share'>,
    patient: row.patient as AbhaAddress,
    hip: row.hip as FacilityId,
    ...(row.requester === null ? {} : { requester: row.requester as FacilityId }),
    askedByRequest: row.asked_by_request,
    sentRequest: row.sent_request as Id<'request'>,
    counter: row.counter,
    sentAt: row.sent_at,
  }
  switch (row.status) {
    case 'sent':
      return { ...base, status: 'sent' }
    case 'accepted':
      return {
        ...base,
        status: 'accepted',
        ...(row.token_number === null ? {} : { tokenNumber: row.token_number }),
        expiresAt: row.expires_at ?? row.changed_at,
      }
    case 'refused':
    case 'failed':
      return { ...base, status: row.status, error: { code: row.error_code ?? '', message: row.error_message ?? '' } }
    default:
      throw new Error(`profile_share has the status ${row.status}`)
  }
}

export async function insertShare(tx: Tx, _recorded: Recorded<ShareEvent>, share: ProfileShare): Promise<void> {
  await tx.db
    .insertInto('profile_share')
    .values({
      bucket: bucketOf(share.patient),
      id: share.id,
      patient: share.patient,
      hip: share.hip,
      requester: share.requester ?? null,
      status: share.status,
      asked_by_request: share.askedByRequest,
      sent_request: share.sentRequest,
      counter: share.counter,
      token_number: null,
      expires_at: null,
      error_code: null,
      error_message: null,
      sent_at: share.sentAt,
      changed_at: tx.now,
    })
    .execute()
}

/** Ends a share that was `from`. */
export async function updateShare(
  tx: Tx,
  _recorded: Recorded<ShareEvent>,
  from: ProfileShare['status'],
  share: ProfileShare,
): Promise<void> {
  insistOnMove(SHARE_MOVES, from, share.status, 'profile share')
  const updated = await tx.db
    .updateTable('profile_share')
    .set({
      status: share.status,
      changed_at: tx.now,
      ...(share.status === 'accepted' ? { token_number: share.tokenNumber ?? null, expires_at: share.expiresAt } : {}),
      ...('error' in share ? { error_code: share.error.code, error_message: sealed(share.error.message) } : {}),
    })
    .where('bucket', '=', bucketOf(share.patient))
    .where('id', '=', share.id)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(updated, `profile share ${from} to ${share.status}`)
}

export async function findShare(tx: Tx, id: Id<'profile-share'>): Promise<ProfileShare | undefined> {
  const row = await tx.db
    .selectFrom('profile_share')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .executeTakeFirst()
  return row === undefined ? undefined : readRow(row)
}

export async function findShareBySent(tx: Tx, sentRequest: Id<'request'>): Promise<ProfileShare | undefined> {
  const row = await tx.db
    .selectFrom('profile_share')
    .selectAll()
    .where('bucket', '=', bucketOfId(sentRequest))
    .where('sent_request', '=', sentRequest)
    .executeTakeFirst()
  return row === undefined ? undefined : readRow(row)
}

/** Newest first. */
export async function findSharesOf(tx: Tx, patient: AbhaAddress, limit: number): Promise<readonly ProfileShare[]> {
  const rows = await tx.db
    .selectFrom('profile_share')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .orderBy('sent_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(readRow)
}

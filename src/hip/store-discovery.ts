import { sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { type Place, sealWith } from '../crypto/envelope.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { pseudonym, sealedJson } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { patientKey } from '../vault/data-keys.ts'
import { type LinkPassword, type OfferedContext, PASSWORD_MOVES } from './link.ts'

export type Discovery = {
  readonly transactionId: Id<'linking-transaction'>
  readonly abhaAddress: AbhaAddress
  readonly patientReference: string
  readonly offered: readonly OfferedContext[]
  readonly at: Date
}

/** False when this transaction was answered before. */
export async function insertDiscovery(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  discovery: Omit<Discovery, 'at'>,
): Promise<boolean> {
  const result = await tx.db
    .insertInto('hip_discovery')
    .values({
      bucket: bucketOfId(discovery.transactionId),
      transaction_id: discovery.transactionId,
      abha_address: discovery.abhaAddress,
      patient_reference: pseudonym(discovery.patientReference),
      offered: sealedJson(discovery.offered),
      at: tx.now,
    })
    .onConflict((c) => c.columns(['bucket', 'transaction_id']).doNothing())
    .executeTakeFirst()
  return result.numInsertedOrUpdatedRows === 1n
}

export async function loadDiscovery(tx: Tx, transactionId: Id<'linking-transaction'>): Promise<Discovery | undefined> {
  const row = await tx.db
    .selectFrom('hip_discovery')
    .selectAll()
    .where('bucket', '=', bucketOfId(transactionId))
    .where('transaction_id', '=', transactionId)
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    transactionId,
    abhaAddress: row.abha_address as AbhaAddress,
    patientReference: row.patient_reference,
    offered: row.offered as OfferedContext[],
    at: row.at,
  }
}

export async function insertPassword(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  password: Omit<LinkPassword, 'status' | 'wrongTries'>,
): Promise<void> {
  await tx.db
    .insertInto('hip_link_otp')
    .values({
      bucket: bucketOfId(password.linkRef),
      link_ref: password.linkRef,
      abha_address: password.abhaAddress,
      patient_reference: pseudonym(password.patientReference),
      chosen: sealedJson(password.chosen),
      otp_hash: Buffer.from(password.otpHash),
      wrong_tries: 0,
      status: 'waiting',
      asked_at: tx.now,
      expires_at: password.expiresAt,
    })
    .execute()
}

/** Passwords that a patient asked for since a time. */
export async function countPasswords(tx: Tx, abhaAddress: AbhaAddress, since: Date): Promise<number> {
  const row = await tx.db
    .selectFrom('hip_link_otp')
    .select((e) => e.fn.countAll<string>().as('n'))
    .where('bucket', '=', bucketOf(abhaAddress))
    .where('abha_address', '=', abhaAddress)
    .where('asked_at', '>', since)
    .executeTakeFirst()
  return Number(row?.n ?? 0)
}

export async function lockPassword(tx: Tx, linkRef: Id<'link'>): Promise<LinkPassword | undefined> {
  const row = await tx.db
    .selectFrom('hip_link_otp')
    .selectAll()
    .where('bucket', '=', bucketOfId(linkRef))
    .where('link_ref', '=', linkRef)
    .forUpdate()
    .executeTakeFirst()
  if (row === undefined) return undefined
  return {
    linkRef,
    abhaAddress: row.abha_address as AbhaAddress,
    patientReference: row.patient_reference,
    chosen: row.chosen as OfferedContext[],
    otpHash: row.otp_hash,
    wrongTries: row.wrong_tries,
    status: row.status as LinkPassword['status'],
    expiresAt: row.expires_at,
  }
}

export async function movePassword(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  { linkRef, status: from }: Pick<LinkPassword, 'linkRef' | 'status'>,
  to: { readonly status: LinkPassword['status']; readonly wrongTries: number },
): Promise<void> {
  insistOnMove(PASSWORD_MOVES, from, to.status, 'one-time password')
  const result = await tx.db
    .updateTable('hip_link_otp')
    .set({ status: to.status, wrong_tries: to.wrongTries })
    .where('bucket', '=', bucketOfId(linkRef))
    .where('link_ref', '=', linkRef)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(result, 'hip_link_otp')
}

/** Drops discoveries and passwords whose time is long over. */
export async function sweepDiscoveries(tx: Tx, before: Date): Promise<void> {
  await sql`/* all buckets: the sweep of old discoveries */ delete from hip_discovery where at < ${before}`.execute(
    tx.db,
  )
  await sql`/* all buckets: the sweep of old one-time passwords */ delete from hip_link_otp where expires_at < ${before}`.execute(
    tx.db,
  )
}

/** The next number at a counter on a day. */
export async function nextNumber(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  counter: string,
  day: string,
): Promise<number> {
  const { rows } = await sql<{ last_number: number }>`
    insert into hip_queue (counter, day, last_number) values (${counter}, ${day}, 1)
    on conflict (counter, day) do update set last_number = hip_queue.last_number + 1 returning last_number`.execute(
    tx.db,
  )
  return rows[0]?.last_number ?? 1
}

export type Share = { readonly tokenNumber: number; readonly expiresAt: Date }

/** A patient's place at a counter that is still good. */
export async function currentShare(tx: Tx, abhaAddress: AbhaAddress, counter: string): Promise<Share | undefined> {
  const row = await tx.db
    .selectFrom('hip_share')
    .select(['token_number', 'expires_at'])
    .where('bucket', '=', bucketOf(abhaAddress))
    .where('abha_address', '=', abhaAddress)
    .where('counter', '=', counter)
    .where('expires_at', '>', tx.now)
    .orderBy('expires_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && { tokenNumber: row.token_number, expiresAt: row.expires_at }
}

export async function insertShare(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  share: Share & {
    readonly id: Id<'share'>
    readonly abhaAddress: AbhaAddress
    readonly counter: string
    readonly day: string
    readonly profile: object
  },
): Promise<void> {
  const place: Place = { table: 'hip_share', column: 'profile', row: share.id, patient: share.abhaAddress }
  const key = await patientKey(tx, share.abhaAddress)
  await tx.db
    .insertInto('hip_share')
    .values({
      bucket: bucketOfId(share.id),
      id: share.id,
      abha_address: share.abhaAddress,
      counter: share.counter,
      day: share.day,
      token_number: share.tokenNumber,
      profile: Buffer.from(sealWith(key, JSON.stringify(share.profile), place, tx.random)),
      shared_at: tx.now,
      expires_at: share.expiresAt,
    })
    .execute()
}

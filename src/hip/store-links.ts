import type { Selectable } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { openWith, type Place, sealWith } from '../crypto/envelope.ts'
import type { HipLinkCallTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { pseudonym, sealed } from '../db/veil.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { existingPatientKey, patientKey } from '../vault/data-keys.ts'
import { openJson, openRows, sealJson } from '../vault/sealed-json.ts'
import { CALL_MOVES, type LinkCall, type OfferedContext } from './link.ts'

/** Care contexts of a patient that the exchange has linked. */
export async function linkedContexts(tx: Tx, patientReference: string): Promise<ReadonlySet<string>> {
  const rows = await tx.db
    .selectFrom('hip_link')
    .select('care_context_reference')
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .execute()
  return new Set(rows.map((row) => row.care_context_reference))
}

/** How many care contexts of a patient the exchange has linked. */
export async function countLinked(tx: Tx, patientReference: string): Promise<number> {
  const row = await tx.db
    .selectFrom('hip_link')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

/** Whether the exchange linked any care context of this local patient to this ABHA address. */
export async function isLinkedTo(tx: Tx, patientReference: string, abhaAddress: string): Promise<boolean> {
  const row = await tx.db
    .selectFrom('hip_link')
    .select('bucket')
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .where('abha_address', '=', abhaAddress)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

export async function insertLinks(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  patientReference: string,
  abhaAddress: string,
  references: readonly string[],
): Promise<void> {
  if (references.length === 0) return
  const bucket = bucketOf(patientReference)
  await tx.db
    .insertInto('hip_link')
    .values(
      references.map((reference) => ({
        bucket,
        patient_reference: pseudonym(patientReference),
        care_context_reference: pseudonym(reference),
        abha_address: abhaAddress,
        linked_at: tx.now,
      })),
    )
    .onConflict((c) =>
      c
        .columns(['bucket', 'patient_reference', 'care_context_reference'])
        .doUpdateSet({ abha_address: abhaAddress, linked_at: tx.now }),
    )
    .execute()
}

export async function deleteLinks(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  patientReference: string,
  references: readonly string[],
): Promise<void> {
  if (references.length === 0) return
  await tx.db
    .deleteFrom('hip_link')
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .where('care_context_reference', 'in', references.map(pseudonym))
    .execute()
}

const tokenPlace = (reference: string): Place => ({
  table: 'hip_link_token',
  column: 'sealed',
  row: reference,
  patient: reference,
})

/** The link token of a patient, while it lives and was made for this ABHA address. */
export async function loadToken(tx: Tx, patientReference: string, abhaAddress: string): Promise<string | undefined> {
  const row = await tx.db
    .selectFrom('hip_link_token')
    .select('sealed')
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .where('abha_address', '=', abhaAddress)
    .where('expires_at', '>', tx.now)
    .executeTakeFirst()
  const key = row && (await existingPatientKey(tx, patientReference))
  if (row === undefined || key === undefined) return undefined
  const opened = openWith(key, row.sealed, tokenPlace(patientReference))
  return isRefusal(opened) ? undefined : new TextDecoder().decode(opened)
}

export async function saveToken(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  patientReference: string,
  abhaAddress: string,
  token: string,
  expiresAt: Date,
): Promise<void> {
  const key = await patientKey(tx, patientReference)
  const row = {
    abha_address: abhaAddress,
    sealed: Buffer.from(sealWith(key, token, tokenPlace(patientReference), tx.random)),
    expires_at: expiresAt,
  }
  await tx.db
    .insertInto('hip_link_token')
    .values({ bucket: bucketOf(patientReference), patient_reference: pseudonym(patientReference), ...row })
    .onConflict((c) => c.columns(['bucket', 'patient_reference']).doUpdateSet(row))
    .execute()
}

export async function deleteToken(tx: Tx, _recorded: Recorded<AuditEvent>, patientReference: string): Promise<void> {
  await tx.db
    .deleteFrom('hip_link_token')
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .execute()
}

export async function insertCall(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  call: Omit<LinkCall, 'status' | 'error'>,
): Promise<void> {
  await tx.db
    .insertInto('hip_link_call')
    .values({
      bucket: bucketOfId(call.requestId),
      request_id: call.requestId,
      kind: call.kind,
      patient_reference: pseudonym(call.patientReference),
      abha_address: call.abhaAddress,
      status: 'waiting',
      care_contexts: await sealJson(tx, contextsPlace(call.requestId, call.patientReference), call.contexts),
      tries: call.tries,
      asked_at: tx.now,
    })
    .execute()
}

/** Reads and locks one of our calls by the request id that its answer repeats. */
export async function lockCall(tx: Tx, requestId: Id<'request'>): Promise<LinkCall | undefined> {
  const row = await tx.db
    .selectFrom('hip_link_call')
    .selectAll()
    .where('bucket', '=', bucketOfId(requestId))
    .where('request_id', '=', requestId)
    .forUpdate()
    .executeTakeFirst()
  return row && callOf(tx, row)
}

/** A patient's latest calls, newest first. */
export async function listCalls(tx: Tx, patientReference: string, limit: number): Promise<readonly LinkCall[]> {
  const rows = await tx.db
    .selectFrom('hip_link_call')
    .selectAll()
    .where('bucket', '=', bucketOf(patientReference))
    .where('patient_reference', '=', pseudonym(patientReference))
    .orderBy('asked_at', 'desc')
    .orderBy('request_id', 'desc')
    .limit(limit)
    .execute()
  return openRows(rows, (row) => callOf(tx, row))
}

const contextsPlace = (requestId: string, reference: string): Place => ({
  table: 'hip_link_call',
  column: 'care_contexts',
  row: requestId,
  patient: reference,
})

async function callOf(tx: Tx, row: Selectable<HipLinkCallTable>): Promise<LinkCall | undefined> {
  const at = contextsPlace(row.request_id, row.patient_reference)
  const contexts = (await openJson(tx, at, row.care_contexts)) as readonly OfferedContext[] | undefined
  if (contexts === undefined) return undefined
  return {
    requestId: row.request_id as Id<'request'>,
    kind: row.kind as LinkCall['kind'],
    patientReference: row.patient_reference,
    abhaAddress: row.abha_address as AbhaAddress,
    status: row.status as LinkCall['status'],
    contexts,
    tries: row.tries,
    ...(row.error === null ? {} : { error: row.error }),
  }
}

export async function endCall(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  { requestId, status: from }: Pick<LinkCall, 'requestId' | 'status'>,
  end: { readonly status: 'done' } | { readonly status: 'failed'; readonly error: string },
): Promise<void> {
  insistOnMove(CALL_MOVES, from, end.status, 'call about linking')
  const result = await tx.db
    .updateTable('hip_link_call')
    .set({ status: end.status, error: 'error' in end ? sealed(end.error) : null, ended_at: tx.now })
    .where('bucket', '=', bucketOfId(requestId))
    .where('request_id', '=', requestId)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(result, 'hip_link_call')
}

import { sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { openWith, type Place, sealWith } from '../crypto/envelope.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { bucketOfId, type Id } from '../kernel/id.ts'
import { insistOnMove } from '../kernel/moves.ts'
import { must } from '../kernel/refusal.ts'
import { existingPatientKey, patientKey } from '../vault/data-keys.ts'
import { type ArtefactDetail, type ArtefactStatus, type HeldArtefact, MOVES, type Told } from './artefact.ts'

type Artefact = Id<'artefact'>
const place = (id: Artefact, patient: string): Place => ({ table: 'hip_artefact', column: 'detail', row: id, patient })

/** Reads and locks an artefact, so that its end waits for whoever decides on it, and the other way round. */
export async function lockArtefact(tx: Tx, id: Artefact): Promise<HeldArtefact | undefined> {
  return load(tx, id, true)
}

export async function loadArtefact(tx: Tx, id: Artefact): Promise<HeldArtefact | undefined> {
  return load(tx, id, false)
}

async function load(tx: Tx, id: Artefact, lock: boolean): Promise<HeldArtefact | undefined> {
  const query = tx.db
    .selectFrom('hip_artefact')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('consent_id', '=', id)
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst()
  if (row === undefined) return undefined
  const detail =
    row.detail === null || row.abha_address === null
      ? undefined
      : await openDetail(tx, id, row.abha_address, row.detail)
  const status = row.status as ArtefactStatus
  if (status === 'GRANTED') {
    // Without its detail (the patient's key was erased) nothing can be sent under it.
    return detail === undefined ? { status: 'REVOKED', endedAt: row.received_at } : { status, detail }
  }
  return { status, endedAt: row.ended_at ?? row.received_at, ...(detail === undefined ? {} : { detail }) }
}

async function openDetail(
  tx: Tx,
  id: Artefact,
  patient: string,
  sealed: Uint8Array,
): Promise<ArtefactDetail | undefined> {
  const key = await existingPatientKey(tx, patient)
  if (key === undefined) return undefined
  const { detail } = JSON.parse(new TextDecoder().decode(must(openWith(key, sealed, place(id, patient))))) as {
    detail: ArtefactDetail
  }
  const { permission } = detail
  const dateRange = { from: new Date(permission.dateRange.from), to: new Date(permission.dateRange.to) }
  return { ...detail, permission: { ...permission, dateRange, dataEraseAt: new Date(permission.dataEraseAt) } }
}

/** Keeps an artefact as it was told: with its detail as it was signed, or, where only its end was told, as a mark. */
export async function insertArtefact(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  told: Told,
  status: ArtefactStatus,
): Promise<void> {
  insistOnMove(MOVES, 'none', status, 'artefact')
  const { consentId, signed } = told
  const patient = signed?.detail.patient.id
  const key = patient === undefined ? undefined : await patientKey(tx, patient)
  const content = signed === undefined ? '' : JSON.stringify({ raw: signed.raw, detail: signed.detail })
  const sealed =
    key === undefined || patient === undefined
      ? null
      : Buffer.from(sealWith(key, content, place(consentId, patient), tx.random))
  const result = await tx.db
    .insertInto('hip_artefact')
    .values({
      bucket: bucketOfId(consentId),
      consent_id: consentId,
      abha_address: patient ?? null,
      hiu: signed === undefined ? null : (signed.detail.hiu?.id ?? ''),
      status,
      detail: sealed,
      signature: signed?.signature ?? null,
      erase_at: signed?.detail.permission.dataEraseAt ?? null,
      received_at: tx.now,
      ended_at: status === 'GRANTED' ? null : tx.now,
    })
    .onConflict((c) => c.columns(['bucket', 'consent_id']).doNothing())
    .executeTakeFirst()
  insistOnOne({ numInsertedOrUpdatedRows: result.numInsertedOrUpdatedRows ?? 0n }, 'hip_artefact')
}

export async function endArtefact(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  id: Artefact,
  from: ArtefactStatus,
  status: 'REVOKED' | 'EXPIRED',
): Promise<void> {
  insistOnMove(MOVES, from, status, 'artefact')
  const result = await tx.db
    .updateTable('hip_artefact')
    .set({ status, ended_at: tx.now })
    .where('bucket', '=', bucketOfId(id))
    .where('consent_id', '=', id)
    .where('status', '=', from)
    .executeTakeFirst()
  insistOnOne(result, 'hip_artefact')
}

/** Consents whose time is over though nobody said so. */
export async function dueArtefacts(tx: Tx, limit: number): Promise<readonly Artefact[]> {
  const { rows } = await sql<{ consent_id: string }>`
    /* all buckets: the sweep of consents whose time is over */
    select consent_id from hip_artefact where status = 'GRANTED' and erase_at <= ${tx.now} order by erase_at limit ${limit}`.execute(
    tx.db,
  )
  return rows.map((row) => row.consent_id as Artefact)
}

export type ArtefactRow = {
  readonly consentId: string
  readonly patient: string | null
  readonly hiu: string | null
  readonly status: ArtefactStatus
  readonly eraseAt: Date | null
  readonly receivedAt: Date
  readonly endedAt: Date | null
}

/** Copies held, newest first; `before` is the consent id that the page before ended with (ids are in order of time). */
export async function listArtefacts(
  tx: Tx,
  before: string | undefined,
  limit: number,
  status?: ArtefactStatus,
): Promise<readonly ArtefactRow[]> {
  const { rows } = await sql<{
    consent_id: string
    abha_address: string | null
    hiu: string | null
    status: string
    erase_at: Date | null
    received_at: Date
    ended_at: Date | null
  }>`
    /* all buckets: the facility's list of the consents it holds */
    select consent_id, abha_address, hiu, status, erase_at, received_at, ended_at from hip_artefact
    where (${before ?? null}::uuid is null or consent_id < ${before ?? null}::uuid)
      and (${status ?? null}::text is null or status = ${status ?? null})
    order by consent_id desc limit ${limit}`.execute(tx.db)
  return rows.map((row) => ({
    consentId: row.consent_id,
    patient: row.abha_address,
    hiu: row.hiu,
    status: row.status as ArtefactStatus,
    eraseAt: row.erase_at,
    receivedAt: row.received_at,
    endedAt: row.ended_at,
  }))
}

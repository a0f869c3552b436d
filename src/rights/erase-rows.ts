import { sql } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Tables } from '../db/tables.generated.ts'
import type { Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import type { AbhaAddress } from '../kernel/id.ts'

/** Rows that name the patient in `column`, in her bucket unless the table is placed by something else, or is local. */
type Named = {
  readonly table: keyof Tables
  readonly column: string
  readonly placed?: 'by-digest' | 'local'
  readonly also?: { readonly column: string; readonly is: string }
}

/**
 * Where an exchange has rows of a patient; those that point to others come first. Rows below `own_fetch` go with it. What stays: events in
 * the log, which nobody can read without her key, and the row in `data_key` that says when the key was destroyed.
 */
const ROWS_OF_ACCOUNT: readonly Named[] = [
  { table: 'data_request', column: 'patient' },
  { table: 'consent_artefact', column: 'patient' },
  { table: 'consent_request', column: 'patient' },
  { table: 'request_text', column: 'patient' },
  { table: 'emergency_text', column: 'patient' },
  { table: 'own_fetch', column: 'patient' },
  { table: 'subscription_event', column: 'patient' },
  { table: 'subscription', column: 'patient' },
  { table: 'approval_policy', column: 'patient' },
  { table: 'care_context', column: 'patient' },
  { table: 'linking_transaction', column: 'patient' },
  { table: 'linking_attempt', column: 'subject' },
  { table: 'profile_share', column: 'patient' },
  { table: 'question', column: 'patient' },
  { table: 'shown_notice', column: 'patient' },
  { table: 'withheld_look', column: 'patient' },
  { table: 'passkey', column: 'person', also: { column: 'kind', is: 'patient' } },
  { table: 'patient_index', column: 'abha_address', placed: 'by-digest' },
  { table: 'account_closing', column: 'patient' },
  { table: 'patient', column: 'abha_address' },
  { table: 'web_session', column: 'person', placed: 'local', also: { column: 'kind', is: 'patient' } },
  { table: 'step_up', column: 'subject', placed: 'local' },
  { table: 'sign_in_code', column: 'abha_address', placed: 'local' },
]

/** Deletes every row of a patient at an exchange; answers how many. */
export async function deleteRowsOfAccount(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  patient: AbhaAddress,
): Promise<number> {
  const bucket = bucketOf(patient)
  const notices = await sql`
    delete from consent_notice where bucket = ${bucket} and request in
      (select id from consent_request where bucket = ${bucket} and patient = ${patient})`.execute(tx.db)
  const proofs = await sql`
    delete from step_up where session in (select id from web_session where kind = 'patient' and person = ${patient})`.execute(
    tx.db,
  )
  let rows = Number(notices.numAffectedRows ?? 0n) + Number(proofs.numAffectedRows ?? 0n)
  for (const each of ROWS_OF_ACCOUNT) rows += await deleteNamed(tx, each, patient, bucket)
  return rows
}

async function deleteNamed(tx: Tx, named: Named, patient: AbhaAddress, bucket: number): Promise<number> {
  const { table, column, placed, also } = named
  const where = [
    sql`${sql.ref(column)} = ${patient}`,
    ...(placed === undefined ? [sql`bucket = ${bucket}`] : []),
    ...(also === undefined ? [] : [sql`${sql.ref(also.column)} = ${also.is}`]),
  ]
  const everywhere = placed === 'by-digest' ? sql`/* all buckets: placed by what it finds her by */` : sql``
  const deleted = await sql`${everywhere} delete from ${sql.table(table)} where ${sql.join(where, sql` and `)}`.execute(
    tx.db,
  )
  return Number(deleted.numAffectedRows ?? 0n)
}

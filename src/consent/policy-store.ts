import type { Selectable } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import type { Place } from '../crypto/envelope.ts'
import type { ApprovalPolicyTable } from '../db/tables.generated.ts'
import { insistOnOne, type Tx } from '../db/tx.ts'
import { bucketOf } from '../kernel/bucket.ts'
import { type AbhaAddress, bucketOfId, type FacilityId, type Id } from '../kernel/id.ts'
import { openJson, openRows, sealJson } from '../vault/sealed-json.ts'
import { type ApprovalPolicy, readTerms, type StoredTerms, termsJson } from './approval-policy.ts'

const placeOf = (id: string, patient: string): Place => ({
  table: 'approval_policy',
  column: 'terms',
  row: id,
  patient,
})

async function policyOfRow(tx: Tx, row: Selectable<ApprovalPolicyTable>): Promise<ApprovalPolicy | undefined> {
  const terms = (await openJson(tx, placeOf(row.id, row.patient), row.terms)) as StoredTerms | undefined
  if (terms === undefined) return undefined
  return {
    id: row.id as Id<'approval-policy'>,
    patient: row.patient as AbhaAddress,
    hiu: row.hiu as FacilityId,
    enabled: row.enabled,
    terms: readTerms(terms),
    createdAt: row.created_at,
    changedAt: row.changed_at,
  }
}

export async function insertPolicy(tx: Tx, _recorded: Recorded<AuditEvent>, policy: ApprovalPolicy): Promise<void> {
  await tx.db
    .insertInto('approval_policy')
    .values({
      bucket: bucketOf(policy.patient),
      id: policy.id,
      patient: policy.patient,
      hiu: policy.hiu,
      enabled: policy.enabled,
      terms: await sealJson(tx, placeOf(policy.id, policy.patient), termsJson(policy.terms)),
      created_at: policy.createdAt,
      changed_at: policy.changedAt,
    })
    .execute()
}

export async function updatePolicy(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  policy: ApprovalPolicy,
  enabled: boolean,
): Promise<void> {
  const result = await tx.db
    .updateTable('approval_policy')
    .set({ enabled, changed_at: tx.now })
    .where('bucket', '=', bucketOf(policy.patient))
    .where('id', '=', policy.id)
    .where('enabled', '=', policy.enabled)
    .executeTakeFirst()
  insistOnOne(result, `approval policy ${policy.id}`)
}

export async function findPolicy(tx: Tx, id: Id<'approval-policy'>): Promise<ApprovalPolicy | undefined> {
  const row = await tx.db
    .selectFrom('approval_policy')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return row && policyOfRow(tx, row)
}

/** Oldest first. `hiu`: only those for this HIU, switched on. */
export async function findPoliciesOf(
  tx: Tx,
  patient: AbhaAddress,
  hiu?: FacilityId,
): Promise<readonly ApprovalPolicy[]> {
  const rows = await tx.db
    .selectFrom('approval_policy')
    .selectAll()
    .where('bucket', '=', bucketOf(patient))
    .where('patient', '=', patient)
    .$if(hiu !== undefined, (q) => q.where('hiu', '=', hiu ?? '').where('enabled', '=', true))
    .orderBy('id')
    .execute()
  return openRows(rows, (row) => policyOfRow(tx, row))
}

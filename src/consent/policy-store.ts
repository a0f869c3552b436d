import type { Selectable } from 'kysely'
import type { AuditEvent, Recorded } from '../audit/record.ts'
import { asWritten, eachAsWritten } from '../audit/watch/tampered.ts'
import type { Place } from '../crypto/envelope.ts'
import type { ApprovalPolicyTable } from '../db/tables.generated.ts'
import { withTie } from '../db/tie.ts'
import { insistOnOne, StaleRow, type Tx } from '../db/tx.ts'
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

/** Who decided it lies sealed beside what was decided. */
type Stored = StoredTerms & { readonly guardian?: AbhaAddress }

const storedOf = ({ terms, guardian }: ApprovalPolicy): Stored => ({
  ...termsJson(terms),
  ...(guardian === undefined ? {} : { guardian }),
})

async function policyOfRow(tx: Tx, row: Selectable<ApprovalPolicyTable>): Promise<ApprovalPolicy | undefined> {
  const stored = (await openJson(tx, placeOf(row.id, row.patient), row.terms)) as Stored | undefined
  if (stored === undefined) return undefined
  const { guardian, ...terms } = stored
  return {
    id: row.id as Id<'approval-policy'>,
    patient: row.patient as AbhaAddress,
    hiu: row.hiu as FacilityId,
    enabled: row.enabled,
    terms: readTerms(terms),
    ...(guardian === undefined ? {} : { guardian }),
    createdAt: row.created_at,
    changedAt: row.changed_at,
  }
}

export async function insertPolicy(tx: Tx, _recorded: Recorded<AuditEvent>, policy: ApprovalPolicy): Promise<void> {
  await tx.db
    .insertInto('approval_policy')
    .values(
      withTie('approval_policy', {
        bucket: bucketOf(policy.patient),
        id: policy.id,
        patient: policy.patient,
        hiu: policy.hiu,
        enabled: policy.enabled,
        terms: await sealJson(tx, placeOf(policy.id, policy.patient), storedOf(policy)),
        created_at: policy.createdAt,
        changed_at: policy.changedAt,
      }),
    )
    .execute()
}

export async function updatePolicy(
  tx: Tx,
  _recorded: Recorded<AuditEvent>,
  from: ApprovalPolicy,
  policy: ApprovalPolicy,
): Promise<void> {
  // A new tie would hide what somebody changed in the database.
  const row = await lockPolicy(tx, policy.id)
  if (row?.enabled !== from.enabled) throw new StaleRow(`approval policy ${policy.id}`)
  const { enabled } = policy
  const terms = await sealJson(tx, placeOf(policy.id, policy.patient), storedOf(policy))
  const result = await tx.db
    .updateTable('approval_policy')
    .set(withTie('approval_policy', { ...row, enabled, terms, changed_at: tx.now }))
    .where('bucket', '=', row.bucket)
    .where('id', '=', policy.id)
    .executeTakeFirst()
  insistOnOne(result, `approval policy ${policy.id}`)
}

export async function findPolicy(tx: Tx, id: Id<'approval-policy'>): Promise<ApprovalPolicy | undefined> {
  const row = await lockPolicy(tx, id)
  return row && policyOfRow(tx, row)
}

async function lockPolicy(tx: Tx, id: Id<'approval-policy'>): Promise<Selectable<ApprovalPolicyTable> | undefined> {
  const locked = await tx.db
    .selectFrom('approval_policy')
    .selectAll()
    .where('bucket', '=', bucketOfId(id))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  return asWritten(tx, 'approval_policy', locked)
}

/**
 * Oldest first. `hiu`: only those for this HIU, switched on, and locked until the end of the transaction: who switches one off waits for
 * what it is granting, and nothing is granted by it afterwards.
 */
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
    .$if(hiu !== undefined, (q) =>
      q
        .where('hiu', '=', hiu ?? '')
        .where('enabled', '=', true)
        .forShare(),
    )
    .orderBy('id')
    .execute()
  return openRows(await eachAsWritten(tx, 'approval_policy', rows), (row) => policyOfRow(tx, row))
}
